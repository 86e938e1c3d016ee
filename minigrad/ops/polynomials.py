"""The orthogonal polynomials of Chebyshev, Hermite, Laguerre and Legendre, with derivatives.

In all of them a tensor or a number may stand for the point x and for the degree n, which is cut to
an integer; a polynomial of negative degree is 0. They are differentiable in x.
"""

from __future__ import annotations

from typing import Any

from minigrad.ops.formulas import evaluate
from minigrad.ops.promotion import quotient
from minigrad.ops.select import zero


@quotient(
    x=lambda g, x, n, family, order: g * _polynomial(x, n, family=family, order=order + 1),
    n=lambda g: zero(g),
)
def _polynomial(xp: Any, x: Any, n: Any, *, family: str, order: int) -> Any:
    """A derivative of one family's polynomials."""
    return evaluate(xp, "polynomials.polynomial", x, n, family=family, order=order)


def chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the first kind of degree n, T_n(x).

    >>> import minigrad
    >>> minigrad.special.chebyshev_polynomial_t(minigrad.tensor([0.0, 0.5, 2.0]), 2)
    tensor([-1.0000, -0.5000,  7.0000])
    """
    return _polynomial(x, n, family="t", order=0)


def chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the second kind of degree n, U_n(x)."""
    return _polynomial(x, n, family="u", order=0)


def chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the third kind of degree n, V_n(x)."""
    return _polynomial(x, n, family="v", order=0)


def chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    """The Chebyshev polynomial of the fourth kind of degree n, W_n(x)."""
    return _polynomial(x, n, family="w", order=0)


def shifted_chebyshev_polynomial_t(x: Any, n: Any) -> Any:
    """The polynomial of `chebyshev_polynomial_t` moved from [-1, 1] to [0, 1]: T_n(2 x - 1)."""
    return _polynomial(x, n, family="shifted t", order=0)


def shifted_chebyshev_polynomial_u(x: Any, n: Any) -> Any:
    """The polynomial of `chebyshev_polynomial_u` moved from [-1, 1] to [0, 1]: U_n(2 x - 1)."""
    return _polynomial(x, n, family="shifted u", order=0)


def shifted_chebyshev_polynomial_v(x: Any, n: Any) -> Any:
    """The polynomial of `chebyshev_polynomial_v` moved from [-1, 1] to [0, 1]: V_n(2 x - 1)."""
    return _polynomial(x, n, family="shifted v", order=0)


def shifted_chebyshev_polynomial_w(x: Any, n: Any) -> Any:
    """The polynomial of `chebyshev_polynomial_w` moved from [-1, 1] to [0, 1]: W_n(2 x - 1)."""
    return _polynomial(x, n, family="shifted w", order=0)


def hermite_polynomial_h(x: Any, n: Any) -> Any:
    """The physicists' Hermite polynomial of degree n, H_n(x)."""
    return _polynomial(x, n, family="h", order=0)


def hermite_polynomial_he(x: Any, n: Any) -> Any:
    """The probabilists' Hermite polynomial of degree n, He_n(x)."""
    return _polynomial(x, n, family="he", order=0)


def laguerre_polynomial_l(x: Any, n: Any) -> Any:
    """The Laguerre polynomial of degree n, L_n(x)."""
    return _polynomial(x, n, family="l", order=0)


def legendre_polynomial_p(x: Any, n: Any) -> Any:
    """The Legendre polynomial of degree n, P_n(x)."""
    return _polynomial(x, n, family="p", order=0)
