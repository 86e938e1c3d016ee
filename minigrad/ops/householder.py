"""Products of Householder's reflections, in which LAPACK keeps the Q of a QR decomposition."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.errors import ArgumentError
from minigrad.graph import Declaration
from minigrad.ops.diagonal import diag_embed, tril, triu
from minigrad.ops.factor import _columns, _rows
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.matmul import matmul
from minigrad.ops.shape import unsqueeze
from minigrad.ops.solve import (
    _solve_triangle,
    adjoint,
    check_matrices,
    check_same_dtype,
    identity_like,
    require_no_gradient,
    turned,
)

__all__ = ["geqrf", "orgqr", "ormqr"]


class Geqrf(NamedTuple):
    """R with the reflections below its diagonal, and their factors."""

    a: Any
    tau: Any


@Declaration(outputs=2)()
def _geqrf(xp: Any, A: Any) -> Any:
    reflections, tau = xp.linalg.qr(A, mode="raw")
    return reflections.swapaxes(-1, -2), tau


def geqrf(input: Any) -> Geqrf:
    """LAPACK's QR decomposition: R in the upper triangle, reflections below, and their `tau`.

    `linalg.householder_product` makes Q of them. It has no gradient; `linalg.qr` has one. Raises
    RuntimeError where one is wanted.
    """
    check_matrices("geqrf", input, name="input")
    require_no_gradient("geqrf", input, "linalg.qr()")
    return Geqrf(*_geqrf(input))


def _reflections(input: Any, tau: Any) -> tuple[Any, Any]:
    """V and T of Q = I - V @ T @ V.mH, where Q is the product of the I - tau[i] * v[i] @ v[i].mH.

    C. Puglisi, "Modification of the Householder method based on the compact WY representation",
    1992; written so that a tau may be zero.
    """
    count = tau.shape[-1]
    below = tril(_columns(input, count), -1)
    ones = identity_like(below)
    if input.shape[-2] > count:
        rest = getitem(below, index=(Ellipsis, slice(count, None), slice(None)))
        V = cat((_rows(below, count) + ones, rest), -2)
    else:
        V = below + ones
    overlaps = triu(matmul(adjoint(V), V), 1)
    T = _solve_triangle(ones + unsqueeze(tau, -1) * overlaps, diag_embed(tau), upper=True)
    return V, T


def _check(operation: str, input: Any, tau: Any, name: str) -> None:
    check_matrices(operation, input, name=name)
    check_same_dtype(operation, **{name: input, "tau": tau})
    rows, columns = input.shape[-2:]
    if (
        tau.ndim != input.ndim - 1
        or tuple(tau.shape[:-1]) != tuple(input.shape[:-2])
        or tau.shape[-1] > min(rows, columns)
    ):
        raise ArgumentError(
            f"{operation}(): argument '{name}' has shape {list(input.shape)} and 'tau' "
            f"{list(tau.shape)}; 'tau' must have the same leading dimensions, and at most as many "
            f"elements as the matrices have columns, and rows"
        )


def householder_product(A: Any, tau: Any) -> Any:
    """The first n columns of a product of reflections, from A [..., m, n] and tau [..., k].

    A holds them below its diagonal, as `geqrf` gives them; m >= n >= k.
    """
    operation = "linalg.householder_product"
    _check(operation, A, tau, "A")
    rows, columns = A.shape[-2:]
    if rows < columns:
        raise ArgumentError(
            f"{operation}(): argument 'A' has shape {list(A.shape)}; it must not be wider than tall"
        )
    V, T = _reflections(A, tau)
    whole = _columns(identity_like(turned(A)), columns)
    return whole - matmul(V, matmul(T, adjoint(_rows(V, columns))))


orgqr = householder_product


def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """The product Q @ other, with `left` False other @ Q, of Q as `geqrf` keeps it, all of it.

    `transpose` takes Q's conjugate transpose.
    """
    _check("ormqr", input, tau, "input")
    check_matrices("ormqr", other, name="other")
    check_same_dtype("ormqr", input=input, other=other)
    rows = input.shape[-2]
    if other.shape[:-2] != input.shape[:-2] or other.shape[-2 if left else -1] != rows:
        raise ArgumentError(
            f"ormqr(): argument 'input' has shape {list(input.shape)} and 'other' "
            f"{list(other.shape)}; they must have the same leading dimensions, and other's "
            f"{'rows' if left else 'columns'} must be as many as input's rows"
        )
    V, T = _reflections(input, tau)
    if transpose:
        T = adjoint(T)
    if left:
        return other - matmul(V, matmul(T, matmul(adjoint(V), other)))
    return other - matmul(matmul(matmul(other, V), T), adjoint(V))
