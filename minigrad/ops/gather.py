"""Elements picked by index tensors along dimensions."""

from __future__ import annotations

from operator import le
from typing import Any

from minigrad import dtypes
from minigrad.backend import backend_of
from minigrad.errors import ArgumentError, DtypeError, PositionError
from minigrad.graph import Traced
from minigrad.ops.dims import shape_of, wrap_dim
from minigrad.ops.expand import broadcast_shapes, expand
from minigrad.ops.index import getitem, same_dtype
from minigrad.ops.promotion import convert, number
from minigrad.ops.shape import flatten, reshape

__all__ = ["gather", "index_select", "take", "take_along_dim"]

_ALL = slice(None)


def raw_of(value: Any) -> Any:
    return value._array if isinstance(value, Traced) else value


def index_array(operation: str, index: Any, name: str = "index") -> Any:
    """An index argument as a raw integer array; DtypeError for any other dtype."""
    raw = raw_of(index)
    if not hasattr(raw, "dtype"):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(index).__name__}"
        )
    if raw.dtype is not dtypes.int64 and raw.dtype != dtypes.int32:
        if not raw.size:
            return raw.astype("int64")
        raise DtypeError(
            f"{operation}(): argument '{name}' has dtype {raw.dtype}; positions must be int64 or "
            f"int32, for example {name}.long()"
        )
    return raw


def check_positions(
    operation: str, index: Any, size: int, dim: int, low: int = 0, name: str = "index"
) -> None:
    """Raise PositionError for positions outside [low, size)."""
    if not index.size:
        return
    smallest, largest = int(index.min()), int(index.max())
    if smallest < low or largest >= size:
        found = smallest if smallest < low else largest
        raise PositionError(
            f"{operation}(): argument '{name}' holds {found}, which is out of bounds for dimension "
            f"{dim} with size {size}"
        )


def check_inside(operation: str, index: Any, other: Any, name: str, dim: int | None = None) -> None:
    """Raise ArgumentError unless an index reaches no further than another tensor, but along dim."""
    lengths, limits = list(index.shape), list(shape_of(other))
    if len(lengths) == len(limits) or (len(lengths) <= 1 and len(limits) <= 1):
        if dim is not None and limits and lengths:
            lengths[dim] = 0
        if all(map(le, lengths, limits)):
            return
    besides = "" if dim is None else f" (dimension {dim} aside)"
    raise ArgumentError(
        f"{operation}(): argument 'index' has shape {list(index.shape)} and argument '{name}' "
        f"{list(other.shape)}; they must have as many dimensions, and no size of 'index' may be "
        f"larger{besides}"
    )


def _grid(index: Any, dim: int) -> tuple[Any, ...]:
    """The index of the elements that `gather` picks: `index` along `dim`, elsewhere its place."""
    xp = backend_of(index).xp
    grid = []
    for place, length in enumerate(index.shape):
        if place == dim:
            grid.append(index)
        else:
            behind = (1,) * (index.ndim - place - 1)
            grid.append(xp.arange(length).reshape(length, *behind))
    return tuple(grid)


def along(
    operation: str, input: Any, dim: int, index: Any, wraps: bool = False
) -> tuple[Any, int, Any, tuple[Any, ...]]:
    """The input, dim and index of a gather or scatter, checked, and the grid to index with."""
    dim = wrap_dim(operation, dim, input.ndim)
    raw = index_array(operation, index)
    if raw.size or (raw.ndim == input.ndim and raw.ndim):
        check_inside(operation, raw, input, "input", dim)
    else:
        raw = raw.reshape((0,) * max(input.ndim, 1))
    if not raw.ndim:
        raw = raw.reshape(1)
    size = input.shape[dim] if input.ndim else 1
    check_positions(operation, raw, size, dim, -size if wraps else 0)
    if not input.ndim:
        input = reshape(input, (1,))
    return input, dim, raw, _grid(raw, dim)


