"""Copies of a tensor in which a region, named as a view names it, is replaced."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.ops import index as indexing
from minigrad.ops.diagonal import plane
from minigrad.ops.dims import shape_of, wrap_dim
from minigrad.ops.gather import check_positions, index_array
from minigrad.ops.index import same_dtype, select
from minigrad.ops.shape import flatten, movedim, reshape
from minigrad.ops.strides import checked, elements, memory, steps_of

__all__ = ["as_strided_scatter", "diagonal_scatter", "put", "select_scatter", "slice_scatter"]

_ALL = slice(None)


def _check_part(operation: str, input: Any, src: Any, wanted: tuple[int, ...]) -> None:
    """Raise unless `src` fits the region, and has the input's dtype."""
    if not hasattr(src, "dtype"):
        raise TypeError(f"{operation}(): argument 'src' must be a Tensor, not {type(src).__name__}")
    same_dtype(operation, input, src, "src")
    if shape_of(src) != wanted:
        raise ArgumentError(
            f"{operation}(): argument 'src' has shape {list(src.shape)}; the region that it "
            f"replaces has shape {list(wanted)}"
        )


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of the input with `src` in place of `input.select(dim, index)`.

    Raises ArgumentError where the shapes differ.
    """
    _check_part("select_scatter", input, src, shape_of(select(input, dim, index)))
    dim = wrap_dim("select_scatter", dim, input.ndim)
    return indexing.put(input, src, index=(_ALL,) * dim + (index, Ellipsis))


def slice_scatter(
    input: Any,
    src: Any,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Any:
    """A copy of the input with `src` in place of the slice `start:end:step` of a dimension.

    Raises ArgumentError where the shapes differ, or for a step below one.

    >>> import minigrad
    >>> minigrad.slice_scatter(minigrad.zeros(4), minigrad.ones(2), start=1, end=3)
    tensor([0., 1., 1., 0.])
    """
    if not input.ndim:
        raise ArgumentError("slice_scatter(): argument 'input' is 0-d; it has no dimension")
    dim = wrap_dim("slice_scatter", dim, input.ndim)
    if step < 1:
        raise ArgumentError(f"slice_scatter(): argument 'step' is {step}; it must be above zero")
    shape = shape_of(input)
    part = slice(start, end, step)
    length = len(range(*part.indices(shape[dim])))
    _check_part("slice_scatter", input, src, (*shape[:dim], length, *shape[dim + 1 :]))
    return indexing.put(input, src, index=(_ALL,) * dim + (part,))


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of the input with `src` in place of `input.diagonal(offset, dim1, dim2)`.

    Raises ArgumentError where the shapes differ.
    """
    first, second = plane("diagonal_scatter", input.ndim, dim1, dim2)
    shape = shape_of(input)
    rows, columns = max(-offset, 0), max(offset, 0)
    length = max(min(shape[first] - rows, shape[second] - columns), 0)
    rest = tuple(size for dim, size in enumerate(shape) if dim not in (first, second))
    _check_part("diagonal_scatter", input, src, (*rest, length))
    steps = backend_of(input._array if isinstance(input, Traced) else input).xp.arange(length)
    index: list[Any] = [_ALL] * len(shape)
    index[first], index[second] = steps + rows, steps + columns
    # Positions of dimensions that lie side by side stay there, others come first.
    place = min(first, second) if abs(first - second) == 1 else 0
    return indexing.put(input, movedim(src, -1, place), index=tuple(index))


def as_strided_scatter(
    input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None
) -> Any:
    """A copy of the input with `src` in place of `input.as_strided(size, stride, ...)`.

    Raises ArgumentError where the shapes differ, or where the region reaches past the input.
    """
    wanted, steps, start = checked("as_strided_scatter", input, size, stride, storage_offset)
    _check_part("as_strided_scatter", input, src, wanted)
    array = input._array if isinstance(input, Traced) else input
    xp = backend_of(array).xp
    places = elements(xp, array.shape, steps_of(array), memory(xp, wanted, steps, start))
    if places.size and bool((places < 0).any()):
        raise ArgumentError(
            f"as_strided_scatter(): 'size' {list(wanted)} and 'stride' {list(steps)} reach memory "
            f"outside of the elements of 'input'"
        )
    return reshape(indexing.put(flatten(input), src, index=(places,)), array.shape)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of the input with `source` written, or added, at positions of the flattened input.

    Raises PositionError for positions outside, ArgumentError unless `source` has as many elements
    as `index`, DtypeError where the dtypes differ.
    """
    raw = index_array("put", index)
    if not hasattr(source, "dtype"):
        raise TypeError(f"put(): argument 'source' must be a Tensor, not {type(source).__name__}")
    same_dtype("put", input, source, "source")
    flat = flatten(input)
    size = flat.shape[0]
    check_positions("put", raw, size, 0, -size)
    values = flatten(source)
    if values.shape[0] != raw.size:
        raise ArgumentError(
            f"put(): argument 'source' has {values.shape[0]} elements and 'index' {raw.size}; give "
            f"as many"
        )
    made = indexing.put(flat, values, index=(raw.reshape(-1),), accumulate=accumulate)
    return reshape(made, shape_of(input))
