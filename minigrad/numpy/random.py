"""NumPy's random numbers as arrays of this face: the same seed gives NumPy's own numbers.

Draws that are a fixed noise shifted and scaled (`normal`, `uniform`, `exponential`, `lognormal`)
carry gradients to their parameters; others refuse parameters that require one.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.graph import Traced
from minigrad.numpy.base import lift, made, raw, refuse_gradient
from minigrad.numpy.elementwise import exp

_SHIFTED = ("normal", "uniform", "exponential", "lognormal")
_MAKES = ("RandomState", "Generator", "default_rng")


def _plain(value: Any) -> Any:
    return raw(value) if isinstance(value, Traced) else value


def _answer(found: Any) -> Any:
    if isinstance(found, (numpy.ndarray, numpy.generic)) and found.dtype.kind in "biufc":
        return made(found)
    return found


class Source:
    """A generator of NumPy's whose draws are arrays of this face."""

    def __init__(self, source: Any, prefix: str = "numpy.random") -> None:
        self._source = source
        self._prefix = prefix

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._source!r}>"

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._source, name)
        if not callable(found):
            return found

        def draw(*args: Any, **kwargs: Any) -> Any:
            given = (*args, *kwargs.values())
            if name in _SHIFTED and any(isinstance(v, Traced) and v._node for v in given):
                return getattr(self, "_" + name)(*args, **kwargs)
            if name == "shuffle":
                return self._shuffled(*args, **kwargs)
            refuse_gradient(f"{self._prefix}.{name}", *given)
            args = tuple(map(_plain, args))
            return _answer(found(*args, **{key: _plain(v) for key, v in kwargs.items()}))

        draw.__name__ = draw.__qualname__ = name
        return draw

    def _shuffled(self, x: Any, axis: int = 0) -> None:
        """Put the slices along the first axis in another order, in place."""
        if not isinstance(x, Traced):
            self._source.shuffle(x)
            return
        order = numpy.arange(len(x._array))
        self._source.shuffle(order)
        x[...] = lift(x)[order]  # type: ignore[index]

    def _normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        size = _common(size, loc, scale)
        return lift(loc) + lift(scale) * made(self._source.standard_normal(size))

    def _lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
        return exp(self._normal(mean, sigma, size))

    def _uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        size = _common(size, low, high)
        low = lift(low)
        return low + (lift(high) - low) * made(self._source.random(size))

    def _exponential(self, scale: Any = 1.0, size: Any = None) -> Any:
        return lift(scale) * made(self._source.standard_exponential(_common(size, scale)))


def _common(size: Any, *parameters: Any) -> Any:
    if size is not None:
        return size
    return numpy.broadcast_shapes(*(lift(value).shape for value in parameters))


def RandomState(seed: Any = None) -> Source:
    """NumPy's older generator, whose draws are arrays of this face."""
    return Source(numpy.random.RandomState(seed), "RandomState")


def default_rng(seed: Any = None) -> Source:
    """NumPy's newer generator, whose draws are arrays of this face."""
    return Source(numpy.random.default_rng(seed), "Generator")


_shared = Source(numpy.random.mtrand._rand)

__all__ = [
    name for name in numpy.random.__all__
    if name[0].islower() and callable(getattr(numpy.random, name))
]  # fmt: skip
__all__ += ["RandomState", "default_rng"]


def __getattr__(name: str) -> Any:
    """The functions that draw from NumPy's shared generator."""
    if name in __all__:
        value = getattr(_shared, name)
        globals()[name] = value
        return value
    raise AttributeError(
        f"minigrad.numpy.random has no {name!r}; numpy.random's bit generators are used as they "
        f"are, for example default_rng(numpy.random.Philox(0))"
    )
