"""The linear algebra operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import in_place
from minigrad.ops import (
    definite,
    distance,
    einsum,
    exponential,
    factor,
    householder,
    linalg,
    norms,
    older,
    solve,
    vectors,
)
from minigrad.ops import matmul as products


class LinalgMethods:
    """Methods from the linear algebra families of operations."""

    __slots__ = ()

    def __rmatmul__(self, other: Any) -> Any:
        return products.matmul(other, self)

    __matmul__ = products.matmul
    addbmm = products.addbmm
    addbmm_ = in_place(products.addbmm)
    addmm = products.addmm
    addmm_ = in_place(products.addmm)
    addmv = products.addmv
    addmv_ = in_place(products.addmv)
    addr = products.addr
    addr_ = in_place(products.addr)
    baddbmm = products.baddbmm
    baddbmm_ = in_place(products.baddbmm)
    bmm = products.bmm
    cholesky = factor.cholesky
    cholesky_inverse = definite.cholesky_inverse
    cholesky_solve = definite.cholesky_solve
    cross = vectors.cross
    det = linalg.det
    dist = distance.dist
    dot = products.dot
    geqrf = householder.geqrf
    ger = products.ger
    inner = products.inner
    inverse = solve.inverse
    kron = einsum.kron
    logdet = linalg.logdet
    lu = older.lu
    lu_solve = older.lu_solve
    matmul = products.matmul
    matrix_exp = exponential.matrix_exp
    matrix_power = linalg.matrix_power
    mm = products.mm
    mv = products.mv
    norm = norms.norm
    orgqr = householder.orgqr
    ormqr = householder.ormqr
    outer = products.outer
    pinverse = linalg.pinverse
    qr = older.qr
    renorm = distance.renorm
    renorm_ = in_place(distance.renorm)
    slogdet = linalg.slogdet
    svd = older.svd
    triangular_solve = older.triangular_solve
    vdot = products.vdot
