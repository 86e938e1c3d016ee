"""Elements written and added at index tensors along dimensions."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.ops.dims import shape_of, wrap_dim
from minigrad.ops.elementwise import mul
from minigrad.ops.gather import (
    check_positions,
    index_array,
    number_for,
    scatter_parts,
    slices,
)
from minigrad.ops.index import put, same_dtype
from minigrad.ops.promotion import convert
from minigrad.ops.segments import combined
from minigrad.ops.shape import reshape

__all__ = ["index_add", "index_copy", "index_fill", "scatter", "scatter_add"]


def _write_slices(
    operation: str, input: Any, dim: int, index: Any, source: Any, accumulate: bool
) -> Any:
    """Write or add slices at positions along a dimension."""
    dim, raw = slices(operation, input, dim, index)
    same_dtype(operation, input, source, "source")
    wanted = (*input.shape[:dim], raw.size, *input.shape[dim + 1 :]) if input.ndim else ()
    if tuple(source.shape) != wanted and not (raw.size == 1 and not source.ndim and input.ndim < 2):
        raise ArgumentError(
            f"{operation}(): argument 'source' has shape {list(source.shape)}; {raw.size} "
            f"positions along dimension {dim} of shape {list(input.shape)} need {list(wanted)}"
        )
    if not input.ndim:
        flat = put(reshape(input, (1,)), source, index=(raw,), accumulate=accumulate)
        return reshape(flat, ())
    return put(input, source, index=(slice(None),) * dim + (raw,), accumulate=accumulate)


def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """A copy with `alpha` times the slices of `source` added at positions along a dimension."""
    same_dtype("index_add", input, source, "source")
    scaled = source if alpha == 1 else convert(mul(source, alpha), source.dtype)
    return _write_slices("index_add", input, dim, index, scaled, True)


def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy with the slices of `source` written at positions along a dimension."""
    return _write_slices("index_copy", input, dim, index, source, False)


def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """A copy with a number written into the slices at positions along a dimension."""
    dim = wrap_dim("index_fill", dim, input.ndim)
    raw = index_array("index_fill", index)
    size = input.shape[dim] if input.ndim else 1
    check_positions("index_fill", raw, size, dim, -size)
    # Once each, so that the gradient by the value counts every position once.
    raw = backend_of(raw).xp.unique(raw % size) if raw.size else raw.reshape(-1)
    value = number_for("index_fill", input, value)
    if not input.ndim:
        return reshape(put(reshape(input, (1,)), value, index=(raw,)), ())
    return put(input, value, index=(slice(None),) * dim + (raw,))


def scatter(
    input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None
) -> Any:
    """A copy with elements of `src`, or a number, written at `index` along a dimension.

    out[index[i][j]][j] = src[i][j] for dim 0. `reduce` "add" or "multiply" combines them with what
    is there. Raises as `gather` does.
    """
    source = value if src is None else src
    if source is None or (src is not None and value is not None):
        raise TypeError("scatter(): give either 'src' or 'value'")
    if reduce not in (None, "add", "multiply"):
        raise ArgumentError(f"scatter(): argument 'reduce' is {reduce!r}, not 'add' or 'multiply'")
    if not hasattr(source, "shape"):
        source = number_for("scatter", input, source)
    if reduce == "multiply":
        target, source, grid = scatter_parts("scatter", input, dim, index, source)
        return reshape(combined(target, source, grid, "prod", True), shape_of(input))
    return _scattered("scatter", input, dim, index, source, reduce == "add")


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with elements of `src` added at `index` along a dimension; see `scatter`."""
    return _scattered("scatter_add", input, dim, index, src, True)


def _scattered(
    operation: str, input: Any, dim: int, index: Any, source: Any, accumulate: bool
) -> Any:
    target, source, grid = scatter_parts(operation, input, dim, index, source)
    result = put(target, source, index=grid, accumulate=accumulate)
    return result if input.ndim else reshape(result, ())
