"""Arrays joined, split, repeated and given borders, with NumPy's arguments."""

from __future__ import annotations

import builtins
import itertools
from operator import index as as_integer
from typing import Any

import numpy

from minigrad.numpy.base import (
    as_type,
    axis_of,
    common,
    delivered,
    lift,
    like_kinds,
    raw,
    shape_of,
)
from minigrad.numpy.manipulation import atleast_1d, atleast_2d, atleast_3d, moveaxis, ravel
from minigrad.ops import expand, gather, join, rearrange
from minigrad.ops import pad as padding
from minigrad.ops import shape as shapes

__all__ = [
    "append", "array_split", "block", "column_stack", "concat", "concatenate", "delete", "dsplit",
    "dstack", "hsplit", "hstack", "insert", "pad", "repeat", "split", "stack", "tile", "trim_zeros",
    "unstack", "vsplit", "vstack",
]  # fmt: skip


def _sequence(arrays: Any) -> list[Any]:
    """The arrays of a sequence, or along the first axis of one array."""
    found = [lift(a) for a in arrays]
    if not found:
        raise ValueError("need at least one array to join")
    return found


def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Arrays joined along an axis; made flat first for `axis=None`."""
    found = _sequence(arrays)
    kind = common(*found) if dtype is None else dtype
    found = [as_type(a, kind) for a in found]
    if axis is None:
        found, axis = [shapes.reshape(a, (-1,)) for a in found], 0
    if builtins.any(a.ndim == 0 for a in found):
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    if len({a.ndim for a in found}) > 1:
        raise ValueError(
            f"concatenate(): all arrays must have as many dimensions, they have "
            f"{[a.ndim for a in found]}"
        )
    return delivered(join.cat(found, axis_of(axis, found[0].ndim)), out, True, "concatenate")


concat = concatenate


def stack(
    arrays: Any, /, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Arrays of one shape joined along a new axis."""
    found = _sequence(arrays)
    kind = common(*found) if dtype is None else dtype
    found = [as_type(a, kind) for a in found]
    result = join.stack(found, axis_of(axis, found[0].ndim + 1))
    return delivered(result, out, True, "stack")


def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Arrays stacked row upon row."""
    return concatenate([atleast_2d(a) for a in tup], 0, dtype=dtype)


def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Arrays joined side by side: along the second axis, vectors along the first."""
    found = [atleast_1d(a) for a in tup]
    return concatenate(found, 0 if found and found[0].ndim == 1 else 1, dtype=dtype)


def dstack(tup: Any) -> Any:
    """Arrays joined along the third axis."""
    return concatenate([atleast_3d(a) for a in tup], 2)


def column_stack(tup: Any) -> Any:
    """Vectors as the columns of a matrix, matrices side by side."""
    found = [lift(a) for a in tup]
    return concatenate([shapes.reshape(a, (-1, 1)) if a.ndim < 2 else a for a in found], 1)


def block(arrays: Any) -> Any:
    """Nested lists of arrays joined: the innermost along the last axis, and so outwards."""
    depth = _depth(arrays)
    count = builtins.max(depth, _most(arrays))
    return _joined(arrays, count, depth)


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _most(arrays: Any) -> int:
    return builtins.max(map(_most, arrays)) if isinstance(arrays, list) else lift(arrays).ndim


def _joined(arrays: Any, count: int, depth: int) -> Any:
    if not isinstance(arrays, list):
        a = lift(arrays)
        return shapes.reshape(a, (1,) * (count - a.ndim) + a._array.shape)
    return concatenate([_joined(part, count, depth - 1) for part in arrays], -depth)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Values joined to the end of an array; both made flat without an axis."""
    return concatenate([arr, values], axis)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """The array in parts along an axis, nearly equal or cut at positions; views."""
    ary = lift(ary)
    axis = axis_of(axis, ary.ndim)
    size = ary._array.shape[axis]
    if isinstance(indices_or_sections, (tuple, list)) or getattr(
        indices_or_sections, "ndim", False
    ):
        cuts = [as_integer(n) for n in indices_or_sections]
    else:
        count = as_integer(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        whole, more = divmod(size, count)
        lengths = [whole + 1] * more + [whole] * (count - more)
        cuts = list(itertools.accumulate(lengths))[:-1]
    before = (slice(None),) * axis
    return [ary[(*before, slice(start, stop))] for start, stop in zip([0, *cuts], [*cuts, None])]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """As `array_split`, but ValueError where the parts would not be equal."""
    ary = lift(ary)
    size = ary._array.shape[axis_of(axis, ary.ndim)]
    sections = isinstance(indices_or_sections, int)
    if sections and indices_or_sections and size % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(ary, indices_or_sections, axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """The array in parts along the second axis, a vector along its only one."""
    ary = lift(ary)
    if ary.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """The array in parts along the first axis."""
    if lift(ary).ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """The array in parts along the third axis."""
    if lift(ary).ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The arrays along an axis, which is dropped; views."""
    x = lift(x)
    if not x.ndim:
        raise ValueError("Input array must be at least 1-d.")
    before = (slice(None),) * axis_of(axis, x.ndim)
    return tuple(x[(*before, n)] for n in range(x._array.shape[axis]))


