"""Linear algebra under torch.linalg's names."""

from __future__ import annotations

from minigrad.errors import ArgumentError as LinAlgError
from minigrad.ops.factor import cholesky, eigh, eigvalsh, qr, svd, svdvals
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
from minigrad.ops.matmul import matmul
from minigrad.ops.norms import linalg_norm as norm
from minigrad.ops.norms import matrix_norm, vector_norm
from minigrad.ops.solve import inv, solve, solve_triangular

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vecdot",
    "vector_norm",
]
