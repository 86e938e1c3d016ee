"""Norms of vectors and matrices, with torch's subgradients where they have a kink."""

from __future__ import annotations

from math import inf, isinf
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dims
from minigrad.ops.elementwise import abs as magnitude
from minigrad.ops.elementwise import conj, sgn
from minigrad.ops.extremes import amax, amin
from minigrad.ops.factor import svdvals
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import Dims, counted
from minigrad.ops.reduce import sum as total
from minigrad.ops.select import where, zero
from minigrad.ops.shape import movedim, reshape

__all__ = ["norm"]


def _norm_rule(g: Any, input: Any, out: Any, ord: float, dim: Dims) -> Any:
    if ord == 0:
        return zero(input)
    size = tuple(1 if dim is None or n in dim else m for n, m in enumerate(input.shape))
    g, norm = reshape(g, size), reshape(out, size)
    if ord == 1:
        return conj(sgn(input)) * g
    if isinf(ord):
        absolute = magnitude(input)
        # The largest share the gradient; a nan is as large as the nan that it makes of the norm.
        largest = (absolute == norm) | (absolute != absolute)
        count = total(largest, dim=dim, keepdim=True, dtype=norm.dtype)
        return conj(sgn(input)) * (g / count * largest)
    if ord < 1:
        powers = where(input == 0, 0, magnitude(input) ** (ord - 1))
        return conj(sgn(input)) * powers * g * norm ** (1 - ord)
    # The subgradient at zero is zero; a second derivative does not exist there, and is nan.
    if ord == 2:
        return g * where(norm == 0, 0, conj(input) / norm)
    scale = where(norm == 0, 0, g / norm ** (ord - 1))
    if ord < 2:
        return conj(sgn(input)) * magnitude(input) ** (ord - 1) * scale
    return conj(input) * magnitude(input) ** (ord - 2) * scale


@primitive(input=_norm_rule)
def _vector_norm(xp: Any, input: Any, *, ord: float, dim: Dims, keepdim: bool) -> Any:
    kept = dtypes.real_of(input.dtype)
    if kept.itemsize == 2:
        input = input.astype("float32")
    if ord == 2:
        squares = input * input if input.dtype.kind == "f" else input.real**2 + input.imag**2
        result = xp.sqrt(squares.sum(dim, keepdims=keepdim))
    elif ord == 0:
        result = (input != 0).sum(dim, keepdims=keepdim)
    else:
        absolute = xp.abs(input)
        if ord == 1:
            result = absolute.sum(dim, keepdims=keepdim)
        elif isinf(ord):
            result = (absolute.max if ord > 0 else absolute.min)(dim, keepdims=keepdim)
        else:
            result = (absolute**ord).sum(dim, keepdims=keepdim) ** (1 / ord)
    return result.astype(kept)


def _converted(operation: str, input: Any, dtype: Any, name: str = "x") -> Any:
    """The input in the dtype that a norm is to be computed in."""
    if not hasattr(input, "dtype"):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a Tensor, not {type(input).__name__}"
        )
    if input.dtype.kind not in "fc":
        raise DtypeError(
            f"{operation}(): argument '{name}' has dtype {input.dtype}; a norm is floating: "
            f"convert it first, for example {name}.float()"
        )
    if dtype is None:
        return input
    wanted = dtypes.as_dtype(dtype, operation)
    narrower = dtypes.real_of(wanted).itemsize < dtypes.real_of(input.dtype).itemsize
    if wanted.kind != input.dtype.kind or narrower:
        raise DtypeError(
            f"{operation}(): argument 'dtype' is {wanted}, but '{name}' is {input.dtype}; the "
            f"dtype may only be wider, and complex if '{name}' is"
        )
    return convert(input, wanted)


