"""Reading, writing and choosing elements at positions, with NumPy's rules for indices."""

from __future__ import annotations

from operator import index as as_integer
from typing import Any

import numpy

from minigrad.backend import backend_of, is_array
from minigrad.graph import Traced
from minigrad.inplace import assign
from minigrad.numpy.base import as_type, axis_of, delivered, lift, like_kinds, made, raw
from minigrad.numpy.manipulation import broadcast_to, ravel, reshape
from minigrad.ops import gather
from minigrad.ops.extremes import take_along
from minigrad.ops.index import getitem
from minigrad.ops.select import where as chosen

__all__ = [
    "argwhere", "choose", "compress", "copyto", "extract", "fill_diagonal", "flatnonzero",
    "nonzero", "piecewise", "place", "put", "put_along_axis", "putmask", "select", "take",
    "take_along_axis", "where",
]  # fmt: skip


def normal(array: Any, index: Any) -> tuple[Any, ...]:
    """An index as a tuple of raw things: a view's where it holds no arrays, ended by Ellipsis."""
    items = tuple(map(_item, index if isinstance(index, tuple) else (index,)))
    if any(is_array(item) for item in items):
        backend = backend_of(array)
        if backend.name == "cpu":
            return items
        place = backend.device_of(array)
        return tuple(
            backend.from_numpy(i, place) if isinstance(i, numpy.ndarray) else i for i in items
        )
    return items if any(item is Ellipsis for item in items) else (*items, Ellipsis)


def _item(item: Any) -> Any:
    kind = item.__class__
    if kind is int or kind is slice or item is None or item is Ellipsis:
        return item
    if isinstance(item, Traced):
        item = item._array
    elif isinstance(item, (list, tuple)):
        item = raw(lift(item)) if item else numpy.zeros(0, numpy.int64)
    elif isinstance(item, (bool, numpy.bool_)):
        return numpy.asarray(item)
    if hasattr(item, "dtype"):
        if item.dtype.kind in "iu" and item.ndim == 0:
            return int(item)
        if item.dtype.kind in "biu":
            return item if is_array(item) else numpy.asarray(item)
    elif hasattr(item, "__index__"):
        return as_integer(item)
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and integer or boolean arrays are "
        f"valid indices, not {getattr(item, 'dtype', type(item).__name__)}"
    )


def read(array: Any, index: Any) -> Any:
    """`array[index]`: a view without index arrays, else a copy."""
    return getitem(array, index=normal(array._array, index))


def write(array: Any, index: Any, value: Any) -> None:
    """`array[index] = value`."""
    if not isinstance(value, Traced) and not isinstance(value, (int, float, complex)):
        value = lift(value)
    assign(array, normal(array._array, index), value, getitem)


def take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Any:
    """The elements, or slices along an axis, at positions; negative ones count from the end."""
    a = lift(a)
    if axis is None:
        a, axis = ravel(a), 0
    axis = axis_of(axis, a.ndim)
    places = raw(lift(indices))
    if places.dtype.kind not in "biu" and places.size:
        raise TypeError(f"take(): argument 'indices' must be integers, they are {places.dtype}")
    size = a._array.shape[axis]
    places = places.astype(numpy.int64)
    if mode == "wrap":
        places = places % size
    elif mode == "clip":
        places = places.clip(0, size - 1)
    return delivered(a[(*(slice(None),) * axis, places)], out, True, "take")


def take_along_axis(arr: Any, indices: Any, /, axis: int | None = -1) -> Any:
    """The elements along an axis at the positions that another array gives for each place."""
    arr = lift(arr)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = axis_of(axis, arr.ndim)
    places = raw(lift(indices))
    if places.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if places.ndim != arr.ndim:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    whole = numpy.ogrid[tuple(slice(size) for size in places.shape)]
    grid: list[Any] = [
        g if arr._array.shape[n] != 1 or n == axis else g * 0 for n, g in enumerate(whole)
    ]
    grid[axis] = places
    return arr[tuple(grid)]


def along(arr: Any, places: Any, axis: int) -> Any:
    """The elements along an axis at raw positions of as many dimensions."""
    return take_along(arr, indices=places, dim=axis)


def where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """The elements of `x` where the condition holds, of `y` elsewhere; or where it does."""
    if x is None or y is None:
        if x is not y:
            raise ValueError("either both or neither of x and y should be given")
        return nonzero(condition)
    mask = as_type(condition, bool)
    x, y = like_kinds(x, y)
    return chosen(mask, x, y)


def nonzero(a: Any) -> tuple[Any, ...]:
    """The positions of the elements that are not zero: an array for each axis."""
    return tuple(map(made, lift(a)._array.nonzero()))


def flatnonzero(a: Any) -> Any:
    """The positions of the elements that are not zero, in the array made flat."""
    return nonzero(ravel(a))[0]


