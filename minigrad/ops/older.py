"""Linear algebra under the names that torch had before `torch.linalg`."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.graph import primitive
from minigrad.ops import factor
from minigrad.ops.elementwise import conj
from minigrad.ops.lu import LUFactor, LUFactorEx, _check_pivots, _factored, lu_solution
from minigrad.ops.shape import clone
from minigrad.ops.solve import check_matrices, check_same_dtype, triangle_solved, turned

__all__ = ["lu", "lu_solve", "qr", "svd", "triangular_solve"]


class SVD(NamedTuple):
    """The factors of A = U @ diag(S) @ V.mH."""

    U: Any
    S: Any
    V: Any


class TriangularSolve(NamedTuple):
    """A solution, and a copy of the matrix that it solves."""

    solution: Any
    cloned_coefficient: Any


def lu(A: Any, pivot: bool = True, get_infos: bool = False) -> LUFactor | LUFactorEx:
    """`linalg.lu_factor` under its old name; with `get_infos` it is `linalg.lu_factor_ex`."""
    check_matrices("lu", A)
    found = _factored("lu", A, pivot, not get_infos)
    return found if get_infos else LUFactor(found.LU, found.pivots)


def lu_solve(b: Any, LU_data: Any, LU_pivots: Any) -> Any:
    """`linalg.lu_solve` under its old name, the right side first."""
    check_matrices("lu_solve", LU_data, square=True, name="LU_data")
    check_matrices("lu_solve", b, name="b")
    check_same_dtype("lu_solve", LU_data=LU_data, b=b)
    _check_pivots("lu_solve", LU_data, LU_pivots, "LU_data", "LU_pivots")
    return lu_solution("lu_solve", LU_data, LU_pivots, b, True, False)


def qr(input: Any, some: bool = True) -> factor.QR:
    """`linalg.qr` under its old name: mode "reduced", or without `some` "complete"."""
    check_matrices("qr", input, name="input")
    return factor.qr(input, "reduced" if some else "complete")


def svd(input: Any, some: bool = True, compute_uv: bool = True) -> SVD:
    """`linalg.svd` under its old name: V stands upright, and `some` is not `full_matrices`.

    Without `compute_uv` U and V are square and zero.
    """
    check_matrices("svd", input, name="input")
    if compute_uv:
        U, S, Vh = factor.svd(input, full_matrices=not some)
        return SVD(U, S, conj(turned(Vh)))
    rows, columns = input.shape[-2:]
    lead = tuple(input.shape[:-2])
    S = factor.svdvals(input)
    left, right = (_blank(input, size=(*lead, n, n)) for n in (rows, columns))
    return SVD(left, S, right)


@primitive()
def _blank(xp: Any, input: Any, *, size: tuple[int, ...]) -> Any:
    """Zeros of a size in the input's dtype."""
    return xp.zeros(size, input.dtype)


def triangular_solve(
    b: Any,
    A: Any,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> TriangularSolve:
    """The solution X of A @ X = b for triangular A, or with `transpose` of A.mT @ X = b.

    `linalg.solve_triangular` is its newer form. Leading dimensions are broadcast.
    """
    check_matrices("triangular_solve", b, name="b")
    check_matrices("triangular_solve", A, square=True)
    matrix = turned(A) if transpose else A
    solution = triangle_solved(
        "triangular_solve", matrix, b, upper != transpose, True, unitriangular
    )
    return TriangularSolve(solution, clone(A))
