"""Tensors seen at larger shapes, dimensions of size 1 repeated without a copy."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.ops import reduce
from minigrad.ops.dims import shape_of, sizes
from minigrad.ops.promotion import convert
from minigrad.ops.shape import reshape, transpose, unpacked

__all__ = ["broadcast_shapes", "broadcast_tensors", "broadcast_to", "meshgrid"]


def expand(input: Any, size: Any) -> Any:
    """The tensor seen at a larger shape, dimensions of size 1 repeated without a copy.

    -1 keeps a size. Raises ArgumentError where a dimension has another size than 1.
    """
    shape = shape_of(input)
    if size.__class__ is tuple and size != shape and not any(n < 0 for n in size):
        try:
            return reduce.broadcast_to(input, size=size)
        except ArgumentError:
            raise _cannot_expand(shape, size) from None
    lead = len(size) - len(shape)
    wanted = tuple(
        shape[place - lead] if length == -1 and place >= lead else length
        for place, length in enumerate(size)
    )
    for place, length in enumerate(wanted):
        present = shape[place - lead] if place >= lead else 1
        if length < 0 or (length != present and present != 1):
            raise _cannot_expand(shape, size)
    if lead < 0:
        raise _cannot_expand(shape, size)
    if wanted == shape:
        return reshape(input, wanted)
    return reduce.broadcast_to(input, size=wanted)


def _cannot_expand(shape: tuple[int, ...], size: Any) -> ArgumentError:
    return ArgumentError(
        f"expand(): a tensor of shape {list(shape)} cannot be expanded to 'size' {list(size)}: "
        f"sizes are matched from the last, and only a size of 1 can grow"
    )


def sum_to_size(input: Any, *size: Any) -> Any:
    """The sum down to a size that broadcasts to the input's: what undoes `expand`.

    Integers add up in int64. Raises ArgumentError for a size that does not.
    """
    wanted = sizes("sum_to_size", size)
    shape = tuple(input.shape)
    fits = all(n in (1, m) for n, m in zip(wanted[::-1], shape[::-1]))
    if len(wanted) > len(shape) or not fits:
        raise ArgumentError(
            f"sum_to_size(): argument 'size' is {list(wanted)}, which does not broadcast to the "
            f"input's shape {list(shape)}"
        )
    if (wanted != shape or not wanted) and input.dtype.kind in "biu":
        input = convert(input, dtypes.int64)
    return reduce.sum_to(input, size=wanted)


def broadcast_to(input: Any, size: Any) -> Any:
    """The tensor seen at a larger shape; `expand` under another name."""
    return expand(input, size)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes have together.

    Raises ArgumentError where two sizes differ and neither is 1.

    >>> broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    given = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    count = max((len(shape) for shape in given), default=0)
    result = [1] * count
    for shape in given:
        for place, length in enumerate(shape, count - len(shape)):
            if length < 0 or (length != result[place] and 1 not in (length, result[place])):
                raise ArgumentError(
                    f"broadcast_shapes(): the shapes {[list(s) for s in given]} do not broadcast: "
                    f"dimension {place} has sizes {result[place]} and {length}"
                )
            result[place] = length if result[place] == 1 else result[place]
    return tuple(result)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors, each seen at the shape that they have together; views."""
    tensors = unpacked(tensors)
    shape = broadcast_shapes(*(tensor.shape for tensor in tensors))
    return tuple(expand(tensor, shape) for tensor in tensors)


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Any, ...]:
    """The coordinates of a grid: one tensor per axis, all of the grid's shape; views.

    `indexing` is "ij" (matrix order, torch's and here the default) or "xy" (the first two axes
    exchanged, NumPy's default). Each tensor is 1-d or 0-d.
    """
    given = unpacked(tensors)
    if indexing not in (None, "ij", "xy"):
        raise ArgumentError(f"meshgrid(): argument 'indexing' is {indexing!r}, not 'ij' or 'xy'")
    for place, tensor in enumerate(given):
        if tensor.ndim > 1:
            raise ArgumentError(
                f"meshgrid(): argument 'tensors' holds a tensor of shape {list(tensor.shape)} at "
                f"{place}; give tensors of at most one dimension"
            )
    if not given or any(tensor.dtype != given[0].dtype for tensor in given):
        found = [tensor.dtype.name for tensor in given]
        raise ArgumentError(
            f"meshgrid(): argument 'tensors' must hold tensors of one dtype, at least one, got "
            f"{found}"
        )
    lengths = tuple(tensor.shape[0] if tensor.ndim else 1 for tensor in given)
    count = len(lengths)
    grids = [
        expand(reshape(tensor, (length,) + (1,) * (count - place - 1)), lengths)
        for place, (tensor, length) in enumerate(zip(given, lengths))
    ]
    if indexing == "xy" and count > 1:
        grids = [transpose(grid, 0, 1) for grid in grids]
    return tuple(grids)