def vector_norm(
    x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The norm of order `ord` over dimensions, all of them by default, taken as one vector.

    `ord` is any number, inf and -inf among them; 0 counts what is not zero. Raises DtypeError for
    integers, ArgumentError for the largest or smallest of nothing.

    >>> import minigrad
    >>> vector_norm(minigrad.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return _vector("linalg.vector_norm", x, ord, dim, keepdim, dtype)


def _vector(operation: str, x: Any, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    if isinstance(ord, (str, complex)) or not isinstance(ord, (int, float)):
        raise ArgumentError(f"{operation}(): argument 'ord' is {ord!r}; it must be a number")
    x = _converted(operation, x, dtype)
    dims = None if dim is None else wrap_dims(operation, dim, x.ndim) or None
    dims = dims if x.ndim else None
    if (ord < 0 or isinf(ord)) and counted(x.shape, dims) == 0:
        raise ArgumentError(
            f"{operation}(): the norm of order {ord} of no elements is not defined; 'x' has shape "
            f"{list(x.shape)}"
        )
    return _vector_norm(x, ord=ord, dim=dims, keepdim=keepdim)


def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The norm of matrices: "fro", "nuc" (the sum of singular values), 2, -2, 1, -1, inf or -inf.

    2 and -2 are the largest and smallest singular value, 1 and inf the largest sum of a column and
    of a row. Raises ArgumentError for another order.
    """
    return _matrix("linalg.matrix_norm", A, ord, dim, keepdim, dtype)


def _matrix(operation: str, A: Any, ord: Any, dim: Any, keepdim: bool, dtype: Any) -> Any:
    if ord not in ("fro", "nuc", 1, -1, 2, -2, inf, -inf):
        raise ArgumentError(
            f"{operation}(): argument 'ord' is {ord!r}; a matrix norm's is 'fro', 'nuc', 1, -1, 2, "
            f"-2, inf or -inf"
        )
    A = _converted(operation, A, dtype, "A")
    if A.ndim < 2 or not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise ArgumentError(
            f"{operation}(): argument 'A' has {A.ndim} dimensions and 'dim' is {dim}; a matrix "
            f"norm needs two of at least two"
        )
    rows, columns = wrap_dims(operation, dim, A.ndim)
    if ord == "fro":
        return _vector_norm(A, ord=2, dim=(rows, columns), keepdim=keepdim)
    if ord in ("nuc", 2, -2):
        values = svdvals(movedim(A, (rows, columns), (-2, -1)))
        result = total(values, dim=-1) if ord == "nuc" else _extreme(values, ord, -1)
    else:
        summed, kept = (rows, columns) if ord in (1, -1) else (columns, rows)
        sums = _vector_norm(A, ord=1, dim=(summed,), keepdim=False)
        result = _extreme(sums, ord, kept - (kept > summed))
    if keepdim:
        shape = [1 if place in (rows, columns) else n for place, n in enumerate(A.shape)]
        return reshape(result, tuple(shape))
    return result


def _extreme(values: Any, ord: float, dim: int) -> Any:
    if not values.shape[dim] and ord > 0:
        return total(values, dim=dim)  # the largest of no sums of magnitudes is zero
    return (amax if ord > 0 else amin)(values, dim=dim)


def linalg_norm(
    A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """The norm of a vector or of matrices, whichever `dim` and `ord` ask for.

    One dimension, or a 1-d tensor: a vector norm. Two, or a 2-d tensor with an `ord`: a matrix
    norm. Without `ord` the 2-norm of all elements in `dim`.
    """
    operation = "linalg.norm"
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return _vector(operation, A, 2, dims, keepdim, dtype)
    if dims is None and A.ndim not in (1, 2):
        raise ArgumentError(
            f"{operation}(): argument 'A' has {A.ndim} dimensions; with an 'ord' and without 'dim' "
            f"it must be 1-d or 2-d"
        )
    if dims is not None and len(dims) not in (1, 2):
        raise ArgumentError(
            f"{operation}(): argument 'dim' is {dim}; with an 'ord' it must be one or two"
        )
    if (A.ndim if dims is None else len(dims)) == 2:
        return _matrix(operation, A, ord, (0, 1) if dims is None else dims, keepdim, dtype)
    return _vector(operation, A, ord, dims, keepdim, dtype)


def norm(
    input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    """The norm over dimensions, all of them by default, as one vector; "nuc" is of matrices.

    `linalg.vector_norm` and `linalg.matrix_norm` say more plainly which is meant.
    """
    if p == "nuc":
        dims = tuple(range(input.ndim)) if dim is None else dim
        return _matrix("norm", input, "nuc", dims, keepdim, dtype)
    if isinstance(p, str) and p != "fro":
        raise ArgumentError(f"norm(): argument 'p' is {p!r}; it must be 'fro', 'nuc' or a number")
    return _vector("norm", input, 2 if p is None or p == "fro" else p, dim, keepdim, dtype)