def argwhere(a: Any) -> Any:
    """The positions of the elements that are not zero, one in each row."""
    return made(numpy.argwhere(raw(a)))


def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    """The slices along an axis where a condition holds."""
    return delivered(take(a, numpy.flatnonzero(raw(condition)), axis), out, True, "compress")


def extract(condition: Any, arr: Any) -> Any:
    """The elements where a condition holds."""
    return take(ravel(arr), numpy.flatnonzero(raw(condition)))


def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """For each place the element of the array that a number there chooses."""
    options = like_kinds(*choices)
    places = raw(a)
    shape = numpy.broadcast_shapes(places.shape, *(o._array.shape for o in options))
    if mode == "wrap":
        places = places % len(options)
    elif mode == "clip":
        places = places.clip(0, len(options) - 1)
    elif places.size and (places.min() < 0 or places.max() >= len(options)):
        raise ValueError("invalid entry in choice array")
    result = broadcast_to(options[0], shape)
    for number, option in enumerate(options[1:], 1):
        result = where(places == number, option, result)
    return delivered(result, out, True, "choose")


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """For each place the element of the array whose condition is the first to hold there."""
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        result = where(condition, choice, result)
    return result


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """A function of pieces: each given function, or number, where its condition holds."""
    x = lift(x)
    conditions = [condlist] if not isinstance(condlist, (list, tuple)) else list(condlist)
    if conditions and numpy.ndim(conditions[0]) == 0 and x.ndim:
        conditions = [conditions]
    masks = [numpy.broadcast_to(raw(c).astype(bool), x._array.shape) for c in conditions]
    if len(funclist) == len(masks) + 1:
        masks.append(~numpy.any(masks, axis=0))
    elif len(funclist) != len(masks):
        raise ValueError(
            f"with {len(masks)} condition(s), either {len(masks)} or {len(masks) + 1} functions "
            f"are expected"
        )
    result = x * 0
    for mask, function in zip(masks, funclist):
        places = numpy.flatnonzero(mask)
        if not places.size:
            continue
        part = function(ravel(x)[places], *args, **kw) if callable(function) else function
        flat = ravel(result).copy() if result._node is None else ravel(result)
        back = numpy.full(mask.size, 0)
        back[places] = numpy.arange(places.size)
        spread = lift(part).astype(x.dtype)
        spread = spread[back] if spread.ndim else spread
        result = reshape(where(mask.ravel(), spread, flat), x._array.shape)
    return result


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    """Write values along an axis at the positions that another array gives for each place."""
    if axis is None:
        if not arr._array.flags.c_contiguous:
            raise ValueError("put_along_axis(): axis=None needs an array in C order")
        arr, axis = ravel(arr), 0
    axis = axis_of(axis, arr.ndim)
    places = raw(indices)
    grid = list(numpy.ogrid[tuple(slice(size) for size in places.shape)])
    grid[axis] = places
    arr[tuple(grid)] = values


def put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values at positions of the array made flat."""
    places = raw(ind).astype(numpy.int64).ravel()
    size = a._array.size
    if mode == "wrap":
        places = places % size
    elif mode == "clip":
        places = places.clip(0, size - 1)
    values = ravel(v)
    index = numpy.unravel_index(places % size if size else places, a._array.shape)
    if places.size and (places.min() < -size or places.max() >= size):
        raise IndexError("put(): a position lies outside the array")
    a[index] = values[numpy.arange(places.size) % values._array.size]


def putmask(a: Any, mask: Any, values: Any) -> None:
    """Write values, repeated as needed, where a mask holds."""
    places = numpy.flatnonzero(raw(mask))
    values = ravel(values)
    if places.size:
        a[numpy.unravel_index(places, a._array.shape)] = values[places % values._array.size]


def place(arr: Any, mask: Any, vals: Any) -> None:
    """Write values one after another where a mask holds."""
    places = numpy.flatnonzero(raw(mask))
    vals = ravel(vals)
    if places.size:
        order = numpy.arange(places.size) % vals._array.size
        arr[numpy.unravel_index(places, arr._array.shape)] = vals[order]


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Write an array, broadcast, into another where a mask holds."""
    src = lift(src)
    if where is True:
        dst[...] = src
    else:
        mask = numpy.broadcast_to(raw(where), dst._array.shape)
        dst[mask] = broadcast_to(src, dst._array.shape)[mask]


def fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    """Write values on the diagonal of an array."""
    marks = numpy.zeros(a._array.shape, bool)
    numpy.fill_diagonal(marks, True, wrap)
    putmask(a, marks, 0) if not marks.any() else place(a, marks, val)


def index_select(a: Any, axis: int, places: Any) -> Any:
    """The slices along an axis at raw positions."""
    return gather.index_select(a, axis, places)
