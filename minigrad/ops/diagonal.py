"""Diagonals and triangles of matrices."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import primitive, view
from minigrad.ops import reduce
from minigrad.ops.dims import wrap_dim
from minigrad.ops.gather import number_for
from minigrad.ops.index import put
from minigrad.ops.shape import clone, reshape

__all__ = ["diag", "diag_embed", "diagflat", "diagonal", "trace", "tril", "triu"]


@view(
    input=lambda g, shape, offset, dim1, dim2: _from_diagonal(
        g, size=shape, offset=offset, dim1=dim1, dim2=dim2
    )
)
def _diagonal(xp: Any, input: Any, *, offset: int, dim1: int, dim2: int) -> Any:
    return _writable_diagonal(input, offset, dim1, dim2)


def _writable_diagonal(array: Any, offset: int, dim1: int, dim2: int) -> Any:
    """A view of the diagonal; NumPy makes it read-only, though it is as good as any other view."""
    out = array.diagonal(offset, dim1, dim2)
    if not getattr(out.flags, "writeable", True) and array.flags.writeable:
        out.flags.writeable = True
    return out


@primitive(input=lambda g, offset, dim1, dim2: _diagonal(g, offset=offset, dim1=dim1, dim2=dim2))
def _from_diagonal(
    xp: Any, input: Any, *, size: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Any:
    """Zeros of `size` with the input on a diagonal."""
    out = xp.zeros(size, input.dtype)
    _writable_diagonal(out, offset, dim1, dim2)[...] = input
    return out


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, which are dropped, as a new last dimension; a view.

    `offset` above zero is above the main diagonal. Raises ArgumentError for equal dimensions.
    """
    first, second = plane("diagonal", input.ndim, dim1, dim2)
    return _diagonal(input, offset=offset, dim1=first, dim2=second)


def plane(operation: str, ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    """Two dimensions that are not the same, counted from the front."""
    first = wrap_dim(operation, dim1, ndim, "dim1")
    second = wrap_dim(operation, dim2, ndim, "dim2")
    if first == second or ndim < 2:
        raise ArgumentError(
            f"{operation}(): arguments 'dim1' and 'dim2' are {dim1} and {dim2}; they must name two "
            f"dimensions of a tensor, which has {ndim}"
        )
    return first, second


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Zero matrices, in dimensions `dim1` and `dim2`, with the last dimension on a diagonal."""
    shape = tuple(input.shape)
    if not shape:
        raise ArgumentError("diag_embed(): argument 'input' is 0-d; it must have a last dimension")
    first, second = plane("diag_embed", len(shape) + 1, dim1, dim2)
    length = shape[-1] + abs(offset)
    size = list(shape[:-1])
    for dim in sorted((first, second)):
        size.insert(dim, length)
    return _from_diagonal(input, size=tuple(size), offset=offset, dim1=first, dim2=second)


def diag(input: Any, diagonal: int = 0) -> Any:
    """The diagonal of a matrix, copied, or a matrix with the given diagonal.

    >>> import minigrad
    >>> minigrad.diag(minigrad.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return clone(_diagonal(input, offset=diagonal, dim1=0, dim2=1))
    raise ArgumentError(
        f"diag(): argument 'input' must be a vector or a matrix, it has shape {list(input.shape)}; "
        f"for more dimensions use diagonal() or diag_embed()"
    )


def diagflat(input: Any, offset: int = 0) -> Any:
    """A matrix with all elements of the input on a diagonal."""
    return diag_embed(input.reshape(-1), offset)


def trace(input: Any) -> Any:
    """The sum of a matrix's main diagonal. Raises ArgumentError unless the input is 2-d."""
    if input.ndim != 2:
        raise ArgumentError(
            f"trace(): argument 'input' must be a matrix, it has shape {list(input.shape)}"
        )
    return reduce.sum(_diagonal(input, offset=0, dim1=0, dim2=1))


@primitive(input=lambda g, diagonal: _tril(g, diagonal=diagonal))
def _tril(xp: Any, input: Any, *, diagonal: int) -> Any:
    return xp.tril(input, diagonal)


@primitive(input=lambda g, diagonal: _triu(g, diagonal=diagonal))
def _triu(xp: Any, input: Any, *, diagonal: int) -> Any:
    return xp.triu(input, diagonal)


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, zeros above `diagonal`."""
    _check_matrices("tril", input)
    return _tril(input, diagonal=diagonal)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, zeros below `diagonal`."""
    _check_matrices("triu", input)
    return _triu(input, diagonal=diagonal)


def _check_matrices(operation: str, input: Any) -> None:
    if input.ndim < 2:
        raise ArgumentError(
            f"{operation}(): argument 'input' must have at least 2 dimensions, it has shape "
            f"{list(input.shape)}"
        )


def fill_diagonal(input: Any, value: Any, wrap: bool = False) -> Any:
    """A copy with a number on the main diagonal of all dimensions.

    With `wrap` the diagonal of a tall matrix starts again after each square and a gap of one row.
    Raises ArgumentError below two dimensions, or where sizes differ among more than two.
    """
    shape = tuple(input.shape)
    if len(shape) < 2 or (len(shape) > 2 and len(set(shape)) > 1):
        raise ArgumentError(
            f"fill_diagonal(): argument 'input' has shape {list(shape)}; it must be a matrix, or "
            f"have more dimensions of one size"
        )
    step = sum(math.prod(shape[dim + 1 :]) for dim in range(len(shape)))
    last = math.prod(shape) if wrap and len(shape) == 2 else min(shape) * step
    flat = reshape(input, (-1,))
    places = slice(0, last, step)
    return reshape(put(flat, number_for("fill_diagonal", input, value), index=(places,)), shape)
