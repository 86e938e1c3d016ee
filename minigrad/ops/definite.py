"""Hermitian positive definite matrices: whether they are, and what is solved by their factor."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.compare import isfinite
from minigrad.ops.factor import _cholesky
from minigrad.ops.lu import _no_info
from minigrad.ops.reduce import all as every
from minigrad.ops.select import where
from minigrad.ops.shape import unsqueeze
from minigrad.ops.solve import (
    adjoint,
    check_matrices,
    check_same_dtype,
    identity_like,
    raise_for_info,
    triangle_solved,
)

__all__ = ["cholesky_inverse", "cholesky_solve"]


class CholeskyEx(NamedTuple):
    """A factor; `info` is the order of the first leading part that is not positive definite."""

    L: Any
    info: Any


@primitive()
def _definite_order(xp: Any, A: Any) -> Any:
    """0, or the order of the first leading part of each matrix that is not positive definite.

    G. H. Golub and C. F. Van Loan, "Matrix computations", algorithm 4.2.2, the lower triangle read.
    """
    count, size = prod(A.shape[:-2]), A.shape[-1]
    a = A.reshape(count, size, size).copy()
    info = xp.zeros(count, "int32")
    for place in range(size):
        head = a[:, place, place].real
        is_bad = (info == 0) & ~(head > 0)
        info = xp.where(is_bad, place + 1, info).astype("int32")
        column = a[:, place + 1 :, place] / xp.sqrt(xp.where(info == 0, head, 1))[:, None]
        a[:, place + 1 :, place + 1 :] -= column[:, :, None] * column.conj()[:, None, :]
    return info.reshape(A.shape[:-2])


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> CholeskyEx:
    """The factor of `linalg.cholesky`, without an error for a matrix that is not definite.

    `info` is zero for definite matrices; the factor of others is nan. With `check_errors` raises
    ArgumentError instead.
    """
    operation = "linalg.cholesky_ex"
    check_matrices(operation, A, square=True)
    L, info = _factored(operation, A, upper, check_errors)
    return CholeskyEx(adjoint(L) if upper else L, info)


def _factored(operation: str, A: Any, upper: bool, check_errors: bool) -> tuple[Any, Any]:
    try:
        L = _cholesky(A, upper=upper)
        if bool(every(isfinite(L))):
            return L, _no_info(A)
    except ArgumentError:
        # Not definite: what follows finds which, and where.
        pass
    info = _definite_order(adjoint(A) if upper else A)
    if check_errors:
        raise_for_info(operation, info, "not positive definite", "it has no Cholesky factor")
    is_definite = unsqueeze(unsqueeze(info == 0, -1), -1)
    L = _cholesky(where(is_definite, A, identity_like(A)), upper=upper)
    return where(is_definite, L, float("nan")), info


def cholesky_solve(B: Any, L: Any, upper: bool = False) -> Any:
    """The solution X of A @ X = B by A's Cholesky factor: A = L @ L.mH, with `upper` L.mH @ L.

    B is [..., n, k]; leading dimensions are broadcast.
    """
    check_matrices("cholesky_solve", L, square=True, name="L")
    check_matrices("cholesky_solve", B, name="B")
    check_same_dtype("cholesky_solve", L=L, B=B)
    return _solution("cholesky_solve", L, B, upper)


def _solution(operation: str, L: Any, B: Any, upper: bool) -> Any:
    first, second = (adjoint(L), L) if upper else (L, adjoint(L))
    return triangle_solved(operation, second, triangle_solved(operation, first, B, False), True)


def cholesky_inverse(L: Any, upper: bool = False) -> Any:
    """The inverse of A by its Cholesky factor: A = L @ L.mH, with `upper` L.mH @ L."""
    check_matrices("cholesky_inverse", L, square=True, name="L")
    return _solution("cholesky_inverse", L, identity_like(L), upper)
