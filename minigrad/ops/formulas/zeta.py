"""The Hurwitz zeta function, by Euler and Maclaurin's sum, and the derivatives of the digamma."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.formulas import in_cases
from minigrad.ops.formulas.gamma import BERNOULLI, digamma

# What is multiplied by s (s + 1) ... (s + 2 j) / w ** (2 j + 1): B2 / 2!, B4 / 4!, ...
_TAIL = tuple(b / math.factorial(k) for b, k in zip(BERNOULLI, range(2, 26, 2)))
_STEPS = 9


def _scaled(xp: Any, s: Any, q: Any) -> Any:
    """zeta(s, q) * q ** s for s > 1 and finite q > 0 (DLMF 25.11.5); it never overflows."""
    total = xp.ones_like(q)
    for k in range(1, _STEPS):
        total += (q / (q + k)) ** s
    end = q + _STEPS
    last = (q / end) ** s
    total += last * (end / (s - 1) + 0.5)
    factor = s / end
    rest = factor * _TAIL[0]
    for j, coefficient in enumerate(_TAIL[1:], 1):
        factor = factor * ((s + (2 * j - 1)) / end) * ((s + 2 * j) / end)
        rest = rest + factor * coefficient
    return total + xp.where(last > 0, last * rest, 0.0)


def _positive(xp: Any, s: Any, q: Any) -> Any:
    return _scaled(xp, s, q) * q**-s


def _reflected(xp: Any, positive: Any, s: Any, q: Any) -> Any:
    """The sum over (q + k) ** -s for whole s and q below 0, from sums with positive q."""
    part = -q - xp.floor(-q)
    sign = 1 - 2 * (s % 2)
    return positive(s, 1 - part) + sign * (positive(s, part) - positive(s, 1 - q))


def zeta(xp: Any, s: Any, q: Any) -> Any:
    """The sum of (q + k) ** -s over k = 0, 1, ...: infinite at s = 1 and q = 0, -1, ...

    NaN for s < 1, and below q = 0 for s that is not whole.
    """

    def positive(s: Any, q: Any) -> Any:
        return _positive(xp, s, q)

    right = (s > 1) & (q > 0) & (q < math.inf)
    pole = (s == 1) | ((s > 1) & (q <= 0) & (q == xp.floor(q)))
    left = (s > 1) & (q < 0) & ~pole & (s == xp.floor(s))
    return in_cases(
        xp,
        (
            (right, positive),
            (pole & (q == q), lambda s, q: xp.full(q.shape, math.inf)),
            ((s > 1) & (q == math.inf), lambda s, q: xp.zeros_like(q)),
            (left, lambda s, q: _reflected(xp, positive, s, q)),
        ),
        s,
        q,
    )


def polygamma(xp: Any, x: Any, *, n: int) -> Any:
    """The n-th derivative of the digamma: n! zeta(n + 1, x) with alternating signs."""
    if n == 0:
        return digamma(xp, x)
    order = n + 1.0
    sign = -1.0 if n % 2 == 0 else 1.0

    def positive(s: Any, q: Any) -> Any:
        if n <= 20:
            return _scaled(xp, s, q) * (math.factorial(n) * q**-order)
        return _scaled(xp, s, q) * xp.exp(math.lgamma(order) - order * xp.log(q))

    pole = (x <= 0) & (x == xp.floor(x))
    value = in_cases(
        xp,
        (
            ((x > 0) & (x < math.inf), lambda x: positive(order, x)),
            (pole, lambda x: xp.full(x.shape, math.inf)),
            (x == math.inf, xp.zeros_like),
            ((x < 0) & ~pole, lambda x: _reflected(xp, positive, order, x)),
        ),
        x,
    )
    return sign * value
