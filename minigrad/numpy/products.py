"""Products of vectors, matrices and arrays, and what is made of sums of products."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.numpy.base import axes_of, axis_of, common, delivered, floating, lift, like_kinds
from minigrad.numpy.elementwise import conj, multiply
from minigrad.numpy.joining import concatenate
from minigrad.numpy.manipulation import moveaxis, ravel, reshape, squeeze, swapaxes
from minigrad.numpy.reductions import mean
from minigrad.numpy.reductions import sum as total
from minigrad.ops import diagonal as diagonals
from minigrad.ops import einsum as contraction
from minigrad.ops import matmul as products
from minigrad.ops.promotion import convert

__all__ = [
    "corrcoef", "cov", "cross", "diagonal", "dot", "einsum", "inner", "kron", "matmul", "matvec",
    "outer", "tensordot", "trace", "vdot", "vecdot", "vecmat",
]  # fmt: skip


def _pair(operation: str, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """Two factors in one dtype, and the dtype of the product: bools are multiplied as integers."""
    a, b = like_kinds(a, b)
    kind = a.dtype
    if kind.kind == "b":
        a, b = (convert(x, numpy.dtype("int64")) for x in (a, b))
    return a, b, kind


def matmul(x1: Any, x2: Any, /, out: Any = None, *, dtype: Any = None, **axes: Any) -> Any:
    """The product of matrices, or of stacks of them; of vectors the inner product."""
    if axes:
        raise TypeError(f"matmul(): {sorted(axes)} are not available; use moveaxis()")
    a, b, kind = _pair("matmul", x1, x2)
    if not a.ndim or not b.ndim:
        raise ValueError("matmul(): an operand has no dimensions; write x1 * x2")
    a, b = (convert(x, numpy.dtype(dtype)) for x in (a, b)) if dtype else (a, b)
    result = products.matmul(a, b)
    result = convert(result, kind) if dtype is None else result
    return delivered(result, out, True, "matmul")


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The sum of products over the last axis of `a` and the last but one of `b`."""
    a, b, kind = _pair("dot", a, b)
    if not a.ndim or not b.ndim:
        result = convert(multiply(a, b), kind)
    elif b.ndim <= 2:
        result = convert(products.matmul(a, b), kind)
    else:
        result = tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)))
        result = convert(result, kind)
    return delivered(result, out, True, "dot")


def vdot(a: Any, b: Any, /) -> Any:
    """The inner product of two arrays made flat, the first conjugated."""
    return dot(conj(ravel(a)), ravel(b))


