"""The largest singular values of large matrices, by random projections."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.ops.expand import expand
from minigrad.ops.factor import qr, svd
from minigrad.ops.matmul import matmul
from minigrad.ops.older import SVD
from minigrad.ops.random import randn
from minigrad.ops.reduce import mean
from minigrad.ops.solve import adjoint, check_matrices

__all__ = ["pca_lowrank", "svd_lowrank"]


def svd_lowrank(A: Any, q: int | None = 6, niter: int = 2, M: Any = None) -> SVD:
    """About the `q` largest singular values of A, of A - M if given, and their vectors.

    A is [..., m, n]; U is [..., m, q], S [..., q], V [..., n, q]. Each of `niter` iterations makes
    it more exact. N. Halko, P. G. Martinsson and J. A. Tropp, "Finding structure with randomness",
    2011, algorithms 4.4 and 5.1.
    """
    check_matrices("svd_lowrank", A)
    q = 6 if q is None else q
    if q < 0 or niter < 0:
        raise ArgumentError(
            f"svd_lowrank(): arguments 'q' and 'niter' are {q} and {niter}; they must not be "
            f"negative"
        )
    if M is not None:
        A = A - expand(M, tuple(A.shape))
    is_wide = A.shape[-2] < A.shape[-1]
    tall = adjoint(A) if is_wide else A
    draws = randn(tall.shape[-1], q, dtype=A.dtype, device=A.device)
    basis = qr(matmul(tall, draws)).Q
    for _ in range(niter):
        basis = qr(matmul(adjoint(tall), basis)).Q
        basis = qr(matmul(tall, basis)).Q
    inner, S, Vh = svd(matmul(adjoint(basis), tall), full_matrices=False)
    U, V = matmul(basis, inner), adjoint(Vh)
    return SVD(V, S, U) if is_wide else SVD(U, S, V)


def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> SVD:
    """The principal components of rows of A [..., m, n]: `svd_lowrank` of A less its mean row.

    `q` is 6 or the smaller size unless given; V holds the components in columns. Raises
    ArgumentError for a `q` above both sizes.
    """
    check_matrices("pca_lowrank", A)
    least = min(A.shape[-2:])
    q = min(6, least) if q is None else q
    if not 0 <= q <= least:
        raise ArgumentError(
            f"pca_lowrank(): argument 'q' is {q}; with 'A' of shape {list(A.shape)} it must be "
            f"from 0 to {least}"
        )
    if niter < 0:
        raise ArgumentError(f"pca_lowrank(): argument 'niter' is {niter}; it must not be negative")
    return svd_lowrank(A - mean(A, dim=-2, keepdim=True) if center else A, q, niter)
