"""Shapes changed, axes moved, arrays joined and split, with NumPy's arguments."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from operator import index as as_integer
from typing import Any

import numpy

from minigrad.numpy.base import axes_of, axis_of, lift, shape_of
from minigrad.ops import expand, rearrange
from minigrad.ops import shape as shapes
from minigrad.ops.promotion import convert

__all__ = [
    "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_arrays", "broadcast_shapes",
    "broadcast_to", "expand_dims",
    "flip", "fliplr", "flipud", "matrix_transpose", "moveaxis", "permute_dims", "ravel", "reshape",
    "resize", "roll", "rollaxis", "rot90", "squeeze", "swapaxes", "transpose",
]  # fmt: skip


def reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: bool | None = None) -> Any:
    """The same elements in another shape, one size of which may be -1: a view if possible."""
    a = lift(a)
    if order == "F":
        turned = tuple(reversed(_whole(a, shape_of(shape))))
        return transpose(reshape(transpose(a), turned, copy=copy))
    if order not in ("C", "A", None):
        raise ValueError(f"reshape(): order={order!r} is not available; write 'C' or 'F'")
    size = _whole(a, shape_of(shape))
    if copy is False:
        return shapes.view(a, size)
    result = shapes.reshape(a, size)
    return shapes.clone(result) if copy else result


def _whole(a: Any, size: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without -1."""
    if -1 not in size:
        return size
    known = -int(numpy.prod(size))
    if size.count(-1) > 1 or not known or a._array.size % known:
        raise ValueError(f"cannot reshape array of size {a._array.size} into shape {size}")
    return tuple(a._array.size // known if n == -1 else n for n in size)


def ravel(a: Any, order: Any = "C") -> Any:
    """All elements in one dimension; a view if possible."""
    return reshape(a, -1, "F" if order == "F" else "C")


def transpose(a: Any, axes: Any = None) -> Any:
    """The axes in another order, reversed if none is given; a view."""
    a = lift(a)
    if axes is None:
        return shapes.reverse_dims(a)
    found = axes_of(tuple(axes) if not isinstance(axes, int) else axes, a.ndim)
    if len(found) != a.ndim:
        raise ValueError("axes don't match array")
    return shapes.permute(a, found)


def permute_dims(a: Any, /, axes: Any = None) -> Any:
    """The axes in another order; a view."""
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """The last two axes exchanged; a view."""
    return shapes.matrix_transpose(lift(x), "matrix_transpose()")


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Two axes exchanged; a view."""
    a = lift(a)
    return shapes.swapaxes(a, axis_of(axis1, a.ndim), axis_of(axis2, a.ndim))


def moveaxis(a: Any, /, source: Any, destination: Any) -> Any:
    """Axes moved to other places, the rest in order; a view."""
    a = lift(a)
    return shapes.movedim(a, axes_of(source, a.ndim), axes_of(destination, a.ndim))


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """An axis moved to stand before another; a view."""
    a = lift(a)
    axis = axis_of(axis, a.ndim)
    start = start + a.ndim if start < 0 else start
    return moveaxis(a, axis, start - 1 if axis < start else start)


def expand_dims(a: Any, /, axis: Any = 0) -> Any:
    """The array with axes of size 1 put in; a view."""
    a = lift(a)
    count = a.ndim + (len(axis) if isinstance(axis, (tuple, list)) else 1)
    places = axes_of(axis, count)
    sizes = iter(a._array.shape)
    return shapes.reshape(a, [1 if n in places else next(sizes) for n in range(count)])


def squeeze(a: Any, /, axis: Any = None) -> Any:
    """The array without its axes of size 1, or without those named; a view."""
    a = lift(a)
    if axis is None:
        return shapes.squeeze(a)
    axes = axes_of(axis, a.ndim)
    if builtins.any(a._array.shape[n] != 1 for n in axes):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    return shapes.reshape(a, [size for n, size in enumerate(a._array.shape) if n not in axes])


def broadcast_to(array: Any, /, shape: Any, subok: bool = False) -> Any:
    """The array seen at a larger shape; a view."""
    return expand.broadcast_to(lift(array), shape_of(shape))


def broadcast_shapes(*args: Any) -> tuple[int, ...]:
    """The shape that shapes have when they are broadcast."""
    return numpy.broadcast_shapes(*map(shape_of, args))


def broadcast_arrays(*args: Any, subok: bool = False) -> list[Any]:
    """The arrays seen at their common shape."""
    arrays = [lift(a) for a in args]
    size = numpy.broadcast_shapes(*(a._array.shape for a in arrays))
    return [expand.broadcast_to(a, size) for a in arrays]


def atleast_1d(*arys: Any) -> Any:
    """Arrays of at least one dimension."""
    found = tuple(shapes.atleast_1d(lift(a)) for a in arys)
    return found[0] if len(found) == 1 else found


def atleast_2d(*arys: Any) -> Any:
    """Arrays of at least two dimensions."""
    found = tuple(shapes.atleast_2d(lift(a)) for a in arys)
    return found[0] if len(found) == 1 else found


def atleast_3d(*arys: Any) -> Any:
    """Arrays of at least three dimensions."""
    found = tuple(shapes.atleast_3d(lift(a)) for a in arys)
    return found[0] if len(found) == 1 else found


def flip(m: Any, /, axis: Any = None) -> Any:
    """The elements in reverse order along axes, all of them by default."""
    m = lift(m)
    axes = axes_of(axis, m.ndim)
    return rearrange.flip(m, axes) if axes else m


def fliplr(m: Any) -> Any:
    """The columns in reverse order."""
    return rearrange.fliplr(lift(m))


def flipud(m: Any) -> Any:
    """The rows in reverse order."""
    return rearrange.flipud(lift(m))


def rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    """The array turned by quarter turns, from the first of two axes towards the second."""
    return rearrange.rot90(lift(m), k, tuple(axes))


def roll(a: Any, /, shift: Any, axis: Any = None) -> Any:
    """The elements moved along axes, those beyond the end coming in at the start."""
    a = lift(a)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    shifts = tuple(as_integer(n) for n in shifts)
    if axis is None:
        flat = rearrange.roll(shapes.reshape(a, (-1,)), builtins.sum(shifts), 0)
        return shapes.reshape(flat, a._array.shape)
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(axis_of(one, a.ndim) for one in given)
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    count = builtins.max(len(shifts), len(axes))
    shifts, axes = (pair * count if len(pair) == 1 else pair for pair in (shifts, axes))
    for one, place in zip(shifts, axes):
        a = rearrange.roll(a, one, place) if a._array.size else a
    return a


def resize(a: Any, new_shape: Any) -> Any:
    """The elements in another shape, repeated from the start where they do not suffice."""
    a, size = ravel(a), shape_of(new_shape)
    count = int(numpy.prod(size))
    if not a._array.size:
        return convert(lift(numpy.zeros(size)), a.dtype)
    return shapes.reshape(a[numpy.arange(count) % a._array.size], size)
