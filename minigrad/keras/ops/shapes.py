"""keras.ops that arrange numbers: shapes, joining, splitting, picking, padding, repeating."""

from __future__ import annotations

import builtins
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.ops.translate import operation, tensor
from minigrad.keras.symbolic import KerasTensor

__all__ = [
    "broadcast_to", "concatenate", "diag", "diagonal", "expand_dims", "flip", "hstack", "meshgrid",
    "moveaxis", "ndim", "pad", "ravel", "repeat", "reshape", "roll", "shape", "size", "slice",
    "split", "squeeze", "stack", "swapaxes", "take", "take_along_axis", "tile", "trace",
    "transpose", "tril", "triu", "unstack", "vstack",
]  # fmt: skip

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def shape(x: Any) -> tuple[int | None, ...]:
    """The lengths of x as a tuple; None where a KerasTensor does not know one."""
    return tuple(x.shape) if isinstance(x, KerasTensor) else tuple(tensor(x).shape)


def ndim(x: Any) -> int:
    """How many dimensions x has."""
    return len(shape(x))


def size(x: Any) -> int:
    """How many numbers x has."""
    count: int = tensor(x).numel()
    return count


@operation
def reshape(x: Any, newshape: Any) -> Any:
    """x with other lengths, of which one may be -1."""
    lengths = newshape if isinstance(newshape, (list, tuple)) else (newshape,)
    return tensor(x).reshape(tuple(-1 if length is None else int(length) for length in lengths))


@operation
def ravel(x: Any) -> Any:
    """All numbers in one dimension."""
    return tensor(x).reshape(-1)


@operation
def transpose(x: Any, axes: Any = None) -> Any:
    """x with its axes in another order, turned around unless told."""
    x = tensor(x)
    return x.permute(*(reversed(range(x.ndim)) if axes is None else axes))


@operation
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """x with two axes exchanged."""
    return tensor(x).transpose(axis1, axis2)


@operation
def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """x with axes moved to other places."""
    return minigrad.movedim(tensor(x), source, destination)


@operation
def expand_dims(x: Any, axis: Any) -> Any:
    """x with an axis of length 1 more."""
    x = tensor(x)
    places = axis if isinstance(axis, (list, tuple)) else (axis,)
    final = x.ndim + len(places)
    for place in sorted(place % final for place in places):
        x = x.unsqueeze(place)
    return x


@operation
def squeeze(x: Any, axis: Any = None) -> Any:
    """x without an axis of length 1, or without all of them. Raises ArgumentError for others."""
    x = tensor(x)
    if axis is None:
        return x.squeeze()
    places = tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)
    for place in places:
        if x.shape[place] != 1:
            raise ArgumentError(
                f"squeeze(): axis {place} of the shape {tuple(x.shape)} has the length "
                f"{x.shape[place]}; only an axis of length 1 can be left out"
            )
    return x.squeeze(places)


@operation
def concatenate(xs: Any, axis: int = 0) -> Any:
    """The tensors one behind the other along an axis."""
    return minigrad.cat([tensor(x) for x in xs], axis)


@operation
def stack(x: Any, axis: int = 0) -> Any:
    """The tensors along a new axis."""
    return minigrad.stack([tensor(one) for one in x], axis)


@operation
def unstack(x: Any, num: int | None = None, axis: int = 0) -> Any:
    """The parts of x along an axis, as a list."""
    return list(tensor(x).unbind(axis))


@operation
def hstack(xs: Any) -> Any:
    """The tensors one behind the other along the second axis, the first for one dimension."""
    return minigrad.hstack([tensor(x) for x in xs])


@operation
def vstack(xs: Any) -> Any:
    """The tensors one below the other."""
    return minigrad.vstack([tensor(x) for x in xs])


