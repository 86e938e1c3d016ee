"""NumPy's linear algebra: decompositions, solutions, norms, of matrices and stacks of them."""

from __future__ import annotations

import builtins
import functools
from typing import Any, NamedTuple

import numpy

from minigrad import linalg as torch_like
from minigrad.errors import ArgumentError
from minigrad.numpy import products
from minigrad.numpy.base import axes_of, delivered, floating, lift, made, raw
from minigrad.numpy.elementwise import absolute
from minigrad.numpy.manipulation import matrix_transpose, ravel, reshape
from minigrad.numpy.products import matmul, tensordot, vecdot
from minigrad.numpy.reductions import sum as total
from minigrad.ops.promotion import convert

__all__ = [
    "LinAlgError", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals",
    "eigvalsh", "inv", "lstsq", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose",
    "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot",
    "tensorinv", "tensorsolve", "trace", "vecdot", "vector_norm",
]  # fmt: skip

LinAlgError = numpy.linalg.LinAlgError


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors in the columns of a matrix."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues, and eigenvectors in the columns of a matrix."""

    eigenvalues: Any
    eigenvectors: Any


class QRResult(NamedTuple):
    """A matrix with orthonormal columns and an upper triangular one."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """Left singular vectors, singular values, right singular vectors in rows."""

    U: Any
    S: Any
    Vh: Any


class SlogdetResult(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def _matrices(a: Any, square: bool = False) -> Any:
    """An argument as floating matrices; raises LinAlgError for another shape."""
    a = floating(a)
    if a.dtype.itemsize == 2:
        raise TypeError(f"array type {a.dtype} is unsupported in linalg")
    if a.ndim < 2:
        raise LinAlgError(
            f"{a.ndim}-dimensional array given. Array must be at least two-dimensional"
        )
    if square and a._array.shape[-1] != a._array.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    return a


def _raising(function: Any) -> Any:
    """The function with what minigrad raises for a matrix that has no answer as LinAlgError."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ArgumentError as error:
            raise LinAlgError(str(error)) from error

    return call


@_raising
def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The lower (or upper) triangular factor of a positive definite matrix."""
    return torch_like.cholesky(_matrices(a, True), upper=upper)


@_raising
def det(a: Any) -> Any:
    """The determinant."""
    return torch_like.det(_matrices(a, True))


@_raising
def slogdet(a: Any) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its absolute value."""
    return SlogdetResult(*torch_like.slogdet(_matrices(a, True)))


@_raising
def inv(a: Any) -> Any:
    """The inverse; raises LinAlgError for a singular matrix."""
    return torch_like.inv(_matrices(a, True))


@_raising
def solve(a: Any, b: Any) -> Any:
    """The x of `a @ x = b`: for one vector, or for matrices of columns."""
    a, b = _matrices(a, True), floating(b)
    kind = numpy.result_type(a.dtype, b.dtype)
    a, b = convert(a, numpy.dtype(kind)), convert(b, numpy.dtype(kind))
    if b.ndim == 1:
        return torch_like.solve(a, b[:, None])[..., 0]
    return torch_like.solve(a, b)


@_raising
def eig(a: Any) -> EigResult:
    """The eigenvalues and eigenvectors, complex."""
    return EigResult(*torch_like.eig(_matrices(a, True)))


@_raising
def eigvals(a: Any) -> Any:
    """The eigenvalues, complex."""
    return torch_like.eigvals(_matrices(a, True))


@_raising
def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """The eigenvalues and eigenvectors of a symmetric or Hermitian matrix."""
    return EighResult(*torch_like.eigh(_matrices(a, True), UPLO))


@_raising
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of a symmetric or Hermitian matrix, in ascending order."""
    return torch_like.eigvalsh(_matrices(a, True), UPLO)


@_raising
def qr(a: Any, mode: str = "reduced") -> Any:
    """The factors Q and R; "complete" makes Q square, "r" gives R alone."""
    a = _matrices(a)
    if mode not in ("reduced", "complete", "r"):
        raise ValueError(f"qr(): mode {mode!r} is not available; write 'reduced', 'complete', 'r'")
    found = torch_like.qr(a, mode)
    return found[1] if mode == "r" else QRResult(*found)


@_raising
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    """The singular value decomposition `U * S @ Vh`, or the singular values alone."""
    a = _matrices(a)
    if not compute_uv:
        return torch_like.svdvals(a)
    return SVDResult(*torch_like.svd(a, full_matrices))


@_raising
def svdvals(x: Any, /) -> Any:
    """The singular values, the largest first."""
    return torch_like.svdvals(_matrices(x))


@_raising
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudoinverse; singular values below `rtol` times the largest count as zero."""
    a = _matrices(a)
    rtol = rcond if rtol is None else rtol
    if rtol is None:
        rtol = max(a._array.shape[-2:]) * float(numpy.finfo(a.dtype).eps)
    return torch_like.pinv(a, rtol=rtol, hermitian=hermitian)