def scatter_parts(operation: str, input: Any, dim: int, index: Any, source: Any) -> Any:
    """The target, the source cut to the index, and the grid of a scatter."""
    target, dim, raw, grid = along(operation, input, dim, index)
    if getattr(source, "ndim", 0) or hasattr(source, "_array"):
        same_dtype(operation, input, source, "src")
        if not source.ndim:
            source = reshape(source, (1,))
        if raw.size:
            check_inside(operation, raw, source, "src")
        if tuple(source.shape) != raw.shape:
            source = getitem(source, index=tuple(slice(length) for length in raw.shape))
    return target, source, grid


def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """The elements at `index` along a dimension, elsewhere at their own place.

    out[i][j] = input[index[i][j]][j] for dim 0. Raises PositionError for positions outside, and
    ArgumentError where `index` reaches further than `input` in another dimension.
    """
    return _gathered("gather", input, dim, index, False)


def _gathered(operation: str, input: Any, dim: int, index: Any, wraps: bool) -> Any:
    """`gather`; with `wraps` negative positions count from the end."""
    shape = index.shape
    source, _, _, grid = along(operation, input, dim, index, wraps)
    result = getitem(source, index=grid)
    return result if result.shape == shape else reshape(result, shape)


def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """The elements at `indices` along a dimension; other dimensions are broadcast.

    Without `dim` both are flattened. What `argsort` and `argmax` give can be used here.
    """
    if dim is None:
        input, indices, dim = flatten(input), flatten(indices), 0
    if input.ndim != indices.ndim:
        raise ArgumentError(
            f"take_along_dim(): arguments 'input' and 'indices' must have as many dimensions, they "
            f"have shapes {list(input.shape)} and {list(indices.shape)}"
        )
    index_array("take_along_dim", indices, "indices")
    dim = wrap_dim("take_along_dim", dim, input.ndim)
    if not input.ndim:
        return _gathered("take_along_dim", input, dim, indices, True)
    rest = broadcast_shapes(
        (*input.shape[:dim], 1, *input.shape[dim + 1 :]),
        (*indices.shape[:dim], 1, *indices.shape[dim + 1 :]),
    )
    wide = (*rest[:dim], input.shape[dim], *rest[dim + 1 :])
    picked = (*rest[:dim], indices.shape[dim], *rest[dim + 1 :])
    return _gathered("take_along_dim", expand(input, wide), dim, expand(indices, picked), True)


def take(input: Any, index: Any) -> Any:
    """The elements at positions of the flattened input, in the index's shape."""
    raw = index_array("take", index)
    flat = flatten(input)
    size = flat.shape[0]
    check_positions("take", raw, size, 0, -size)
    return reshape(getitem(flat, index=(reshape(raw, (-1,)),)), index.shape)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices at the positions of a 1-d index along a dimension, a copy."""
    dim, raw = slices("index_select", input, dim, index)
    if not input.ndim:
        return reshape(getitem(reshape(input, (1,)), index=(raw,)), ())
    return getitem(input, index=(_ALL,) * dim + (raw,))


def slices(operation: str, input: Any, dim: int, index: Any) -> tuple[int, Any]:
    """The dimension and the raw positions of slices, checked."""
    dim = wrap_dim(operation, dim, input.ndim)
    raw = index_array(operation, index)
    if raw.ndim > 1 or (not input.ndim and raw.size != 1):
        raise IndexError(
            f"{operation}(): argument 'index' must be a vector of positions"
            f"{'' if input.ndim else ', one for a 0-d input'}, it has shape {list(raw.shape)}"
        )
    check_positions(operation, raw, input.shape[dim] if input.ndim else 1, dim)
    return dim, reshape(raw, (-1,))


def number_for(operation: str, input: Any, value: Any) -> Any:
    """A number, or 0-d tensor, as the input's dtype takes it."""
    if getattr(value, "ndim", 0):
        raise ArgumentError(
            f"{operation}(): argument 'value' must be a number or a 0-d tensor, it has shape "
            f"{list(value.shape)}"
        )
    kind = "c" if isinstance(value, complex) else getattr(getattr(value, "dtype", None), "kind", "")
    if kind == "c" and input.dtype.kind != "c":
        raise DtypeError(
            f"{operation}(): argument 'value' is complex and 'input' has dtype {input.dtype}"
        )
    if hasattr(value, "dtype"):
        return convert(value, input.dtype)
    return number(value, input.dtype, raw_of(input))
