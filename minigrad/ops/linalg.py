"""Determinants, powers, pseudo-inverses and least squares."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from minigrad.backend import as_array
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, primitive
from minigrad.ops.diagonal import diagonal
from minigrad.ops.elementwise import abs as magnitude
from minigrad.ops.elementwise import add, conj, imag, mul
from minigrad.ops.extremes import amax
from minigrad.ops.factor import _svdvals, eigvalsh, svd, svdvals
from minigrad.ops.functions import log
from minigrad.ops.index import getitem
from minigrad.ops.lu import _nothing, inv_ex
from minigrad.ops.matmul import matmul
from minigrad.ops.norms import matrix_norm
from minigrad.ops.reduce import all as every
from minigrad.ops.reduce import sum as total
from minigrad.ops.select import where, zero
from minigrad.ops.shape import reshape, squeeze, unsqueeze
from minigrad.ops.solve import (
    _inv,
    adjoint,
    check_matrices,
    check_same_dtype,
    identity_like,
    inv,
    turned,
)

__all__ = ["det", "logdet", "matrix_power", "pinverse", "slogdet"]


class Slogdet(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


class Lstsq(NamedTuple):
    """A least squares solution, and what is known of it."""

    solution: Any
    residuals: Any
    rank: Any
    singular_values: Any


@primitive(A=lambda g, A: unsqueeze(unsqueeze(g, -1), -1) * _cofactors(A))
def _det(xp: Any, A: Any) -> Any:
    return xp.linalg.det(A)


def _cofactors_rule(g: Any, A: Any, out: Any) -> Any:
    """The second derivative of a determinant, which needs an inverse."""
    flipped = turned(_inv(A))
    inner = total(g * out, dim=(-2, -1), keepdim=True)
    return inner * flipped - out @ turned(g) @ flipped


@primitive(A=_cofactors_rule)
def _cofactors(xp: Any, A: Any) -> Any:
    """The derivative of the determinant by each element, for singular matrices too."""
    U, S, Vh = xp.linalg.svd(A)
    size = S.shape[-1]
    others = xp.ones_like(S)
    for place in range(size):
        for other in range(size):
            if other != place:
                others[..., place] *= S[..., other]
    phase = (xp.linalg.det(U) * xp.linalg.det(Vh))[..., None, None]
    return phase * ((U.conj() * others[..., None, :]) @ Vh.conj())


def det(A: Any) -> Any:
    """The determinant of square matrices."""
    check_matrices("linalg.det", A, square=True)
    return _det(A)


def _slogdet_rule(g: Any, A: Any, out: Any) -> Any:
    weight = g[1]
    if g[0] is not None and A.dtype.kind == "c":
        turn = mul(imag(mul(g[0], out[0])), 1j)
        weight = turn if weight is None else add(turn, weight)
    if weight is None:
        weight = zero(g[0])
    return unsqueeze(unsqueeze(weight, -1), -1) * turned(_inv(A))


@Declaration(outputs=2)(A=_slogdet_rule)
def _slogdet(xp: Any, A: Any) -> Any:
    return tuple(as_array(part) for part in xp.linalg.slogdet(A))


def slogdet(A: Any) -> Slogdet:
    """The sign (a phase for complex matrices) and the logarithm of a determinant's magnitude."""
    check_matrices("linalg.slogdet", A, square=True)
    return Slogdet(*_slogdet(A))


def logdet(input: Any) -> Any:
    """The logarithm of a determinant; nan for a negative one."""
    sign, logarithm = slogdet(input)
    if input.dtype.kind == "c":
        return log(sign) + logarithm
    return where(sign == -1, float("nan"), logarithm)


def matrix_power(A: Any, n: int) -> Any:
    """A square matrix multiplied n times; for negative n its inverse."""
    check_matrices("linalg.matrix_power", A, square=True)
    if not isinstance(n, int):
        raise TypeError(f"linalg.matrix_power(): argument 'n' is {n!r}; it must be an integer")
    if n == 0:
        # A constant that hangs on A, whose gradient is zero.
        return where((A == A) | (A != A), identity_like(A), A)
    square = inv(A) if n < 0 else A
    result = None
    for bit in reversed(bin(abs(n))[2:]):
        if bit == "1":
            result = square if result is None else matmul(result, square)
        square = matmul(square, square)
    return result


