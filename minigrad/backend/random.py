"""Generators of random numbers: the seed, the place in its sequence, and the draws.

A draw takes the next whole blocks of words (see `philox`) and turns them into numbers (see
`variates`), so what it gives depends on the seed and on the draws before it, never on the device
or on how the work is cut up. Methods take `xp`, the array module to draw with, and return its
arrays; the functions at the end work on one default generator.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy

from minigrad.backend import philox, sampling, variates
from minigrad.backend.device import device as make_device
from minigrad.backend.levels import LEVELS, innermost
from minigrad.backend.variates import Variate
from minigrad.errors import ArgumentError, DtypeError

Shape = int | Sequence[int]

_DEFAULT_SEED = 67280421310721  # torch's
_STATE = struct.Struct("<8sQQ")
_STATE_TAG = b"philox64"
_POSITIONS = 2**63
# On the host a large draw is made in parts that stay in a processor's cache, and a small draw is
# cut from a longer stretch, which costs little more to make: at this many words a call to NumPy
# costs more than the arithmetic in it.
_PART_BLOCKS = 2048
_SMALL_BLOCKS = 256
_STRETCH = 8
_WORDS = Variate(philox.BLOCK, lambda xp, words, count: words[:count])


class Generator:
    """A sequence of random numbers that one seed determines, the same on every device.

    The draws of several threads never overlap; which thread gets which is up to them.

    >>> Generator().manual_seed(0).integers(numpy, 0, 100, 5)
    array([ 1, 24, 11, 56, 50])
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = make_device(device)
        self._lock = threading.Lock()
        self._host_words = philox.HostWords()
        self._ahead: dict[Variate, tuple[int, Any]] = {}
        self._seed = _DEFAULT_SEED
        self._position = 0

    def manual_seed(self, seed: int) -> Generator:
        """Start the sequence of this seed, and return the generator.

        The seed is an integer in [-2**63, 2**64); -1 means 2**64 - 1, as in torch.
        Raises DtypeError for anything but an integer, ArgumentError outside that range.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise DtypeError(
                f"manual_seed(): argument 'seed' must be an integer, not {type(seed).__name__}; "
                "for example manual_seed(0)"
            )
        value = operator.index(seed)
        if not -(2**63) <= value < 2**64:
            raise ArgumentError(
                f"manual_seed(): argument 'seed' must be in [-2**63, 2**64), but it is {value}"
            )
        self._restart(value % 2**64, 0)
        return self

    def initial_seed(self) -> int:
        """The seed that this sequence started from."""
        return self._seed

    def seed(self) -> int:
        """Start a sequence that nobody can foretell, and return its seed."""
        # 53 bits, so that the seed survives a trip through a float.
        value = int.from_bytes(os.urandom(8), "little") >> 11
        self._restart(value, 0)
        return value

    def get_state(self) -> Any:
        """The seed and the place in its sequence, as a NumPy array of 24 uint8."""
        with self._lock:
            state = _STATE.pack(_STATE_TAG, self._seed, self._position)
        return numpy.frombuffer(state, numpy.uint8).copy()

    def set_state(self, state: Any) -> None:
        """Go to a place that `get_state` gave.

        Raises DtypeError for anything but a uint8 array, ArgumentError for another's state.
        """
        if not isinstance(state, numpy.ndarray) or state.dtype != numpy.uint8:
            found = getattr(state, "dtype", type(state).__name__)
            raise DtypeError(
                "set_state(): argument 'state' must be the uint8 array that get_state() gave, "
                f"not {found}"
            )
        if state.shape != (_STATE.size,):
            raise ArgumentError(
                f"set_state(): argument 'state' must have shape ({_STATE.size},), as get_state() "
                f"gives it, but its shape is {state.shape}"
            )
        tag, seed, position = _STATE.unpack(state.tobytes())
        if tag != _STATE_TAG or position >= _POSITIONS:
            raise ArgumentError(
                "set_state(): argument 'state' is not a state of this generator; pass an array "
                "that get_state() gave, unchanged"
            )
        self._restart(seed, position)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (str(self.device), self.get_state())

    def __repr__(self) -> str:
        return f"Generator(device={str(self.device)!r}, initial_seed={self._seed})"

    def bits(self, xp: Any, count: int) -> Any:
        """The next `count` random words, uint64."""
        return self._draw(xp, _WORDS, *_size("bits", count))

    def uniform(
        self, xp: Any, shape: Shape, dtype: Any = "float32", low: float = 0.0, high: float = 1.0
    ) -> Any:
        """Uniform in [low, high); complex dtypes draw both parts.

        Every binary digit of the dtype is random: in [0, 1) the numbers are the multiples of
        2**-24 for float32, 2**-53 for float64, 2**-11 for float16.
        """
        if LEVELS and (level := innermost()) is not None:
            return level.drawn(lambda size: self.uniform(xp, size, dtype, low, high), shape)
        kind = variates.floating("uniform", dtype)
        count, shape = _size("uniform", shape)
        if kind.parts is not None:
            return self.uniform(xp, (*shape, 2), kind.parts, low, high).view(kind.dtype)[..., 0]
        if low == 0.0 and high == 1.0:
            return self._draw(xp, variates.UNIFORM[kind.name], count, shape)
        scalar = kind.dtype.type
        with numpy.errstate(over="ignore"):
            start, end, span = scalar(low), scalar(high), scalar(high - low)
        if not (low <= high and numpy.isfinite(start + span) and numpy.isfinite(end)):
            raise ArgumentError(
                f"uniform(): the range must have low <= high and a width that {kind.name} can "
                f"hold, but it is [{low}, {high})"
            )
        values = self._draw(xp, variates.UNIFORM[kind.name], count, shape)
        values *= span
        values += start
        # Rounding may reach the upper end, which the range leaves out.
        return xp.minimum(values, numpy.nextafter(end, start), out=values)

    def normal(
        self, xp: Any, shape: Shape, dtype: Any = "float32", mean: complex = 0.0, std: float = 1.0
    ) -> Any:
        """Normal with this mean and standard deviation.

        Complex dtypes draw both parts, each with half of the variance. The numbers are the
        distribution's quantiles of 32 random bits (at most 6.3 standard deviations away) or, for
        float64, of 64 (at most 9.2).
        """
        if LEVELS and (level := innermost()) is not None:
            return level.drawn(lambda size: self.normal(xp, size, dtype, mean, std), shape)
        kind = variates.floating("normal", dtype)
        count, shape = _size("normal", shape)
        if not std >= 0:
            raise ArgumentError(f"normal(): argument 'std' must be at least 0, but it is {std}")
        if kind.parts is not None:
            pairs = self.normal(xp, (*shape, 2), kind.parts, 0.0, math.sqrt(0.5))
            values = pairs.view(kind.dtype)[..., 0]
        else:
            values = self._draw(xp, variates.NORMAL[kind.computed], count, shape)
        if std != 1.0:
            values *= std
        if mean != 0.0:
            values += mean
        return values.astype(kind.dtype, copy=False)

    def exponential(self, xp: Any, shape: Shape, dtype: Any = "float32", rate: float = 1.0) -> Any:
        """Exponential with this rate; never zero in float32 and float64."""
        if LEVELS and (level := innermost()) is not None:
            return level.drawn(lambda size: self.exponential(xp, size, dtype, rate), shape)
        kind = variates.floating("exponential", dtype)
        if kind.parts is not None:
            raise DtypeError(f"exponential(): argument 'dtype' must be real, not {kind.name}")
        if not 0 < rate < math.inf:
            raise ArgumentError(
                f"exponential(): argument 'rate' must be positive and finite, but it is {rate}"
            )
        count, shape = _size("exponential", shape)
        values = self._draw(xp, variates.EXPONENTIAL[kind.computed], count, shape)
        if rate != 1.0:
            values /= rate
        return values.astype(kind.dtype, copy=False)

    def bernoulli(
        self, xp: Any, probability: Any, shape: Shape | None = None, dtype: Any = "bool"
    ) -> Any:
        """One with this probability, else zero: of a number, or of each element of an array.

        A number is rounded to a multiple of 2**-32. Raises ArgumentError outside [0, 1].
        """
        if isinstance(probability, (int, float)):
            if LEVELS and (level := innermost()) is not None:
                size = () if shape is None else shape
                return level.drawn(lambda size: self.bernoulli(xp, probability, size, dtype), size)
            if not 0 <= probability <= 1:
                raise ArgumentError(
                    "bernoulli(): argument 'probability' must be in [0, 1], but it is "
                    f"{probability}"
                )
            variate = variates.below(round(probability * 2**32))
            values = self._draw(xp, variate, *_size("bernoulli", () if shape is None else shape))
        else:
            if not bool(xp.all((probability >= 0) & (probability <= 1))):
                raise ArgumentError(
                    "bernoulli(): argument 'probability' has elements outside [0, 1]"
                )
            precision = "float64" if probability.dtype == numpy.float64 else "float32"
            size = probability.shape if shape is None else shape
            values = xp.asarray(self.uniform(xp, size, precision) < probability)
        return values.astype(dtype, copy=False)

    def integers(self, xp: Any, low: int, high: int, shape: Shape, dtype: Any = "int64") -> Any:
        """Uniform integers in [low, high), in any dtype that holds them all.

        No value is likelier than another by more than one part in 2**32.
        Raises ArgumentError for an empty range or one that the dtype cannot hold.
        """
        if LEVELS and (level := innermost()) is not None:
            return level.drawn(lambda size: self.integers(xp, low, high, size, dtype), shape)
        variate = variates.integers(operator.index(low), operator.index(high), dtype)
        return self._draw(xp, variate, *_size("integers", shape))

    def permutation(self, xp: Any, count: int) -> Any:
        """The integers 0 to count - 1 in random order, int64."""
        if LEVELS and (level := innermost()) is not None:
            return level.drawn(lambda size: self.permutation(xp, count), None)
        count, _ = _size("permutation", count)
        return sampling.permutation(self, xp, count)

    def multinomial(self, xp: Any, weights: Any, count: int, replacement: bool = False) -> Any:
        """Draw `count` indices from each row of weights, int64 of shape (count,) or (rows, count).

        Weights are floating-point, of one or two dimensions, and need not sum to one. Without
        replacement the order is that of the draws. Raises ArgumentError for weights that are
        negative, infinite, nan or all zero, and where fewer than `count` may be drawn.
        """
        if LEVELS and (level := innermost()) is not None:
            return level.picked(self.multinomial, xp, weights, count, replacement)
        return sampling.multinomial(self, xp, weights, count, replacement)

    def _restart(self, seed: int, position: int) -> None:
        with self._lock:
            self._seed = seed
            self._position = position
            self._ahead.clear()

    def _draw(self, xp: Any, variate: Variate, count: int, shape: tuple[int, ...]) -> Any:
        blocks = -(-count // variate.per_block)
        with self._lock:
            start = self._position
            self._position = start + blocks
            if xp is not numpy:
                words = philox.words(xp, self._seed, start, blocks)
            elif blocks > _PART_BLOCKS:
                return self._draw_in_parts(variate, count, start).reshape(shape)
            elif blocks <= _SMALL_BLOCKS and variate in _MADE_AHEAD:
                return self._draw_ahead(variate, count, start, blocks).reshape(shape)
            else:
                words = self._host_words(self._seed, start, blocks)
        return variate.make(xp, words, count).reshape(shape)

    def _draw_in_parts(self, variate: Variate, count: int, start: int) -> Any:
        part = _PART_BLOCKS * variate.per_block
        result = None
        for done in range(0, count, part):
            wanted = min(part, count - done)
            blocks = -(-wanted // variate.per_block)
            words = self._host_words(self._seed, start + done // variate.per_block, blocks)
            values = variate.make(numpy, words, wanted)
            if result is None:
                result = numpy.empty(count, values.dtype)
            result[done : done + wanted] = values
        return result

    def _draw_ahead(self, variate: Variate, count: int, start: int, blocks: int) -> Any:
        first, values = self._ahead.get(variate, (start, None))
        offset = (start - first) * variate.per_block
        if values is None or not 0 <= offset <= values.size - count:
            stretch = max(_STRETCH * blocks, _SMALL_BLOCKS)
            words = self._host_words(self._seed, start, stretch)
            values = variate.make(numpy, words, stretch * variate.per_block)
            self._ahead[variate] = start, values
            offset = 0
        return values[offset : offset + count].copy()


_MADE_AHEAD = frozenset(
    variate
    for table in (variates.UNIFORM, variates.NORMAL, variates.EXPONENTIAL)
    for variate in table.values()
)


def _restored(device: str, state: Any) -> Generator:
    generator = Generator(device)
    generator.set_state(state)
    return generator


def _size(operation: str, shape: Any) -> tuple[int, tuple[int, ...]]:
    if not isinstance(shape, tuple):
        shape = (operator.index(shape),) if hasattr(shape, "__index__") else tuple(shape)
    if shape and min(shape) < 0:
        raise ArgumentError(f"{operation}(): a size must be at least 0, but the shape is {shape}")
    return math.prod(shape), shape


default_generator = Generator()
"""The generator of every draw that names none; like torch's, it starts from a seed by chance."""
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Start the default generator's sequence of this seed, and return the generator."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator where nobody can foretell, and return its seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator's sequence started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's seed and place, as a NumPy array of 24 uint8."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Bring the default generator to a place that `get_rng_state` gave."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Draw inside as one likes: afterwards the default generator is where it was before.

    One generator serves every device, so that `devices`, torch's argument, changes nothing.
    """
    state = default_generator.get_state()
    try:
        yield
    finally:
        if enabled:
            default_generator.set_state(state)
