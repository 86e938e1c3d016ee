"""The Bessel functions of orders 0 and 1, and the modified ones, also scaled by exponentials.

Near 0 they are Chebyshev series beside their zeros, logarithms and powers, far from it beside
their asymptotic behaviour (DLMF 10.17 and 10.40).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.ops.formulas import bessel_tables as plain
from minigrad.ops.formulas import chebyshev, in_cases
from minigrad.ops.formulas import modified_tables as modified

_EDGE = 8.0
_TWO_OVER_PI = 2 / math.pi


def _from_zeros(x: Any, table: Sequence[float], zeros: Sequence[tuple[float, float]]) -> Any:
    value = chebyshev(x * x / 32 - 1, table)
    for zero, rest in zeros:
        value = value * ((x - zero - rest) * (x + zero))
    return value


def _j0_near(x: Any) -> Any:
    return _from_zeros(x, plain.J0_NEAR, plain.J0_ZEROS)


def _j1_near(x: Any) -> Any:
    return x * _from_zeros(x, plain.J1_NEAR, plain.J1_ZEROS)


def _waves(xp: Any, x: Any, p_table: Sequence[float], q_table: Sequence[float]) -> Any:
    """P, Q and the cosine and sine of x - pi / 4, times the wave's height, for x from 8 on."""
    relative = _EDGE / x
    t = 2 * relative * relative - 1
    height = 1 / xp.sqrt(math.pi * x)
    # Of angles that are not rounded: x - pi / 4 would be.
    cosine, sine = xp.cos(x), xp.sin(x)
    p, q = chebyshev(t, p_table), relative * chebyshev(t, q_table)
    return p, q, height * (cosine + sine), height * (sine - cosine)


def _j0_far(xp: Any, x: Any) -> Any:
    p, q, cosine, sine = _waves(xp, x, plain.P0_FAR, plain.Q0_FAR)
    return p * cosine - q * sine


def _y0_far(xp: Any, x: Any) -> Any:
    p, q, cosine, sine = _waves(xp, x, plain.P0_FAR, plain.Q0_FAR)
    return p * sine + q * cosine


def _j1_far(xp: Any, x: Any) -> Any:
    p, q, cosine, sine = _waves(xp, x, plain.P1_FAR, plain.Q1_FAR)
    return p * sine + q * cosine


def _y1_far(xp: Any, x: Any) -> Any:
    p, q, cosine, sine = _waves(xp, x, plain.P1_FAR, plain.Q1_FAR)
    return q * sine - p * cosine


def _by_size(xp: Any, x: Any, near: Any, far: Any) -> Any:
    """One formula up to 8, one beyond, and 0 at infinity."""
    cases = (
        (x <= _EDGE, near),
        ((x > _EDGE) & (x < math.inf), lambda x: far(xp, x)),
        (x == math.inf, xp.zeros_like),
    )
    return in_cases(xp, cases, x)


def bessel_j0(xp: Any, x: Any) -> Any:
    """The Bessel function of the first kind, order 0."""
    return _by_size(xp, xp.abs(x), _j0_near, _j0_far)


def bessel_j1(xp: Any, x: Any) -> Any:
    """The Bessel function of the first kind, order 1."""
    value = _by_size(xp, xp.abs(x), _j1_near, _j1_far)
    return xp.where(x < 0, -value, value)


def bessel_y0(xp: Any, x: Any) -> Any:
    """The Bessel function of the second kind, order 0: minus infinity at 0, NaN below."""

    def near(x: Any) -> Any:
        logarithm = _TWO_OVER_PI * xp.log(x) * _j0_near(x)
        return logarithm + chebyshev(x * x / 32 - 1, plain.Y0_NEAR)

    return _by_size(xp, x, near, _y0_far)


def bessel_y1(xp: Any, x: Any) -> Any:
    """The Bessel function of the second kind, order 1: minus infinity at 0, NaN below."""

    def near(x: Any) -> Any:
        logarithm = xp.where(x == 0, 0.0, xp.log(x)) * _j1_near(x)
        regular = x * chebyshev(x * x / 32 - 1, plain.Y1_NEAR)
        return _TWO_OVER_PI * (logarithm - 1 / xp.abs(x)) + regular

    return _by_size(xp, xp.where(x < 0, math.nan, x), near, _y1_far)


