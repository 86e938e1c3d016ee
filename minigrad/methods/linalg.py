"""The linear algebra operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.inplace import in_place
from minigrad.ops import einsum, factor, linalg, norms, solve
from minigrad.ops import matmul as products


class LinalgMethods:
    """Methods from the linear algebra families of operations."""

    __slots__ = ()

    def __rmatmul__(self, other: Any) -> Any:
        return products.matmul(other, self)

    __matmul__ = products.matmul
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
    det = linalg.det
    dot = products.dot
    ger = products.ger
    inner = products.inner
    inverse = solve.inverse
    kron = einsum.kron
    logdet = linalg.logdet
    matmul = products.matmul
    matrix_power = linalg.matrix_power
    mm = products.mm
    mv = products.mv
    norm = norms.norm
    outer = products.outer
    pinverse = linalg.pinverse
    slogdet = linalg.slogdet
    vdot = products.vdot