def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The number of singular values above a tolerance."""
    A = lift(A)
    if A.ndim < 2:
        return made(numpy.asarray(int((raw(A) != 0).any())))
    found = numpy.linalg.matrix_rank(
        raw(A),
        raw(tol) if tol is not None else None,
        hermitian,
        rtol=raw(rtol) if rtol is not None else None,
    )
    return made(numpy.asarray(found))


@_raising
def matrix_power(a: Any, n: int) -> Any:
    """The matrix multiplied with itself; negative powers are of the inverse."""
    given = lift(a)
    if n < 0 or given.dtype.kind in "fc":
        return torch_like.matrix_power(_matrices(given, True), n)
    if given.ndim < 2 or given._array.shape[-1] != given._array.shape[-2]:
        raise LinAlgError("Last 2 dimensions of the array must be square")
    result = given * 0 + made(numpy.eye(given._array.shape[-1], dtype=given.dtype))
    for _ in builtins.range(n):
        result = matmul(result, given)
    return result


@_raising
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, Any, Any]:
    """The x that makes `a @ x` nearest to b; the residuals, the rank, the singular values."""
    a, b = _matrices(a), floating(b)
    columns = b[:, None] if b.ndim == 1 else b
    values = torch_like.svdvals(a)
    precision = numpy.finfo(a.dtype).eps
    rcond = precision * max(a._array.shape) if rcond is None else rcond
    limit = float(raw(values).max(initial=0.0)) * rcond
    rank = int((raw(values) > limit).sum())
    x = matmul(torch_like.pinv(a, rtol=rcond), columns)
    off = columns - matmul(a, x)
    full = rank == a._array.shape[1] < a._array.shape[0]
    residuals = total(absolute(off) ** 2, 0) if full else made(numpy.zeros(0, values.dtype))
    return (x[:, 0] if b.ndim == 1 else x), residuals, rank, values


def multi_dot(arrays: Any, *, out: Any = None) -> Any:
    """The product of a chain of matrices, in the order that costs least."""
    found = [floating(a) for a in arrays]
    if len(found) < 2:
        raise ValueError("Expecting at least two arrays.")
    return delivered(torch_like.multi_dot(found), out, True, "multi_dot")


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of order `ord` over axes, all of them by default, taken as one vector."""
    x = floating(x)
    axes = axes_of(axis, x.ndim)
    return torch_like.vector_norm(x, ord, axes or None, keepdims) if axes else absolute(x)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of the matrices in the last two axes."""
    return torch_like.matrix_norm(_matrices(x), ord, (-2, -1), keepdims)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or matrices: of all elements, or over one or two axes."""
    x = floating(x)
    if axis is None:
        if ord is None or (x.ndim == 1 and not isinstance(ord, str)):
            return vector_norm(x, ord=2 if ord is None else ord, keepdims=keepdims)
        if x.ndim != 2:
            raise ValueError("Improper number of dimensions to norm.")
        axis = (0, 1)
    axes = axes_of(axis, x.ndim)
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"Invalid norm order {ord!r} for vectors")
        return vector_norm(x, axis=axes, ord=2 if ord is None else ord, keepdims=keepdims)
    if len(axes) != 2:
        raise ValueError("Improper number of dimensions to norm.")
    if ord is None:
        return vector_norm(x, axis=axes, keepdims=keepdims)
    if ord not in ("fro", "nuc", 1, -1, 2, -2, numpy.inf, -numpy.inf):
        raise ValueError("Invalid norm order for matrices.")
    return torch_like.matrix_norm(x, ord, axes, keepdims)


def cond(x: Any, p: Any = None) -> Any:
    """The condition number: how far a norm of the matrix and of its inverse multiply."""
    x = _matrices(x)
    if p is None or p in (2, -2):
        values = torch_like.svdvals(x)
        ratio = values[..., 0] / values[..., -1]
        return 1 / ratio if p == -2 else ratio
    return norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the matrices in the last two axes; a view."""
    return products.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the matrices in the last two axes."""
    return products.trace(x, offset, -2, -1, dtype)


def outer(x1: Any, x2: Any, /) -> Any:
    """The product of each element of one vector with each of the other."""
    x1, x2 = lift(x1), lift(x2)
    if x1.ndim != 1 or x2.ndim != 1:
        raise ValueError(
            f"Input arrays must be one-dimensional, but they are {x1.ndim=} and {x2.ndim=}."
        )
    return products.outer(x1, x2)


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross products of vectors of three elements."""
    x1, x2 = lift(x1), lift(x2)
    if x1._array.shape[axis] != 3 or x2._array.shape[axis] != 3:
        raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    return products.cross(x1, x2, axis=axis)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of an array as a map from its last axes to its first `ind`."""
    a = lift(a)
    front, behind = a._array.shape[:ind], a._array.shape[ind:]
    count = int(numpy.prod(behind))
    return reshape(inv(reshape(a, (-1, count))), (*behind, *front))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x of `tensordot(a, x, x.ndim) = b`."""
    a, b = lift(a), lift(b)
    if axes is not None:
        places = [axis % a.ndim for axis in axes]
        order = [n for n in builtins.range(a.ndim) if n not in places] + places
        a = a.transpose(order)
    shape = a._array.shape[-(a.ndim - b.ndim) :]
    count = int(numpy.prod(shape))
    return reshape(solve(reshape(a, (-1, count)), ravel(b)), shape)
