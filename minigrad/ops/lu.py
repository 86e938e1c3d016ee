"""LU factors with partial pivoting, and what is solved with them."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration, primitive
from minigrad.ops.compare import isfinite
from minigrad.ops.diagonal import tril, triu
from minigrad.ops.factor import _columns, _rows
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.matmul import matmul
from minigrad.ops.reduce import all as every
from minigrad.ops.select import where
from minigrad.ops.shape import squeeze, unsqueeze
from minigrad.ops.solve import (
    _inv,
    _solve_triangle,
    adjoint,
    check_matrices,
    check_same_dtype,
    check_system,
    identity_like,
    matrices_solved,
    raise_for_info,
    triangle_solved,
    turned,
)

__all__ = ["lu_unpack"]


class LU(NamedTuple):
    """The factors of A = P @ L @ U."""

    P: Any
    L: Any
    U: Any


class LUFactor(NamedTuple):
    """L below the diagonal and U above it in one matrix, and the row exchanged with each."""

    LU: Any
    pivots: Any


class LUFactorEx(NamedTuple):
    """As `LUFactor`; `info` is the first diagonal element of U that is zero, or 0 for none."""

    LU: Any
    pivots: Any
    info: Any


class SolveEx(NamedTuple):
    """A solution; `info` is above zero for matrices that are singular."""

    result: Any
    info: Any


class InvEx(NamedTuple):
    """Inverses; `info` is above zero for matrices that are singular."""

    inverse: Any
    info: Any


def _lu_rule(g: Any, out: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of a matrix from that of its factors.

    F. R. de Hoog, R. S. Anderssen and M. A. Lukas, "Differentiation of matrix functionals using
    triangular factorization", 2011, and for matrices that are not square what
    A2 = L1 @ U2 or A2 = L2 @ U1 says of the rest.
    """
    rows, columns = shape[-2:]
    size = min(rows, columns)
    L, U = _split(out[0])
    gL = tril(_columns(g[0], size), -1)
    gU = triu(_rows(g[0], size))
    rest = None
    if rows > size:
        rest = _divide(getitem(gL, index=(Ellipsis, slice(size, None), slice(None))), U)
        gU = gU - turned(getitem(L, index=(Ellipsis, slice(size, None), slice(None)))) @ rest
        gL, L = _rows(gL, size), _rows(L, size)
    elif columns > size:
        beside = getitem(gU, index=(Ellipsis, slice(size, None)))
        rest = _solve_triangle(turned(L), beside, upper=True)
        gL = gL - rest @ turned(getitem(U, index=(Ellipsis, slice(size, None))))
        gU, U = _columns(gU, size), _columns(U, size)
    inner = tril(turned(L) @ gL, -1) + triu(gU @ turned(U))
    result = _divide(_solve_triangle(turned(L), inner, upper=True), U)
    if rest is not None:
        result = cat((result, rest), -2 if rows > size else -1)
    return _permutation(out[1], rows=rows, to=out[0].dtype) @ result


def _divide(x: Any, U: Any) -> Any:
    """x times the inverse of U's transpose, from the right."""
    return turned(_solve_triangle(U, turned(x), upper=True))


_PANEL = 32


@Declaration(outputs=3)(A=_lu_rule)
def _lu_factor(xp: Any, A: Any, *, pivot: bool) -> Any:
    """G. H. Golub and C. F. Van Loan, "Matrix computations", algorithm 3.4.1, by panels.

    All matrices go together, column by column. As in LAPACK a complex number is as large as its
    parts' magnitudes together.
    """
    lead, (rows, columns) = A.shape[:-2], A.shape[-2:]
    count, size = prod(lead), min(rows, columns)
    a = A.reshape(count, rows, columns).copy()
    which = xp.arange(count)
    pivots = xp.zeros((count, size), "int32") + xp.arange(1, size + 1, dtype="int32")
    info = xp.zeros(count, "int32")
    for start in range(0, size, _PANEL):
        stop = min(start + _PANEL, size)
        for place in range(start, stop):
            if pivot:
                column = a[:, place:, place]
                sizes = abs(column.real) + abs(column.imag) if a.dtype.kind == "c" else abs(column)
                chosen = sizes.argmax(axis=1) + place
                pivots[:, place] = chosen + 1
                row = a[which, chosen]
                a[which, chosen] = a[:, place]
                a[:, place] = row
            head = a[:, place, place]
            info = xp.where((info == 0) & (head == 0), place + 1, info).astype("int32")
            divisor = xp.where(head == 0, xp.ones_like(head), head)
            a[:, place + 1 :, place] /= divisor[:, None]
            below = a[:, place + 1 :, place, None]
            a[:, place + 1 :, place + 1 : stop] -= below * a[:, place, None, place + 1 : stop]
        if stop < columns:
            corner = xp.tril(a[:, start:stop, start:stop], -1) + xp.eye(stop - start, dtype=a.dtype)
            beside = xp.linalg.solve(corner, a[:, start:stop, stop:])
            a[:, start:stop, stop:] = beside
            a[:, stop:, stop:] -= a[:, stop:, start:stop] @ beside
    return a.reshape(A.shape), pivots.reshape(*lead, size), info.reshape(lead)


