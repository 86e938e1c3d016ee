"""Factors of matrices: singular values, eigenvalues of Hermitian matrices, QR and Cholesky."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, primitive
from minigrad.ops.diagonal import diag_embed, diagonal, tril, triu
from minigrad.ops.elementwise import conj
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.operands import is_followed
from minigrad.ops.promotion import convert
from minigrad.ops.select import plus
from minigrad.ops.shape import unsqueeze
from minigrad.ops.solve import _solve_triangle, adjoint, check_matrices, identity_like

__all__ = ["cholesky"]


class SVD(NamedTuple):
    """The factors of A = U @ diag(S) @ Vh."""

    U: Any
    S: Any
    Vh: Any


class Eigh(NamedTuple):
    """The eigenvalues, rising, and the eigenvectors in columns."""

    eigenvalues: Any
    eigenvectors: Any


class QR(NamedTuple):
    """The factors of A = Q @ R."""

    Q: Any
    R: Any


@primitive(input=lambda g: g)
def _phase_free(xp: Any, input: Any, *, factors: str) -> Any:
    """The input, a diagonal of cotangents times vectors; raises if it asks for their phase."""
    if input.dtype.kind == "c" and input.size:
        size = float(abs(input.imag).max())
        if size > 1e-2 * max(1.0, float(abs(input.real).max())):
            raise ArgumentError(
                f"{factors} of complex matrices are determined up to a phase, on which the value "
                f"that is differentiated depends (by {size:.2g}); make it independent, for example "
                f"by taking absolute values"
            )
    return input


def _between(values: Any) -> Any:
    """values[j] - values[i] in row i and column j, and ones on the diagonal."""
    return unsqueeze(values, -2) - unsqueeze(values, -1) + identity_like(values)


def _svd_rule(g: Any, out: Any, shape: tuple[int, ...]) -> Any:
    """The cotangent of A from those of its factors, in torch's conjugated convention inside.

    J. Townsend, "Differentiating the singular value decomposition", 2016; for complex matrices
    Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD", 2019.
    """
    U, S, Vh = out
    rows, columns, k = shape[-2], shape[-1], S.shape[-1]
    U, Vh = _columns(U, k), _rows(Vh, k)
    gU = None if g[0] is None else conj(_columns(g[0], k))
    gS = g[1]
    gVh = None if g[2] is None else conj(_rows(g[2], k))
    inner = None if gS is None else convert(diag_embed(gS), U.dtype)
    across, down = unsqueeze(S, -2), unsqueeze(S, -1)
    turn_u = turn_v = None
    if gU is not None:
        product = adjoint(U) @ gU
        turn_u = product - adjoint(product)
    if gVh is not None:
        product = Vh @ adjoint(gVh)
        turn_v = product - adjoint(product)
    if turn_u is not None or turn_v is not None:
        squares = S * S
        gaps = _between(squares)
        turns = plus(None if turn_u is None else turn_u * across,
                     None if turn_v is None else down * turn_v)  # fmt: skip
        inner = plus(inner, turns / gaps)
    if U.dtype.kind == "c" and turn_u is not None and turn_v is not None:
        phases = diagonal(turn_u, 0, -2, -1)
        _phase_free(phases + diagonal(turn_v, 0, -2, -1), factors="svd(): singular vectors")
        # Half of the difference is in `turns` already, over a gap of one and times S.
        inner = inner + diag_embed(phases / (2 * S))
    left = None if inner is None else U @ inner @ Vh
    if rows > k and gU is not None:
        scaled = gU / across
        left = plus(left, (scaled - U @ (adjoint(U) @ scaled)) @ Vh)
    if columns > k and gVh is not None:
        scaled = gVh / down
        left = plus(left, U @ (scaled - (scaled @ adjoint(Vh)) @ Vh))
    return conj(left)


def _columns(x: Any, count: int) -> Any:
    return x if x.shape[-1] == count else getitem(x, index=(Ellipsis, slice(count)))


def _rows(x: Any, count: int) -> Any:
    return x if x.shape[-2] == count else getitem(x, index=(Ellipsis, slice(count), slice(None)))


@Declaration(outputs=3)(A=_svd_rule)
def _svd(xp: Any, A: Any, *, full_matrices: bool) -> Any:
    return tuple(xp.linalg.svd(A, full_matrices=full_matrices))


@primitive()
def _svdvals(xp: Any, A: Any) -> Any:
    return xp.linalg.svd(A, compute_uv=False)


def svd(A: Any, full_matrices: bool = True, *, driver: Any = None) -> SVD:
    """The singular value decomposition A = U @ diag(S) @ Vh, singular values falling.

    A is [..., m, n]. U is [..., m, m] and Vh [..., n, n], or with `full_matrices` False
    [..., m, k] and [..., k, n], k the smaller. Gradients need distinct singular values, and a
    value that does not depend on the vectors' signs or phases.
    """
    check_matrices("linalg.svd", A)
    _check_driver("linalg.svd", driver)
    return SVD(*_svd(A, full_matrices=full_matrices))


def _check_driver(operation: str, driver: Any) -> None:
    if driver is not None:
        raise ArgumentError(
            f"{operation}(): argument 'driver' is {driver!r}; there is one method, leave it out"
        )


def svdvals(A: Any, *, driver: Any = None) -> Any:
    """The singular values of each matrix, falling."""
    check_matrices("linalg.svdvals", A)
    _check_driver("linalg.svdvals", driver)
    if is_followed(A):
        return _svd(A, full_matrices=False)[1]
    return _svdvals(A)


def _eigh_rule(g: Any, out: Any) -> Any:
    values, vectors = out
    inner = None if g[0] is None else convert(diag_embed(g[0]), vectors.dtype)
    if g[1] is not None:
        turned = adjoint(vectors) @ conj(g[1])
        _phase_free(diagonal(turned, 0, -2, -1), factors="eigh(): eigenvectors")
        off = turned - diag_embed(diagonal(turned, 0, -2, -1))
        inner = plus(inner, off / _between(values))
    return conj(vectors @ inner @ adjoint(vectors))


@Declaration(outputs=2)(A=_eigh_rule)
def _eigh(xp: Any, A: Any, *, UPLO: str) -> Any:
    return tuple(xp.linalg.eigh(A, UPLO))


@primitive()
def _eigvalsh(xp: Any, A: Any, *, UPLO: str) -> Any:
    return xp.linalg.eigvalsh(A, UPLO)


def eigh(A: Any, UPLO: str = "L") -> Eigh:
    """Eigenvalues, rising, and eigenvectors of Hermitian matrices, of which one triangle is read.

    Gradients of the vectors need distinct eigenvalues and a value that does not depend on the
    vectors' signs or phases.
    """
    _check_triangle("linalg.eigh", A, UPLO)
    return Eigh(*_eigh(A, UPLO=UPLO.upper()))


def eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices, rising."""
    _check_triangle("linalg.eigvalsh", A, UPLO)
    if is_followed(A):
        return _eigh(A, UPLO=UPLO.upper())[0]
    return _eigvalsh(A, UPLO=UPLO.upper())


