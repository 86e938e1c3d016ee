"""Where rows draw their values from: shapes, layouts in memory, numbers, indices, choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

SHAPES = ((2, 3), (), (0, 3), (4,), (2, 1, 3), (1,), (3, 2), (0,))
PAIRS = (
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 3)), ((2, 3), ()), ((), ()),
    ((0, 3), (1, 3)), ((2, 1, 2), (3, 1)), ((3,), (3,)),
)  # fmt: skip
LAYOUTS = ("plain", "transposed", "reversed", "strided", "broadcast")


class Source:
    """Draws one sample: case 0 takes the first of every choice, later cases the others in turn."""

    def __init__(self, seed: int, case: int = 0, dtype: str = "float64") -> None:
        self.seed = seed
        self.case = case
        self.dtype = numpy.dtype(dtype)
        self.rng = numpy.random.default_rng((seed, case))
        self.picks = 0

    def pick(self, options: Sequence[Any]) -> Any:
        """One of the options."""
        self.picks += 1
        if self.case == 0:
            return options[0]
        order = numpy.random.default_rng((self.seed, self.picks)).permutation(len(options))
        return options[order[self.case % len(options)]]

    def flag(self) -> bool:
        """True or False."""
        return bool(self.pick((False, True)))

    def shape(self, least: int = 0, most: int = 3, empty: bool = True) -> tuple[int, ...]:
        """A shape of `least` to `most` dimensions."""
        return self.pick([s for s in SHAPES if least <= len(s) <= most and (empty or 0 not in s)])

    def pair(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Two shapes that broadcast."""
        return self.pick(PAIRS)

    def dim(self, shape: Sequence[int]) -> int:
        """A dimension of the shape, counted from the front; 0 for a 0-d one."""
        return int(self.pick(range(max(len(shape), 1))[::-1]))

    def dims(self, shape: Sequence[int]) -> tuple[int, ...] | None:
        """Some dimensions of the shape, or None for all."""
        count = len(shape)
        options: list[Any] = [(d,) for d in range(count)[::-1]]
        options += [None, *[(a, b) for a in range(count) for b in range(a + 1, count)]]
        return self.pick(options)

    def floats(
        self, shape: Sequence[int], low: float = -2.0, high: float = 2.0, away: Any = (),
        margin: float = 0.05,
    ) -> Any:  # fmt: skip
        """Numbers between two bounds, in the source's dtype, kept off the numbers `away`.

        Complex ones have imaginary parts from 0.3 to 0.8, off every branch cut.
        """
        values = self._numbers(tuple(shape), low, high, away, margin)
        return self.laid_out(numpy.asarray(values, self.dtype))

    def _numbers(
        self, shape: tuple[int, ...], low: float, high: float, away: Any, margin: float
    ) -> Any:
        kind = self.dtype.kind
        if kind == "b":
            return self.rng.integers(0, 2, shape)
        if kind in "iu":
            least = max(int(numpy.ceil(low)), 0 if kind == "u" else -(2**31))
            options = [n for n in range(least, max(int(high), least) + 1) if n not in away]
            return self.rng.choice(options, shape)
        values = self.rng.uniform(low, high, shape)
        for kink in away:
            near = numpy.abs(values - kink) < margin
            values = numpy.where(near, kink + margin * numpy.where(values < kink, -2, 2), values)
        if kind == "c":
            values = values + 1j * self.rng.uniform(0.3, 0.8, shape)
        return values

    def distinct(self, shape: Sequence[int], low: float = -2.0, high: float = 2.0) -> Any:
        """Numbers no two of which are equal or near, in random order."""
        shape = tuple(shape)
        count = int(numpy.prod(shape))
        if self.dtype.kind in "iub":
            values = self.rng.permutation(count) % (2 if self.dtype.kind == "b" else 120)
        else:
            values = numpy.linspace(low, high, count + 2)[1:-1]
            values = self.rng.permutation(values + self.rng.uniform(-0.01, 0.01))
            if self.dtype.kind == "c":
                values = values + 1j * self.rng.uniform(0.3, 0.8, count)
        return self.laid_out(values.reshape(shape).astype(self.dtype), LAYOUTS[:-1])

    def integers(self, shape: Sequence[int], low: int, high: int) -> Any:
        """int64 numbers from `low` to `high`, both included."""
        return numpy.asarray(self.rng.integers(low, high + 1, tuple(shape)))

    def bools(self, shape: Sequence[int]) -> Any:
        """Truth values."""
        return numpy.asarray(self.rng.integers(0, 2, tuple(shape)), bool)

    def laid_out(self, values: Any, layouts: Sequence[str] = LAYOUTS) -> Any:
        """The same shape and, but for broadcast views, the same values, as some view in memory."""
        layout = self.pick(layouts)
        if layout == "plain" or values.ndim == 0:
            return values
        if layout == "transposed":
            return numpy.ascontiguousarray(values.T).T
        if layout == "reversed":
            return values[..., ::-1].copy()[..., ::-1]
        if layout == "strided":
            wide = numpy.zeros((*values.shape[:-1], 2 * values.shape[-1]), values.dtype)
            wide[..., ::2] = values
            return wide[..., ::2]
        return numpy.broadcast_to(values[:1], values.shape)
