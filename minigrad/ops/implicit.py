"""How random numbers move with their parameters: derivatives at a fixed value of the cdf.

A number x with distribution function F(x; a) moves as dx/da = -(dF/da) / (dF/dx): M. Figurnov,
S. Mohamed and A. Mnih, "Implicit reparameterization gradients", NeurIPS 2018. Here that quotient
is one integral of the density's slope in `a`, from one end up to x; divided by the density at x
it has an integrand that starts at a moderate number and falls, on the logarithmic scale of x. It
is summed by the double exponential rule of H. Takahasi and M. Mori (1974), which takes a half-line
of any width. Everything is made of operations, so the derivatives have derivatives in their turn.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.dtypes import float64
from minigrad.ops.functions import exp, expm1, log, log1p
from minigrad.ops.promotion import convert
from minigrad.ops.select import where

__all__: list[str] = []

_EULER = 0.57721566490153286060651209008240243
_STEP = 0.1
_FIRST, _LAST = -40, 24
_SHIFT = 12
"""From here on the asymptotic series of the digamma function is exact to a unit or two."""

# B(2 k) / (2 k), from the Bernoulli numbers.
_ASYMPTOTIC = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760)


def _nodes() -> list[tuple[float, float]]:
    """Points and weights for integrals over the positive half-line, in units of its scale."""
    nodes = []
    for place in range(_FIRST, _LAST + 1):
        t = place * _STEP
        point = math.exp(math.pi / 2 * math.sinh(t))
        nodes.append((point, _STEP * math.pi / 2 * math.cosh(t) * point))
    return nodes


_NODES = _nodes()


def _raw(value: Any) -> Any:
    """The array of a Tensor: what chooses a branch or a scale has no derivative."""
    return getattr(value, "_array", value)


def _digamma_step(a: Any, b: Any) -> Any:
    """The difference digamma(a + b) - digamma(a) for positive numbers, without cancelling."""
    total = 0
    for k in range(_SHIFT):
        total = b / ((a + k) * (a + b + k)) + total
    low = a + _SHIFT
    ratio = log1p(b / low)
    step = ratio + b / (2 * low * (low + b))
    for k, coefficient in enumerate(_ASYMPTOTIC, 1):
        # Of the terms coefficient / x ** (2 k) at both ends.
        step = step - coefficient * expm1(ratio * (-2 * k)) / low ** (2 * k)
    return step + total


def _integral(scale: Any, integrand: Any) -> Any:
    """The integral of a function over the positive half-line."""
    total = 0
    for point, weight in _NODES:
        total = integrand(scale * point) * weight + total
    return total * scale


def gamma_slope(concentration: Any, value: Any) -> Any:
    """How a gamma number of scale 1 moves with its concentration, in float64."""
    a, z = (convert(x, float64) for x in (concentration, value))
    raw_a, raw_z = _raw(a), _raw(z)
    from_below = raw_z < raw_a + 0.5 / (1 + raw_a)
    # Below 1 the density's long tail towards 0 is taken out: it has an integral of its own.
    tailed = from_below & (raw_z < 1)
    mean_log = _digamma_step(z * 0 + 1, a) - _EULER  # digamma(a + 1)
    least = mean_log - log(z)
    tail = where(tailed, exp(where(tailed, z, 0)), 0)

    def integrand(u: Any) -> Any:
        falling, growth = exp(-u), log1p(u)
        below = (1 - falling) * z - a * u
        above = (a - 1) * growth - z * u
        # From below, the pole of digamma at 0 was integrated away by parts.
        slope = where(from_below, least + z / a * (u * falling), growth - least + 1 / a)
        density = exp(where(from_below, below, above))
        return density * slope - exp(-a * u) * (tail * least)

    scale = 1 / (1 + abs(raw_a - raw_z) + raw_z**0.5)
    whole = _integral(scale, integrand) + tail * least / a
    return z * whole


def dirichlet_slope(value: Any, concentration: Any, total: Any) -> Any:
    """How a part x of a Dirichlet vector moves with its concentration, divided by 1 - x.

    The part is a beta number of that concentration and `total` less it. The result is float64.
    """
    x, a, total = (convert(part, float64) for part in (value, concentration, total))
    b = total - a
    raw_x, raw_a, raw_total = _raw(x), _raw(a), _raw(total)
    from_below = raw_x * (raw_total + 1) < raw_a + 0.5
    side = where(from_below, x, 1 - x)
    rate = where(from_below, a, b)
    sign = from_below * 2.0 - 1.0
    step = log(x) + where(from_below, _digamma_step(a + 1, b - 1), _digamma_step(a, b))
    # A long tail on the logarithmic scale is taken out, as for gamma numbers.
    log_last = log1p(-side)
    tailed = _raw(rate) < 1
    last = where(tailed, (log_last - step) * sign * exp(where(tailed, -total * log_last, 0)), 0)

    # With a large rate the density falls as an exponential of exp(u), which is then the scale.
    is_steep = _raw(rate) >= 4

    def integrand(point: Any) -> Any:
        u = where(is_steep, log1p(point), point)
        falling = exp(-u)
        log_rest = log1p(side * expm1(-u))
        bend = where(from_below, total / a * (u * falling) * (x * exp(-log_rest)), 0)
        slope = (log_rest - step) * sign + bend
        whole = exp(-(total * log_rest + rate * u)) * slope - exp(-rate * u) * last
        return whole * where(is_steep, falling, 1)

    distance = raw_a - raw_total * raw_x
    scale = 1 / (1 + abs(distance) + (raw_total * raw_x * (1 - raw_x)) ** 0.5)
    return x * (_integral(scale, integrand) + last / rate)