@primitive()
def _permutation(xp: Any, pivots: Any, *, rows: int, to: Any) -> Any:
    """The matrices P that undo the row exchanges: P.mT @ A is A with its rows exchanged."""
    lead, size = pivots.shape[:-1], pivots.shape[-1]
    count = prod(lead)
    chosen = pivots.reshape(count, size) - 1
    which = xp.arange(count)
    order = xp.zeros((count, rows), "int64") + xp.arange(rows)
    for place in range(size):
        row = order[which, chosen[:, place]]
        order[which, chosen[:, place]] = order[:, place]
        order[:, place] = row
    matrices = order[:, None, :] == xp.arange(rows)[:, None]
    return matrices.astype(to).reshape(*lead, rows, rows)


def _split(both: Any) -> tuple[Any, Any]:
    """L, with ones on its diagonal, and U."""
    size = min(both.shape[-2:])
    lower = tril(_columns(both, size), -1)
    ones = identity_like(lower)
    if both.shape[-2] > size:
        rest = getitem(lower, index=(Ellipsis, slice(size, None), slice(None)))
        return cat((_rows(lower, size) + ones, rest), -2), triu(_rows(both, size))
    return lower + ones, triu(both)


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> LUFactorEx:
    """The factors of P.mT @ A = L @ U in one matrix, without an error for singular ones.

    A is [..., m, n]. `pivots` counts rows from 1: row i was exchanged with row pivots[i]. With
    `check_errors` raises ArgumentError where `info` is not zero; without `pivot` no rows are
    exchanged.
    """
    check_matrices("linalg.lu_factor_ex", A)
    return _factored("linalg.lu_factor_ex", A, pivot, check_errors)


def _factored(operation: str, A: Any, pivot: bool, check_errors: bool) -> LUFactorEx:
    found = LUFactorEx(*_lu_factor(A, pivot=pivot))
    if check_errors:
        advice = "nothing could be solved with its factors; lu_factor_ex() gives them nevertheless"
        raise_for_info(operation, found.info, "singular", advice)
    return found


def lu_factor(A: Any, *, pivot: bool = True) -> LUFactor:
    """The factors of P.mT @ A = L @ U in one matrix, and the rows exchanged; see `lu_factor_ex`.

    Raises ArgumentError for singular matrices.
    """
    check_matrices("linalg.lu_factor", A)
    both, pivots, _ = _factored("linalg.lu_factor", A, pivot, True)
    return LUFactor(both, pivots)


def linalg_lu(A: Any, *, pivot: bool = True) -> LU:
    """The factors A = P @ L @ U: a permutation, a unit lower and an upper triangle.

    A is [..., m, n]; P is [..., m, m], L [..., m, k], U [..., k, n], k the smaller size. Without
    `pivot` P is empty.

    >>> import minigrad
    >>> linalg_lu(minigrad.tensor([[1.0, 2.0], [2.0, 4.5]])).U
    tensor([[ 2.0000,  4.5000],
            [ 0.0000, -0.2500]])
    """
    check_matrices("linalg.lu", A)
    both, pivots, _ = _lu_factor(A, pivot=pivot)
    return LU(*lu_unpack(both, pivots, unpack_pivots=pivot))


def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> LU:
    """P, L and U from what `linalg.lu_factor` gives; what is not asked for is empty."""
    check_matrices("lu_unpack", LU_data, name="LU_data")
    _check_pivots("lu_unpack", LU_data, LU_pivots, "LU_data", "LU_pivots")
    P = L = U = _nothing(LU_data)
    if unpack_pivots:
        P = _permutation(LU_pivots, rows=LU_data.shape[-2], to=LU_data.dtype)
    if unpack_data:
        L, U = _split(LU_data)
    return LU(P, L, U)


