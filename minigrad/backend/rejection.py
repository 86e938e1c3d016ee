"""Draws that are proposed and refused until they fit: gamma, Poisson and binomial numbers.

All are computed in float64. Only what was refused is proposed again, so the number of words that
a draw takes depends on their values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy

if TYPE_CHECKING:
    from minigrad.backend.random import Generator

_FEW = 10
"""Below this mean, counts are found by adding up probabilities."""

_MOST_STEPS = 150
"""With a mean below `_FEW` a larger count has a probability below 1e-100."""


def log_gamma(generator: Generator, xp: Any, concentration: Any) -> Any:
    """Logarithms of gamma numbers of scale 1; nan where the concentration is not positive.

    G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26
    (2000). Below 1 the number is that of concentration + 1 times u ** (1 / concentration), which
    as a logarithm does not underflow.
    """
    alpha = concentration.reshape(-1).astype(numpy.float64)
    d = xp.where(alpha < 1, alpha + 1, alpha) - 1 / 3
    out = xp.full(alpha.shape, math.nan)
    waiting = xp.flatnonzero((alpha > 0) & (alpha < math.inf))
    while waiting.size:
        center = d[waiting]
        normal = generator.normal(xp, waiting.size, "float64")
        uniform = 1 - generator.uniform(xp, waiting.size, "float64")
        cube = (1 + normal / xp.sqrt(9 * center)) ** 3
        positive = cube > 0
        logarithm = xp.log(xp.where(positive, cube, 1))
        bound = 0.5 * normal * normal + center * (1 - cube + logarithm)
        fits = positive & (xp.log(uniform) < bound)
        out[waiting[fits]] = (xp.log(center) + logarithm)[fits]
        waiting = waiting[~fits]
    boosted = xp.flatnonzero(alpha < 1)
    if boosted.size:
        uniform = 1 - generator.uniform(xp, boosted.size, "float64")
        with numpy.errstate(divide="ignore", invalid="ignore", over="ignore"):
            out[boosted] += xp.log(uniform) / alpha[boosted]
    return out.reshape(concentration.shape)


def poisson(generator: Generator, xp: Any, rate: Any) -> Any:
    """Counts of mean `rate`, as float64; nan where the rate is negative or nan."""
    lam = rate.reshape(-1).astype(numpy.float64)
    out = xp.full(lam.shape, math.nan)
    few = xp.flatnonzero((lam >= 0) & (lam < _FEW))
    small = lam[few]
    out[few] = _added_up(generator, xp, xp.exp(-small), lambda k: small / k)
    many = xp.flatnonzero((lam >= _FEW) & (lam < math.inf))
    out[many] = _poisson_transformed(generator, xp, lam[many])
    return out.reshape(rate.shape)


def _added_up(generator: Generator, xp: Any, least: Any, ratio: Any) -> Any:
    """Counts k by the sum of their probabilities, each `ratio(k)` times the one before."""
    uniform = generator.uniform(xp, least.size, "float64")
    probability = least
    total = least
    count = xp.zeros(least.shape)
    for k in range(1, _MOST_STEPS):
        beyond = uniform >= total
        if not bool(beyond.any()):
            break
        count += beyond
        probability = probability * ratio(k)
        total = total + probability
    return count


def _poisson_transformed(generator: Generator, xp: Any, lam: Any) -> Any:
    """PTRS: W. Hörmann, "The transformed rejection method for generating Poisson random
    variables", Insurance: Mathematics and Economics 12 (1993).
    """
    b = 0.931 + 2.53 * xp.sqrt(lam)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    squeeze = 0.9277 - 3.6224 / (b - 2)
    out = xp.empty(lam.shape)
    waiting = xp.arange(lam.size)
    while waiting.size:
        lam_, a_, b_ = lam[waiting], a[waiting], b[waiting]
        u = generator.uniform(xp, waiting.size, "float64") - 0.5
        v = 1 - generator.uniform(xp, waiting.size, "float64")
        us = 0.5 - xp.abs(u)
        us = xp.maximum(us, 2.0**-54)
        k = xp.floor((2 * a_ / us + b_) * u + lam_ + 0.43)
        inside = xp.maximum(k, 0)
        height = v * inverse_alpha[waiting] / (a_ / (us * us) + b_)
        bound = inside * xp.log(lam_) - lam_ - _log_factorial(xp, inside)
        quick = (us >= 0.07) & (v <= squeeze[waiting])
        refused = (k < 0) | ((us < 0.013) & (v > us))
        fits = quick | (~refused & (xp.log(height) <= bound))
        out[waiting[fits]] = k[fits]
        waiting = waiting[~fits]
    return out


def binomial(generator: Generator, xp: Any, count: Any, probability: Any) -> Any:
    """Successes among `count` trials, as float64; both arrays have one shape.

    The result is nan where a count is negative or a probability outside [0, 1].
    """
    n = count.reshape(-1).astype(numpy.float64)
    p = probability.reshape(-1).astype(numpy.float64)
    likely = p > 0.5
    rarer = xp.where(likely, 1 - p, p)
    proper = (n >= 0) & (n < math.inf) & (p >= 0) & (p <= 1)
    out = xp.full(n.shape, math.nan)
    few = xp.flatnonzero(proper & (n * rarer < _FEW))
    trials, odds = n[few], rarer[few] / (1 - rarer[few])
    none = xp.exp(trials * xp.log1p(-rarer[few]))
    drawn = _added_up(generator, xp, none, lambda k: xp.maximum(trials - k + 1, 0) / k * odds)
    # Rounding may leave the sum of all probabilities below the number drawn.
    out[few] = xp.minimum(drawn, trials)
    many = xp.flatnonzero(proper & (n * rarer >= _FEW))
    out[many] = _binomial_transformed(generator, xp, n[many], rarer[many])
    return xp.where(likely, n - out, out).reshape(count.shape)


def _binomial_transformed(generator: Generator, xp: Any, n: Any, p: Any) -> Any:
    """BTRS: W. Hörmann, "The generation of binomial random variates", Journal of Statistical
    Computation and Simulation 46 (1993).
    """
    spread = xp.sqrt(n * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    center = n * p + 0.5
    squeeze = 0.92 - 4.2 / b
    alpha = (2.83 + 5.1 / b) * spread
    odds = xp.log(p / (1 - p))
    mode = xp.floor((n + 1) * p)
    top = _log_factorial(xp, mode) + _log_factorial(xp, n - mode)
    out = xp.empty(n.shape)
    waiting = xp.arange(n.size)
    while waiting.size:
        n_, a_, b_ = n[waiting], a[waiting], b[waiting]
        u = generator.uniform(xp, waiting.size, "float64") - 0.5
        v = 1 - generator.uniform(xp, waiting.size, "float64")
        us = xp.maximum(0.5 - xp.abs(u), 2.0**-54)
        k = xp.floor((2 * a_ / us + b_) * u + center[waiting])
        outside = (k < 0) | (k > n_)
        inside = xp.clip(k, 0, n_)
        height = v * alpha[waiting] / (a_ / (us * us) + b_)
        ways = top[waiting] - _log_factorial(xp, inside) - _log_factorial(xp, n_ - inside)
        bound = ways + (inside - mode[waiting]) * odds[waiting]
        quick = (us >= 0.07) & (v <= squeeze[waiting])
        fits = ~outside & (quick | (xp.log(height) <= bound))
        out[waiting[fits]] = k[fits]
        waiting = waiting[~fits]
    return out


def _log_factorial(xp: Any, k: Any) -> Any:
    """The logarithm of k!, by Stirling's series from 10 on and by a table below."""
    table = xp.asarray([math.lgamma(i + 1.0) for i in range(10)])
    x = xp.maximum(k, 10.0) + 1
    inverse = 1 / (x * x)
    tail = (1 / 12 - (1 / 360 - inverse * (1 / 1260 - inverse / 1680)) * inverse) / x
    series = (x - 0.5) * xp.log(x) - x + 0.5 * math.log(2 * math.pi) + tail
    return xp.where(k < 10, table[xp.minimum(k, 9).astype(numpy.int64)], series)