def _i_scaled(xp: Any, size: Any, near: Sequence[float], far: Sequence[float], power: int) -> Any:
    """exp(-x) I(x) of x of at least 0."""
    cases = (
        (size <= _EDGE, lambda x: x**power * chebyshev(x / 4 - 1, near)),
        (size > _EDGE, lambda x: chebyshev(16 / x - 1, far) / xp.sqrt(x)),
    )
    return in_cases(xp, cases, size)


def i0e(xp: Any, x: Any) -> Any:
    """exp(-|x|) times the modified Bessel function of the first kind, order 0."""
    return _i_scaled(xp, xp.abs(x), modified.I0_NEAR, modified.I0_FAR, 0)


def i1e(xp: Any, x: Any) -> Any:
    """exp(-|x|) times the modified Bessel function of the first kind, order 1."""
    size = xp.abs(x)
    value = _i_scaled(xp, size, modified.I1_NEAR, modified.I1_FAR, 1)
    return xp.where(x < 0, -value, value)


def _unscaled(xp: Any, x: Any, scaled: Any) -> Any:
    # In two steps, since the exponential overflows before the product does.
    growth = xp.exp(0.5 * xp.abs(x))
    return xp.where(xp.abs(x) == math.inf, x, scaled * growth * growth)


def i0(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind, order 0."""
    size = xp.abs(x)
    return _unscaled(xp, size, i0e(xp, size))


def i1(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the first kind, order 1."""
    return _unscaled(xp, x, i1e(xp, x))


def _k(xp: Any, x: Any, near: Any, far: Sequence[float], is_scaled: bool) -> Any:
    """K(x), or exp(x) K(x): infinite at 0, NaN below."""

    def up_to_two(x: Any) -> Any:
        value = near(xp, x)
        return value * xp.exp(x) if is_scaled else value

    def beyond(x: Any) -> Any:
        value = chebyshev(4 / x - 1, far) / xp.sqrt(x)
        return value if is_scaled else value * xp.exp(-x)

    cases = (
        ((x > 0) & (x <= 2), up_to_two),
        (x > 2, beyond),
        (x == 0, lambda x: xp.full(x.shape, math.inf)),
    )
    return in_cases(xp, cases, x)


def _k0_near(xp: Any, x: Any) -> Any:
    return chebyshev(x * x / 2 - 1, modified.K0_NEAR) - xp.log(x / 2) * i0(xp, x)


def _k1_near(xp: Any, x: Any) -> Any:
    return chebyshev(x * x / 2 - 1, modified.K1_NEAR) / x + xp.log(x / 2) * i1(xp, x)


def modified_bessel_k0(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind, order 0."""
    return _k(xp, x, _k0_near, modified.K0_FAR, False)


def modified_bessel_k1(xp: Any, x: Any) -> Any:
    """The modified Bessel function of the second kind, order 1."""
    return _k(xp, x, _k1_near, modified.K1_FAR, False)


def scaled_modified_bessel_k0(xp: Any, x: Any) -> Any:
    """exp(x) times the modified Bessel function of the second kind, order 0."""
    return _k(xp, x, _k0_near, modified.K0_FAR, True)


def scaled_modified_bessel_k1(xp: Any, x: Any) -> Any:
    """exp(x) times the modified Bessel function of the second kind, order 1."""
    return _k(xp, x, _k1_near, modified.K1_FAR, True)


def spherical_bessel_j0(xp: Any, x: Any) -> Any:
    """The spherical Bessel function of the first kind, order 0: sin(x) / x."""
    usual = (x != 0) & (xp.abs(x) < math.inf)
    cases = (
        (usual, lambda x: xp.sin(x) / x),
        (x == 0, xp.ones_like),
        (xp.abs(x) == math.inf, xp.zeros_like),
    )
    return in_cases(xp, cases, x)