def _check_triangle(operation: str, A: Any, UPLO: str) -> None:
    check_matrices(operation, A, square=True)
    if UPLO.upper() not in ("L", "U"):
        raise ArgumentError(f"{operation}(): argument 'UPLO' is {UPLO!r}, not 'L' or 'U'")


def _qr_rule(g: Any, out: Any, mode: str) -> Any:
    """The cotangent of a matrix at least as tall as wide."""
    if mode != "reduced" and (mode == "r" or out[0].shape[-1] != out[1].shape[-1]):
        raise ArgumentError(f"qr(): mode {mode!r} has no gradient here; use mode 'reduced'")
    Q, R = out
    inner = None if g[1] is None else conj(g[1]) @ adjoint(R)
    gQ = None if g[0] is None else conj(g[0])
    if gQ is not None:
        inner = plus(inner, -(adjoint(Q) @ gQ))
    upper = triu(inner)
    doubled = upper + adjoint(upper)
    diagonals = diagonal(doubled, 0, -2, -1)
    # Half of the diagonal, which is real: it was added to itself.
    left = Q @ (doubled - diag_embed(diagonals) * 0.5)
    left = plus(left, gQ)
    return conj(adjoint(_solve_triangle(R, adjoint(left), upper=True)))


@Declaration(outputs=2)(A=_qr_rule)
def _qr(xp: Any, A: Any, *, mode: str) -> Any:
    if mode == "r":
        R = xp.linalg.qr(A, mode="r")
        return xp.empty((0,), A.dtype), R
    return tuple(xp.linalg.qr(A, mode=mode))


def qr(A: Any, mode: str = "reduced") -> QR:
    """The decomposition A = Q @ R, Q with orthonormal columns, R upper triangular.

    `mode` "complete" makes Q square, "r" leaves Q empty. Gradients need full rank, and for tall
    matrices mode "reduced".
    """
    check_matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(
            f"linalg.qr(): argument 'mode' is {mode!r}, not 'reduced', 'complete' or 'r'"
        )
    rows, columns = A.shape[-2], A.shape[-1]
    if rows >= columns or mode == "r":
        return QR(*_qr(A, mode=mode))
    # A wide matrix: the square on its left decides Q, and the rest of R follows.
    Q, R = _qr(_columns(A, rows), mode="reduced")
    rest = getitem(A, index=(Ellipsis, slice(rows, None)))
    return QR(Q, cat((R, adjoint(Q) @ rest), -1))


def _cholesky_rule(g: Any, out: Any) -> Any:
    """S. P. Smith, "Differentiation of the Cholesky algorithm", 1995, in matrix form."""
    lower = tril(adjoint(out) @ conj(g))
    upper = adjoint(lower)
    middle = (lower + upper - diag_embed(diagonal(upper, 0, -2, -1))) * 0.5
    outer = _solve_triangle(adjoint(out), middle, upper=True)
    return conj(adjoint(_solve_triangle(adjoint(out), adjoint(outer), upper=True)))


@primitive(A=_cholesky_rule)
def _cholesky(xp: Any, A: Any, *, upper: bool) -> Any:
    """The lower factor, made of the triangle asked for."""
    return xp.linalg.cholesky(A.conj().swapaxes(-1, -2) if upper else A)


def cholesky(A: Any, *, upper: bool = False) -> Any:
    """The lower triangular L with L @ L.mH = A, for Hermitian positive definite A.

    With `upper` its conjugate transpose. Raises ArgumentError for a matrix that is not positive
    definite; only the lower triangle is read, with `upper` only the upper one.
    """
    check_matrices("linalg.cholesky", A, square=True)
    L = _cholesky(A, upper=upper)
    return adjoint(L) if upper else L