@operation
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """x in so many equal parts, or cut at the places given, as a list."""
    x = tensor(x)
    length = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if length % indices_or_sections:
            raise ArgumentError(
                f"split(): axis {axis} has the length {length}, which {indices_or_sections} equal "
                "parts do not make; give a list of the places to cut at"
            )
        return list(minigrad.split(x, length // indices_or_sections, axis))
    return list(minigrad.tensor_split(x, [int(place) for place in indices_or_sections], axis))


@operation
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """The entries of x at the indices along an axis, of the flattened x for None."""
    x = tensor(x)
    indices = tensor(indices).to("int64")
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis %= x.ndim
    lengths = (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])
    indices = minigrad.where(indices < 0, indices + x.shape[axis], indices)
    return minigrad.index_select(x, axis, indices.reshape(-1)).reshape(lengths)


@operation
def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """For each place of `indices` the entry of x there along the axis."""
    return minigrad.take_along_dim(tensor(x), tensor(indices).to("int64"), axis)


@operation
def slice(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """The block of this shape that starts at these indices."""
    bounds = zip(start_indices, shape, strict=True)
    cut = tuple(builtins.slice(int(start), int(start) + int(length)) for start, length in bounds)
    return tensor(inputs)[cut]


@operation
def broadcast_to(x: Any, shape: Any) -> Any:
    """x repeated along axes of length 1 until it has the shape."""
    return tensor(x).broadcast_to(tuple(shape))


@operation
def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Each entry so many times along an axis, of the flattened x for None."""
    repeats = repeats if isinstance(repeats, int) else tensor(repeats).to("int64")
    return minigrad.repeat_interleave(tensor(x), repeats, axis)


@operation
def tile(x: Any, repeats: Any) -> Any:
    """x as a whole so many times along each axis."""
    return minigrad.tile(tensor(x), repeats if isinstance(repeats, (list, tuple)) else (repeats,))


@operation
def flip(x: Any, axis: Any = None) -> Any:
    """x backwards along the axes, all for None."""
    x = tensor(x)
    if axis is None:
        axis = tuple(range(x.ndim))
    return minigrad.flip(x, axis if isinstance(axis, (list, tuple)) else (axis,))


@operation
def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """x moved along the axes; what falls off one end comes in at the other."""
    return minigrad.roll(tensor(x), shift, axis)


@operation
def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Any:
    """x with so many entries before and after it on each axis."""
    x = tensor(x)
    if mode not in _MODES:
        raise ArgumentError(f"pad(): mode must be one of {', '.join(_MODES)}, got {mode!r}")
    if isinstance(pad_width, int):
        pad_width = [(pad_width, pad_width)] * x.ndim
    elif len(pad_width) == 2 and isinstance(pad_width[0], int):
        pad_width = [tuple(pad_width)] * x.ndim
    elif len(pad_width) == 1:
        pad_width = list(pad_width) * x.ndim
    widths = [int(width) for pair in reversed(list(pad_width)) for width in pair]
    if mode == "constant":
        return minigrad.nn.functional.pad(x, widths, "constant", constant_values or 0)
    while len(widths) > 2 and not any(widths[-2:]):
        del widths[-2:]
    return minigrad.nn.functional.pad(x, widths, _MODES[mode])


@operation
def tril(x: Any, k: int = 0) -> Any:
    """The lower triangle of matrices, with zeros above the k-th diagonal."""
    return minigrad.tril(tensor(x), k)


@operation
def triu(x: Any, k: int = 0) -> Any:
    """The upper triangle of matrices, with zeros below the k-th diagonal."""
    return minigrad.triu(tensor(x), k)


@operation
def diag(x: Any, k: int = 0) -> Any:
    """The diagonal of a matrix, or the matrix with this diagonal."""
    return minigrad.diag(tensor(x), k)


@operation
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of the matrices along two axes."""
    return minigrad.diagonal(tensor(x), offset, axis1, axis2)


@operation
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonals of the matrices along two axes."""
    return minigrad.sum(minigrad.diagonal(tensor(x), offset, axis1, axis2), -1)


@operation
def meshgrid(*x: Any, indexing: str = "xy") -> Any:
    """The coordinates of a grid, one tensor for each axis, in a list."""
    return list(minigrad.meshgrid(*[tensor(one) for one in x], indexing=indexing))