def tile(A: Any, reps: Any, /) -> Any:
    """The array copied side by side, so many times along each axis."""
    A, counts = lift(A), shape_of(reps)
    return rearrange.repeat(A, *(1,) * (A.ndim - len(counts)), *counts)


def repeat(a: Any, repeats: Any, /, axis: int | None = None) -> Any:
    """Each element, or each slice along an axis, repeated in place."""
    a = lift(a)
    if axis is None:
        a, axis = shapes.reshape(a, (-1,)), 0
    axis = axis_of(axis, a.ndim)
    counts = raw(repeats)
    if counts.ndim == 0 or counts.size == 1:
        return rearrange.repeat_interleave(a, int(counts.reshape(())), axis)
    if counts.size != a._array.shape[axis]:
        raise ValueError(
            f"operands could not be broadcast together with shape ({a._array.shape[axis]},) "
            f"({counts.size},)"
        )
    return gather.index_select(a, axis, numpy.repeat(numpy.arange(counts.size), counts))


def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """The array with a border: of one value, or of its own elements as NumPy's modes say.

    Every mode but "constant" reads the places that NumPy itself would copy from.
    """
    array = lift(array)
    if mode == "constant":
        values = kwargs.pop("constant_values", 0)
        widths = numpy.broadcast_to(numpy.asarray(pad_width), (array.ndim, 2)).tolist()
        if numpy.ndim(values) == 0 and not kwargs:
            flat = [int(n) for pair in reversed(widths) for n in pair]
            return padding.pad(array, flat, "constant", raw(values).item())
        kwargs["constant_values"] = values
        border = lift(
            numpy.pad(numpy.zeros(array._array.shape, array.dtype), pad_width, mode, **kwargs)
        )
        zeros = [int(n) for pair in reversed(widths) for n in pair]
        return border + padding.pad(array, zeros, "constant", 0)
    if mode not in ("edge", "reflect", "wrap", "symmetric"):
        raise ValueError(
            f"pad(): mode {mode!r} is not available; known are 'constant', 'edge', 'reflect', "
            f"'symmetric' and 'wrap'"
        )
    places = numpy.arange(array._array.size).reshape(array._array.shape)
    return ravel(array)[numpy.pad(places, pad_width, mode, **kwargs)]


def trim_zeros(filt: Any, trim: str = "fb") -> Any:
    """A vector without the zeros at its front and back."""
    filt = lift(filt)
    found = numpy.nonzero(raw(filt))[0]
    start = found[0] if "f" in trim.lower() and found.size else 0
    stop = found[-1] + 1 if "b" in trim.lower() and found.size else filt._array.shape[0]
    return filt[int(start) : int(stop)] if found.size else filt[:0]


def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """The array without some of the slices along an axis."""
    arr = lift(arr)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = axis_of(axis, arr.ndim)
    kept = numpy.delete(
        numpy.arange(arr._array.shape[axis]), raw(obj) if not isinstance(obj, slice) else obj
    )
    return gather.index_select(arr, axis, kept)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """The array with values put in before positions along an axis."""
    arr, values = like_kinds(arr, values)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis = axis_of(axis, arr.ndim)
    size = arr._array.shape[axis]
    marks = numpy.insert(numpy.zeros(size, bool), obj if isinstance(obj, slice) else raw(obj), True)
    shape = tuple(len(marks) - size if n == axis else m for n, m in enumerate(arr._array.shape))
    values = moveaxis(values, 0, axis) if raw(obj).ndim == 0 and values.ndim == arr.ndim else values
    new = expand.broadcast_to(values, shape)
    places = numpy.where(marks, size + numpy.cumsum(marks) - 1, numpy.cumsum(~marks) - 1)
    return gather.index_select(join.cat((arr, new), axis), axis, places)
