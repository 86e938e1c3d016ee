"""The regularised incomplete gamma functions: a series, a continued fraction, Temme's expansion."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

from minigrad.ops.error_function import erfc_values
from minigrad.ops.formulas import in_cases, polynomial
from minigrad.ops.formulas.gamma import lgamma1p, stirling

_TERMS = 500
_DEPTH = 100
"""Steps of the continued fraction; it is worst at x = 1.1, where 85 are enough."""
_EPSILON = 2.0**-53


def igamma(xp: Any, a: Any, x: Any) -> Any:
    """The lower function, P(a, x); NaN for negative a or x, and where both are 0 or infinite."""
    return _evaluate(xp, a, x, False)


def igammac(xp: Any, a: Any, x: Any) -> Any:
    """The upper function, Q(a, x) = 1 - P(a, x)."""
    return _evaluate(xp, a, x, True)


def _evaluate(xp: Any, a: Any, x: Any, is_upper: bool) -> Any:
    """Each pair by the method that gives one of P and Q at no loss; the other is 1 less that."""
    inside = (a > 0) & (x > 0) & (a < math.inf) & (x < math.inf)
    centred = xp.abs(x - a) / xp.where(inside, a, 1.0)
    temme = inside & (a > 20) & ((centred < 0.3) | ((a > 200) & (centred * xp.sqrt(a) < 4.5)))
    rest = inside & ~temme
    # Where x is small and Q is not near 1 the difference 1 - P would lose digits of Q.
    beside_pole = rest & (x <= 1.1) & xp.where(x <= 0.5, a <= -0.4 / xp.log(x), a <= 1.1 * x)
    fraction = rest & ~beside_pole & (x > 1.1) & (x >= a)
    series = rest & ~beside_pole & ~fraction
    zero = ((x == 0) & (a > 0)) | ((a == math.inf) & (x >= 0) & (x < math.inf))
    one = ((a == 0) & (x > 0)) | ((x == math.inf) & (a >= 0) & (a < math.inf))

    def either(value: Any, gives_upper: bool) -> Any:
        return value if gives_upper == is_upper else 1 - value

    return in_cases(
        xp,
        (
            (temme, lambda a, x: _temme(xp, a, x, is_upper)),
            (series, lambda a, x: either(_series(xp, a, x), False)),
            (fraction, lambda a, x: either(_fraction(xp, a, x), True)),
            (beside_pole, lambda a, x: either(_beside_pole(xp, a, x), True)),
            (zero, lambda a, x: xp.full(a.shape, float(is_upper))),
            (one, lambda a, x: xp.full(a.shape, float(not is_upper))),
        ),
        a,
        x,
    )


def _log_ratio_less(xp: Any, a: Any, x: Any) -> Any:
    """log(x / a) - (x - a) / a, without loss also for x near a."""
    shift = (x - a) / a
    root = shift / (2 + shift)
    square = root * root
    series = polynomial(square, [1 / (2 * k + 3) for k in range(17)])
    near = root * (2 * square * series - shift)
    return xp.where(xp.abs(shift) < 0.5, near, xp.log(x / a) - shift)


def density(xp: Any, a: Any, x: Any) -> Any:
    """x ** a * exp(-x) / gamma(a), for positive and finite a and x."""

    def small(a: Any, x: Any) -> Any:
        return a * x**a * xp.exp(-x - lgamma1p(xp, a))

    def large(a: Any, x: Any) -> Any:
        exponent = a * _log_ratio_less(xp, a, x) - stirling(a)
        return xp.sqrt(a / (2 * math.pi)) * xp.exp(exponent)

    return in_cases(xp, ((a < 10, small), (a >= 10, large)), a, x)


def _series(xp: Any, a: Any, x: Any) -> Any:
    """P as a power series (DLMF 8.11.4)."""
    term = 1 / a
    total = term.copy()
    for k in range(1, _TERMS):
        term = term * (x / (a + k))
        total += term
        if not (term > _EPSILON * total).any():
            break
    return total * density(xp, a, x)


def _fraction(xp: Any, a: Any, x: Any) -> Any:
    """Q as a continued fraction (DLMF 8.9.2), from its end, where nothing adds up to an error."""
    start = x + 1 - a
    value = start + 2 * _DEPTH
    for k in range(_DEPTH, 0, -1):
        value = start + 2 * (k - 1) + k * (a - k) / value
    return density(xp, a, x) / value


def _beside_pole(xp: Any, a: Any, x: Any) -> Any:
    """Q for small x: 1 - x ** a / gamma(1 + a), less the rest of the series (DLMF 8.7.3)."""
    factor = xp.ones_like(x)
    total = xp.zeros_like(x)
    for k in range(1, 30):
        factor = factor * (x / -k)
        total += factor / (a + k)
    logarithm = a * xp.log(x) - lgamma1p(xp, a)
    return -xp.expm1(logarithm) - a * xp.exp(logarithm) * total


@functools.cache
def _temme_table(orders: int = 14, terms: int = 26) -> list[list[float]]:
    """The coefficients d[k][n] of N. M. Temme's expansion, from their recurrence (DLMF 8.12.12).

    All of them are rational numbers: `series` inverts eta ** 2 / 2 = mu - log(1 + mu).
    """
    count = terms + 2 * orders + 2
    series = [Fraction(0), Fraction(1)]
    for n in range(2, count + 1):
        known = sum(series[i] * (n - i + 1) * series[n - i + 1] for i in range(2, n))
        series.append((series[n - 1] - known) / (n + 1))
    first = [(n + 2) * series[n + 2] for n in range(count - 1)]
    first[0] -= 1
    rows = [first]
    gamma = Fraction(1)
    for k in range(1, orders):
        gamma = series[2 * k + 1] * math.prod(range(1, 2 * k + 2, 2))
        sign = (-1) ** k
        before = rows[-1]
        rows.append(
            [(n + 2) * before[n + 2] + sign * gamma * first[n] for n in range(len(before) - 2)]
        )
    return [[float(value) for value in row[:terms]] for row in rows]


def _temme(xp: Any, a: Any, x: Any, is_upper: bool) -> Any:
    """P or Q for large a and x near it (DLMF 8.12.3 to 8.12.7)."""
    half_square = -_log_ratio_less(xp, a, x)
    eta = xp.copysign(xp.sqrt(2 * half_square), x - a)
    series = xp.zeros_like(a)
    for row in reversed(_temme_table()):
        series = series / a + polynomial(eta, row)
    rest = series * xp.exp(-a * half_square) / xp.sqrt(2 * math.pi * a)
    side = 1.0 if is_upper else -1.0
    return 0.5 * erfc_values(xp, side * xp.sqrt(0.5 * a) * eta) + side * rest