def _pinv_rule(g: Any, A: Any, out: Any) -> Any:
    """G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses", 1973, equation 4.12."""
    P, flipped = out, turned(g)
    outside_rows = flipped - A @ (P @ flipped)
    outside_columns = flipped - (flipped @ P) @ A
    first = outside_rows @ (P @ adjoint(P))
    second = (adjoint(P) @ P) @ outside_columns
    return conj(first + second) - turned(P) @ g @ turned(P)


@primitive(A=_pinv_rule)
def _pinv(xp: Any, A: Any, *, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if hermitian:
        values, left = xp.linalg.eigh(A)
        right = left.conj().swapaxes(-1, -2)
    else:
        left, values, right = xp.linalg.svd(A, full_matrices=False)
    sizes = abs(values)
    largest = sizes.max(-1, keepdims=True) if sizes.shape[-1] else sizes
    kept = xp.maximum(atol, rtol * largest) < sizes
    inverse = xp.where(kept, 1 / xp.where(kept, values, 1), 0).astype(values.dtype)
    return right.conj().swapaxes(-1, -2) @ (inverse[..., None] * left.conj().swapaxes(-1, -2))


def pinv(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * largest) count as zero.

    `rtol` is the larger size times the dtype's epsilon unless either is given.
    """
    check_matrices("linalg.pinv", A, square=hermitian)
    return _pinv(A, hermitian=hermitian, **_tolerances(A, atol, rtol))


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The Moore-Penrose inverse; `linalg.pinv` with `rtol` under its old name."""
    return pinv(input, rtol=rcond)


def _tolerances(A: Any, atol: Any, rtol: Any) -> dict[str, Any]:
    if rtol is None:
        precision = 2.0**-52 if A.dtype.name in ("float64", "complex128") else 2.0**-23
        rtol = max(A.shape[-2:]) * precision if atol is None else 0.0
    atol = 0.0 if atol is None else atol
    return {
        name: value._array[..., None] if hasattr(value, "_array") else value
        for name, value in (("atol", atol), ("rtol", rtol))
    }


def matrix_rank(A: Any, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """How many singular values exceed max(atol, rtol * largest); see `pinv`."""
    check_matrices("linalg.matrix_rank", A, square=hermitian)
    values = magnitude(eigvalsh(A)) if hermitian else svdvals(A)
    limits = _tolerances(A, atol, rtol)
    largest = amax(values, dim=-1, keepdim=True) if values.shape[-1] else values
    above = (values > limits["rtol"] * largest) & (values > limits["atol"])
    return total(above, dim=-1)


_DRIVERS = (None, "gelsy", "gels", "gelsd", "gelss")


def lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> Lstsq:
    """The X of least norm that makes A @ X - B smallest, by the Moore-Penrose inverse.

    B is [..., m, k], or vectors [..., m]. `driver` names the method of LAPACK's whose results are
    given besides: `rank` by all but "gels", `singular_values` by "gelsd" and "gelss", `residuals`,
    the sums of squares by column, by all but "gelsy" (the default), where A is taller than wide and
    of full rank. What is not given is empty.
    """
    operation = "linalg.lstsq"
    check_matrices(operation, A)
    check_same_dtype(operation, A=A, B=B)
    if driver not in _DRIVERS:
        raise ArgumentError(
            f"{operation}(): argument 'driver' is {driver!r}; it must be one of {_DRIVERS}"
        )
    is_vector = B.ndim == 1 or (B.ndim == A.ndim - 1 and tuple(B.shape) == tuple(A.shape[:-1]))
    right = unsqueeze(B, -1) if is_vector else B
    if right.ndim < 2 or A.shape[-2] != right.shape[-2]:
        raise ArgumentError(
            f"{operation}(): argument 'A' has shape {list(A.shape)} and 'B' {list(B.shape)}; they "
            f"must have as many rows"
        )
    rank = matrix_rank(A, rtol=rcond)
    solution = matmul(pinv(A, rtol=rcond), right)
    # Empty, but as in torch a function of A and B.
    residuals = getitem(reshape(magnitude(solution), (-1,)), index=(slice(0),))
    is_full = driver == "gels" or bool(every(rank == A.shape[-1]))
    if driver not in (None, "gelsy") and A.shape[-2] > A.shape[-1] and is_full:
        off = magnitude(matmul(A, solution) - right)
        residuals = total(off * off, dim=-2)
    values = _svdvals(A) if driver in ("gelsd", "gelss") else _nothing(magnitude(A))
    return Lstsq(
        squeeze(solution, -1) if is_vector else solution,
        residuals,
        _nothing(rank) if driver == "gels" else rank,
        values,
    )


def multi_dot(tensors: Any) -> Any:
    """The product of a chain of matrices, in the order of least work; the ends may be vectors."""
    chain = list(tensors)
    if len(chain) < 2:
        raise ArgumentError(
            f"linalg.multi_dot(): argument 'tensors' holds {len(chain)}; a chain has at least two"
        )
    ends = [chain[0].ndim == 1, chain[-1].ndim == 1]
    if ends[0]:
        chain[0] = unsqueeze(chain[0], 0)
    if ends[1]:
        chain[-1] = unsqueeze(chain[-1], -1)
    for place, matrix in enumerate(chain):
        if matrix.ndim != 2 or (place and matrix.shape[0] != chain[place - 1].shape[1]):
            raise ArgumentError(
                f"linalg.multi_dot(): argument 'tensors' has shapes "
                f"{[list(tensor.shape) for tensor in tensors]}, which do not chain as matrices"
            )
    sizes = (chain[0].shape[0], *(matrix.shape[1] for matrix in chain))

    @functools.cache
    def cheapest(first: int, last: int) -> tuple[int, int]:
        """The least number of multiplications from `first` to `last`, and where to cut."""
        if first == last:
            return 0, first
        outer = sizes[first] * sizes[last + 1]
        return min(
            (cheapest(first, cut)[0] + cheapest(cut + 1, last)[0] + outer * sizes[cut + 1], cut)
            for cut in range(first, last)
        )

    def product(first: int, last: int) -> Any:
        if first == last:
            return chain[first]
        cut = cheapest(first, last)[1]
        return matmul(product(first, cut), product(cut + 1, last))

    result = product(0, len(chain) - 1)
    dims = tuple(dim for dim, is_vector in zip((0, 1), ends) if is_vector)
    return squeeze(result, dims) if dims else result


def cond(A: Any, p: Any = None) -> Any:
    """The condition number: the norm of order `p` times that of the inverse.

    For `p` None or 2 it is the largest singular value over the smallest, for -2 the reverse, of
    matrices of any shape. The other orders, those of `linalg.matrix_norm`, take square matrices;
    the number of a singular one is inf.
    """
    operation = "linalg.cond"
    if p not in (None, 2, -2):
        check_matrices(operation, A, square=True)
        inverse, info = inv_ex(A)
        is_regular = info == 0
        inverse = where(unsqueeze(unsqueeze(is_regular, -1), -1), inverse, 1.0)
        return where(is_regular, matrix_norm(A, p) * matrix_norm(inverse, p), float("inf"))
    check_matrices(operation, A)
    if 0 in A.shape[-2:]:
        return total(svdvals(A), dim=-1)
    values = svd(A, full_matrices=False).S
    largest = getitem(values, index=(Ellipsis, 0))
    smallest = getitem(values, index=(Ellipsis, -1))
    return smallest / largest if p == -2 else largest / smallest


def vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The inner products of vectors along a dimension, the first conjugated."""
    return total(conj(x) * y, dim=dim)


def matrix_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonal of the last two dimensions; a view."""
    return diagonal(A, offset, dim1, dim2)