def inner(a: Any, b: Any, /) -> Any:
    """The sum of products over the last axes of both."""
    a, b = lift(a), lift(b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """The product of each element of one with each of the other."""
    return multiply(ravel(a)[:, None], ravel(b)[None, :], out)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The inner products of vectors along an axis, the first conjugated."""
    a, b, kind = _pair("vecdot", x1, x2)
    a, b = moveaxis(a, axis, -1), moveaxis(b, axis, -1)
    if a._array.shape[-1] != b._array.shape[-1]:
        raise ValueError(f"vecdot(): the vectors have {a.shape[-1]} and {b.shape[-1]} elements")
    result = products.matmul(conj(a)[..., None, :], b[..., :, None])[..., 0, 0]
    return convert(result, kind)


def matvec(x1: Any, x2: Any, /) -> Any:
    """The products of matrices and vectors."""
    return matmul(x1, lift(x2)[..., None])[..., 0]


def vecmat(x1: Any, x2: Any, /) -> Any:
    """The products of vectors, conjugated, and matrices."""
    return matmul(conj(x1)[..., None, :], x2)[..., 0, :]


def tensordot(a: Any, b: Any, /, axes: Any = 2) -> Any:
    """The sum of products over axes of both: so many last and first ones, or those named."""
    a, b, kind = _pair("tensordot", a, b)
    if isinstance(axes, (tuple, list)):
        pair = [one if isinstance(one, (tuple, list)) else (one,) for one in axes]
        dims: Any = tuple(axes_of(tuple(one), x.ndim) for one, x in zip(pair, (a, b)))
    else:
        dims = axes
    return convert(contraction.tensordot(a, b, dims), kind)


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: Any = None,
    dtype: Any = None,
    optimize: Any = False,
    **rest: Any,
) -> Any:
    """Sums of products by Einstein's notation, such as "ij,jk->ik"."""
    if not isinstance(subscripts, str):
        subscripts, given = _spelled((subscripts, *operands))
        operands = tuple(given)
    kind = common(*map(lift, operands)) if dtype is None else numpy.dtype(dtype)
    wide = numpy.dtype("int64") if kind.kind == "b" else kind
    result = contraction.einsum(subscripts, *(convert(lift(x), wide) for x in operands))
    return delivered(convert(result, kind), out, True, "einsum")


def _spelled(given: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """The equation and operands of `einsum(a, [0, 1], b, [1, 2], [0, 2])`."""

    def letters(places: Any) -> str:
        return "".join("..." if n is Ellipsis else chr(97 + n) for n in places)

    pairs = len(given) // 2
    equation = ",".join(letters(given[2 * n + 1]) for n in range(pairs))
    if len(given) % 2:
        equation += "->" + letters(given[-1])
    return equation, [given[2 * n] for n in range(pairs)]


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: each element of one times the whole of the other."""
    a, b = lift(a), lift(b)
    count = max(a.ndim, b.ndim)
    a = reshape(a, (1,) * (count - a.ndim) + a._array.shape)
    b = reshape(b, (1,) * (count - b.ndim) + b._array.shape)
    apart = reshape(a, [n for size in a._array.shape for n in (size, 1)])
    other = reshape(b, [n for size in b._array.shape for n in (1, size)])
    shape = [n * m for n, m in zip(a._array.shape, b._array.shape)]
    return reshape(multiply(apart, other), shape)


def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    """The cross products of vectors of three elements, or the scalar one of two."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    sizes = a._array.shape[-1], b._array.shape[-1]
    if not set(sizes) <= {2, 3}:
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    if sizes == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = (x if x._array.shape[-1] == 3 else concatenate((x, x[..., :1] * 0), -1) for x in (a, b))
    one, two = [1, 2, 0], [2, 0, 1]
    result = a[..., one] * b[..., two] - a[..., two] * b[..., one]
    return moveaxis(result, -1, axisc)


def trace(
    a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None
) -> Any:
    """The sum of the elements on a diagonal."""
    return total(diagonal(a, offset, axis1, axis2), -1, dtype, out)


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The elements on a diagonal of each matrix; a view."""
    from_a = lift(a)
    if from_a.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    return diagonals.diagonal(
        from_a, offset, axis_of(axis1, from_a.ndim), axis_of(axis2, from_a.ndim)
    )


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None,
    fweights: Any = None, aweights: Any = None, *, dtype: Any = None,
) -> Any:  # fmt: skip
    """The covariances of variables, one in each row unless `rowvar` is False."""
    x = floating(m, dtype)
    x = x[None] if x.ndim < 2 else x
    x = x if rowvar or x._array.shape[0] == 1 else x.T
    if y is not None:
        y = floating(y, dtype)
        y = y[None] if y.ndim < 2 else y
        y = y if rowvar or y._array.shape[0] == 1 else y.T
        x = concatenate((x, y), 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    counts = None if fweights is None else lift(fweights) * 1.0
    shares = None if aweights is None else lift(aweights) * 1.0
    weights = counts if shares is None else shares if counts is None else counts * shares
    if weights is None:
        center, factor = mean(x, 1, keepdims=True), x._array.shape[1] - ddof
    else:
        whole = total(weights)
        center = total(x * weights, 1, keepdims=True) / whole
        extra = 1.0 if shares is None else total(weights * shares) / whole
        factor = whole - ddof * extra
    off = x - center
    return squeeze(dot(off if weights is None else off * weights, conj(off).T) / factor)


def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """The correlations of variables, one in each row unless `rowvar` is False."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    spread = (diagonal(c).real) ** 0.5
    return c / spread[:, None] / spread[None, :]


def matrix_transposed(x: Any) -> Any:
    """The last two axes exchanged."""
    return swapaxes(x, -1, -2)
