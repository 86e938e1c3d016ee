"""Eigenvalues and eigenvectors of matrices of any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad import dtypes
from minigrad.backend import backend_of, cpu
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, primitive
from minigrad.ops.diagonal import diag_embed, diagonal
from minigrad.ops.elementwise import conj, real
from minigrad.ops.factor import _between, _phase_free
from minigrad.ops.operands import is_followed
from minigrad.ops.select import plus
from minigrad.ops.shape import unsqueeze
from minigrad.ops.solve import _solve, adjoint, check_matrices

__all__: list[str] = []


class Eig(NamedTuple):
    """The eigenvalues, and the eigenvectors in columns of norm one."""

    eigenvalues: Any
    eigenvectors: Any


def _eig_rule(g: Any, out: Any, dtype: Any) -> Any:
    """The cotangent of A; conjugated, as in torch, inside.

    M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
    differentiation", 2008, section 3.1; vectors of norm one as in C. Boeddeker et al., "On the
    computation of complex-valued gradients", 2017.
    """
    values, vectors = out
    inner = None if g[0] is None else diag_embed(conj(g[0]))
    if g[1] is not None:
        projected = adjoint(vectors) @ conj(g[1])
        lengths = diagonal(projected, 0, -2, -1)
        _phase_free(lengths, factors="eig(): eigenvectors")
        turns = projected - (adjoint(vectors) @ vectors) * unsqueeze(real(lengths), -2)
        off = turns - diag_embed(diagonal(turns, 0, -2, -1))
        inner = plus(inner, off / conj(_between(values)))
    result = conj(_solve(adjoint(vectors), inner @ adjoint(vectors)))
    return result if dtype.kind == "c" else real(result)


def _on_host(A: Any, function: Callable[[Any], Any]) -> Any:
    """What NumPy's function gives; CuPy has none for matrices that are not Hermitian."""
    backend = backend_of(A)
    host = backend.to_numpy(A)
    if not cpu.xp.isfinite(host).all():
        raise ArgumentError("argument 'A' holds inf or nan, and has no eigenvalues")
    wanted = dtypes.complex_of(A.dtype)
    found = function(host)
    parts = found if isinstance(found, tuple) else (found,)
    place = backend.device_of(A)
    return tuple(backend.from_numpy(part.astype(wanted), place) for part in parts)


@Declaration(outputs=2)(A=_eig_rule)
def _eig(xp: Any, A: Any) -> Any:
    return _on_host(A, lambda host: tuple(cpu.xp.linalg.eig(host)))


@primitive()
def _eigvals(xp: Any, A: Any) -> Any:
    return _on_host(A, cpu.xp.linalg.eigvals)[0]


def eig(A: Any) -> Eig:
    """Eigenvalues, in no order, and eigenvectors of square matrices; both are complex.

    Gradients of the vectors need distinct eigenvalues and a value that does not depend on the
    vectors' phases. Raises ArgumentError for a matrix with inf or nan.
    """
    check_matrices("linalg.eig", A, square=True)
    return Eig(*_eig(A))


def eigvals(A: Any) -> Any:
    """The eigenvalues of square matrices, complex and in no order."""
    check_matrices("linalg.eigvals", A, square=True)
    if is_followed(A):
        return _eig(A)[0]
    return _eigvals(A)
