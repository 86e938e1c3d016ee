"""Linear algebra under torch.linalg's names."""

from __future__ import annotations

from minigrad.absent import explaining
from minigrad.errors import ArgumentError as LinAlgError
from minigrad.ops.definite import cholesky_ex
from minigrad.ops.eigen import eig, eigvals
from minigrad.ops.exponential import matrix_exp
from minigrad.ops.factor import cholesky, eigh, eigvalsh, qr, svd, svdvals
from minigrad.ops.householder import householder_product
from minigrad.ops.ldl import ldl_factor, ldl_factor_ex, ldl_solve
from minigrad.ops.linalg import (
    cond,
    det,
    lstsq,
    matrix_power,
    matrix_rank,
    multi_dot,
    pinv,
    slogdet,
    vecdot,
)
from minigrad.ops.linalg import matrix_diagonal as diagonal
from minigrad.ops.lu import inv_ex, lu_factor, lu_factor_ex, solve_ex
from minigrad.ops.lu import linalg_lu as lu
from minigrad.ops.lu import linalg_lu_solve as lu_solve
from minigrad.ops.matmul import matmul
from minigrad.ops.norms import linalg_norm as norm
from minigrad.ops.norms import matrix_norm, vector_norm
from minigrad.ops.solve import inv, solve, solve_triangular, tensorinv, tensorsolve
from minigrad.ops.vectors import linalg_cross as cross
from minigrad.ops.vectors import vander

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh",
    "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex", "ldl_factor", "ldl_factor_ex",
    "ldl_solve", "lstsq", "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp",
    "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet",
    "solve", "solve_ex", "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander",
    "vecdot", "vector_norm",
]  # fmt: skip

__getattr__ = explaining(__name__)