def _check_pivots(operation: str, both: Any, pivots: Any, first: str, second: str) -> None:
    if not hasattr(pivots, "dtype") or pivots.dtype.name != "int32":
        found = getattr(pivots, "dtype", type(pivots).__name__)
        raise DtypeError(
            f"{operation}(): argument '{second}' must be an int32 tensor, got {found}; it is what "
            f"linalg.lu_factor() gives"
        )
    expected = (*both.shape[:-2], min(both.shape[-2:]))
    if tuple(pivots.shape) != expected:
        raise ArgumentError(
            f"{operation}(): argument '{second}' has shape {list(pivots.shape)}; with '{first}' of "
            f"shape {list(both.shape)} it must have {list(expected)}"
        )


def linalg_lu_solve(
    LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False
) -> Any:
    """The solution X of A @ X = B by what `linalg.lu_factor` gave of A.

    B is [..., n, k]. With `left` False of X @ A = B; with `adjoint` A's conjugate transpose takes
    its place. Leading dimensions are broadcast.
    """
    operation = "linalg.lu_solve"
    check_matrices(operation, LU, square=True, name="LU")
    check_matrices(operation, B, name="B")
    check_same_dtype(operation, LU=LU, B=B)
    _check_pivots(operation, LU, pivots, "LU", "pivots")
    return lu_solution(operation, LU, pivots, B, left, adjoint)


def lu_solution(operation: str, both: Any, pivots: Any, B: Any, left: bool, flipped: bool) -> Any:
    """The solution of a system, checked, by its matrix's factors."""
    if not left:
        # X @ A = B is A.mH @ X.mH = B.mH.
        return adjoint(lu_solution(operation, both, pivots, adjoint(B), True, not flipped))
    P = _permutation(pivots, rows=both.shape[-1], to=both.dtype)
    if flipped:
        upper = triangle_solved(operation, adjoint(both), B, False)
        return matmul(P, triangle_solved(operation, adjoint(both), upper, True, True, True))
    lower = triangle_solved(operation, both, matmul(turned(P), B), False, True, True)
    return triangle_solved(operation, both, lower, True)


def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> SolveEx:
    """The solution of `linalg.solve`, without an error for singular matrices.

    `info` is zero where a matrix could be factored; elsewhere the result is nan. With
    `check_errors` raises ArgumentError instead.
    """
    is_vector = check_system("linalg.solve_ex", A, B, left)
    right = unsqueeze(B, -1) if is_vector else B
    result, info = _solved("linalg.solve_ex", A, right, left, check_errors)
    return SolveEx(squeeze(result, -1) if is_vector else result, info)


def inv_ex(A: Any, *, check_errors: bool = False) -> InvEx:
    """The inverse of `linalg.inv`, without an error for singular matrices; see `solve_ex`."""
    check_matrices("linalg.inv_ex", A, square=True)
    return InvEx(*_solved("linalg.inv_ex", A, None, True, check_errors))


def _solved(operation: str, A: Any, B: Any, left: bool, check_errors: bool) -> tuple[Any, Any]:
    """A solution, or the inverse for B None, and what the factorization said."""
    try:
        result = _inv(A) if B is None else matrices_solved(A, B, left)
        if bool(every(isfinite(result))):
            return result, _no_info(A)
    except ArgumentError:
        # A singular matrix: what follows finds which.
        pass
    info = _lu_factor(A, pivot=True)[2]
    if check_errors:
        raise_for_info(operation, info, "singular", "there is no solution")
    is_sound = unsqueeze(unsqueeze(info == 0, -1), -1)
    ones = identity_like(A)
    both, pivots, _ = _lu_factor(where(is_sound, A, ones), pivot=True)
    result = lu_solution(operation, both, pivots, ones if B is None else B, left, False)
    return where(is_sound, result, float("nan")), info


@primitive()
def _no_info(xp: Any, A: Any) -> Any:
    """An `info` of zeros."""
    return xp.zeros(A.shape[:-2], "int32")


@primitive()
def _nothing(xp: Any, input: Any) -> Any:
    """An empty vector: what was not asked for."""
    return xp.empty((0,), input.dtype)
