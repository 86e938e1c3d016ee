"""Airy's function Ai and its derivative."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.formulas import airy_tables as tables
from minigrad.ops.formulas import chebyshev, in_cases

_LOW, _HIGH = -5.0, 2.0


def _zeta(xp: Any, size: Any) -> Any:
    return size * xp.sqrt(size) * (2 / 3)


_ZETA_LOW = 2 / 3 * 5**1.5
_ZETA_HIGH = 2 / 3 * 2**1.5


def _decay(xp: Any, x: Any, table: Any) -> Any:
    """What is beside a fourth root of x, for x from 2 on (DLMF 9.7.5 and 9.7.6)."""
    zeta = _zeta(xp, x)
    series = chebyshev(2 * _ZETA_HIGH / zeta - 1, table)
    return series * xp.exp(-zeta) / (2 * math.sqrt(math.pi))


def _wave(xp: Any, x: Any, p_table: Any, q_table: Any) -> Any:
    """P, Q and the sine and cosine of zeta + pi / 4, for x below -5 (DLMF 9.7.9 and 9.7.10)."""
    zeta = _zeta(xp, -x)
    relative = _ZETA_LOW / zeta
    t = 2 * relative * relative - 1
    sine, cosine = xp.sin(zeta), xp.cos(zeta)
    p, q = chebyshev(t, p_table), relative * chebyshev(t, q_table)
    height = math.sqrt(0.5 / math.pi)
    return p, q, height * (sine + cosine), height * (cosine - sine)


def _in_parts(xp: Any, x: Any, middle: Any, high: Any, low: Any) -> Any:
    cases = (
        ((x >= _LOW) & (x <= _HIGH), lambda x: chebyshev((2 * x + 3) / 7, middle)),
        # Past 1e6 nothing is left; the powers of larger numbers would overflow.
        (x > _HIGH, lambda x: high(xp.minimum(x, 1e6))),
        ((x < _LOW) & (x > -math.inf), low),
        (x == -math.inf, xp.zeros_like),
    )
    return in_cases(xp, cases, x)


def airy_ai(xp: Any, x: Any) -> Any:
    """Airy's function; 0 at both infinities."""

    def high(x: Any) -> Any:
        return _decay(xp, x, tables.AI_HIGH) / xp.sqrt(xp.sqrt(x))

    def low(x: Any) -> Any:
        p, q, sine, cosine = _wave(xp, x, tables.AI_LOW_P, tables.AI_LOW_Q)
        return (p * sine - q * cosine) / xp.sqrt(xp.sqrt(-x))

    return _in_parts(xp, x, tables.AI_MIDDLE, high, low)


def airy_ai_slope(xp: Any, x: Any) -> Any:
    """The derivative of Airy's function."""

    def high(x: Any) -> Any:
        return -_decay(xp, x, tables.SLOPE_HIGH) * xp.sqrt(xp.sqrt(x))

    def low(x: Any) -> Any:
        p, q, sine, cosine = _wave(xp, x, tables.SLOPE_LOW_P, tables.SLOPE_LOW_Q)
        return -(p * cosine + q * sine) * xp.sqrt(xp.sqrt(-x))

    return _in_parts(xp, x, tables.SLOPE_MIDDLE, high, low)
