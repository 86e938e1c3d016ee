"""NumPy's shorthands that are written with an index, and functions applied along axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from minigrad.numpy.base import axes_of, axis_of, lift, made, raw
from minigrad.numpy.joining import concatenate, stack
from minigrad.numpy.manipulation import expand_dims, moveaxis

__all__ = [
    "apply_along_axis", "apply_over_axes", "c_", "diag_indices", "diag_indices_from", "index_exp",
    "ix_", "mask_indices", "mgrid", "ogrid", "r_", "ravel_multi_index", "s_", "tril_indices",
    "tril_indices_from", "triu_indices", "triu_indices_from", "unravel_index",
]  # fmt: skip

index_exp, s_ = numpy.index_exp, numpy.s_


class _Grid:
    """`mgrid` and `ogrid`: coordinates by slices, such as `mgrid[0:3, 0:1:5j]`."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __getitem__(self, key: Any) -> Any:
        found = self._source[key]
        return made(found) if isinstance(found, numpy.ndarray) else tuple(map(made, found))


mgrid = _Grid(numpy.mgrid)
ogrid = _Grid(numpy.ogrid)


class _Joined:
    """`r_` and `c_`: arrays, numbers and ranges joined, such as `r_[x, 0, 1:5]`."""

    def __init__(self, columns: bool) -> None:
        self._columns = columns

    def __getitem__(self, key: Any) -> Any:
        parts = [self._part(item) for item in (key if isinstance(key, tuple) else (key,))]
        if self._columns:
            parts = [part[:, None] if part.ndim < 2 else part for part in parts]
        return concatenate(parts, -1)

    def _part(self, item: Any) -> Any:
        if isinstance(item, str):
            raise TypeError("r_ and c_ take no directives here; write concatenate(arrays, axis)")
        if isinstance(item, slice):
            return made(numpy.r_[item])
        part = lift(item)
        return part if part.ndim else part[None]


r_ = _Joined(False)
c_ = _Joined(True)


def ix_(*args: Any) -> tuple[Any, ...]:
    """Vectors of positions as an index that takes every combination."""
    return tuple(map(made, numpy.ix_(*map(raw, args))))


def _positions(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        plain = [raw(a) if hasattr(a, "dtype") else a for a in args]
        found = function(*plain, **kwargs)
        return tuple(map(made, found)) if isinstance(found, tuple) else made(numpy.asarray(found))

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`numpy.{name}`: positions, which carry no gradient."
    return call


tril_indices = _positions(numpy.tril_indices, "tril_indices")
triu_indices = _positions(numpy.triu_indices, "triu_indices")
diag_indices = _positions(numpy.diag_indices, "diag_indices")
mask_indices = _positions(numpy.mask_indices, "mask_indices")
unravel_index = _positions(numpy.unravel_index, "unravel_index")


def tril_indices_from(arr: Any, k: int = 0) -> Any:
    """The positions on and below a diagonal of a matrix."""
    return tril_indices(arr.shape[-2], k, arr.shape[-1])


def triu_indices_from(arr: Any, k: int = 0) -> Any:
    """The positions on and above a diagonal of a matrix."""
    return triu_indices(arr.shape[-2], k, arr.shape[-1])


def diag_indices_from(arr: Any) -> Any:
    """The positions of the main diagonal of an array."""
    return tuple(map(made, numpy.diag_indices_from(raw(arr))))


def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: Any = "C") -> Any:
    """The position in the array made flat of positions along each axis."""
    found = numpy.ravel_multi_index(tuple(raw(part) for part in multi_index), dims, mode, order)
    return made(numpy.asarray(found))


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kw: Any) -> Any:
    """What a function makes of each vector along an axis."""
    arr = lift(arr)
    axis = axis_of(axis, arr.ndim)
    rows = moveaxis(arr, axis, -1)
    lead = rows._array.shape[:-1]
    found = [lift(func1d(rows[place], *args, **kw)) for place in numpy.ndindex(*lead)]
    if not found:
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    result = stack(found).reshape((*lead, *found[0]._array.shape))
    count = found[0].ndim
    behind = tuple(range(result.ndim - count, result.ndim))
    return moveaxis(result, behind, tuple(range(axis, axis + count)))


def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A reduction over one axis after another, the axes kept at size 1."""
    a = lift(a)
    count = a.ndim
    for axis in axes_of(tuple(axes) if not isinstance(axes, int) else axes, count):
        result = func(a, axis)
        a = result if result.ndim == count else expand_dims(result, axis)
    return a
