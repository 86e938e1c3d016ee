"""Exponentials for compiled loops, in plain arithmetic, so that they run in vector registers.

Each is called inside a compiled loop on one number of single or double precision. Infinities and
NaNs keep their rules, and results below the normal range are the denormal ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy
from numba import types
from numba.extending import overload

from minigrad.kernels.compiled.compiler import CONTRACTED

_FLOAT = numpy.float32
_DOUBLE = numpy.float64


def _inlined(function: Any) -> Callable[[Any], Any]:
    """Declares what a function stands for inside compiled code."""
    declare: Callable[[Any], Any] = overload(function, jit_options={"fastmath": CONTRACTED})
    return declare


def exponential(x: Any) -> Any:
    """The exponential of a number, to about 1 unit in the last place."""
    raise TypeError("exponential(): for compiled loops alone; call numpy.exp")


# x = n * log(2) + r with |r| <= log(2) / 2. Adding the large number rounds to an integer. The
# logarithm is in two parts, of which the first times n is exact.
_F_LOG2E = _FLOAT(1.4426950408889634)
_F_ROUND = _FLOAT(1.5 * 2**23)
_F_LN2, _F_LN2_REST = _FLOAT(0.693359375), _FLOAT(-2.12194440054690583e-4)
_F_LOW, _F_HIGH = _FLOAT(-104.0), _FLOAT(89.0)
_F_ONE = _FLOAT(1)
# (exp(r) - 1 - r) / (r * r) as a polynomial that is nearest at Chebyshev's points. Its terms are
# added in pairs: what waits for the step before it, not the number of steps, takes the time.
_F2, _F3, _F4, _F5, _F6 = (
    _FLOAT(c)
    for c in (
        0.5, 0.16666576266288757, 0.041666463017463684, 0.008363194763660431,
        0.0013933671871200204,
    )
)  # fmt: skip

_D_LOG2E = 1.4426950408889634
_D_ROUND = 1.5 * 2.0**52
_D_LN2, _D_LN2_REST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_D_LOW, _D_HIGH = -746.0, 710.0
_D = tuple(1 / math.factorial(k) for k in range(14))


def _exponential_single(x: Any) -> Any:
    y = _F_LOW if x < _F_LOW else x
    y = _F_HIGH if y > _F_HIGH else y
    n = (y * _F_LOG2E + _F_ROUND) - _F_ROUND
    r = (y - n * _F_LN2) - n * _F_LN2_REST
    square = r * r
    p = (_F6 * square + (_F5 * r + _F4)) * square + (_F3 * r + _F2)
    p = p * square + r
    # The power of two in two factors, since it alone may be infinite or 0.
    power = numpy.int32(n)
    half = power >> numpy.int32(1)
    first = numpy.int32((half + numpy.int32(127)) << numpy.int32(23)).view(numpy.float32)
    second = numpy.int32((power - half + numpy.int32(127)) << numpy.int32(23)).view(numpy.float32)
    return ((p + _F_ONE) * first) * second


def _exponential_double(x: Any) -> Any:
    y = _D_LOW if x < _D_LOW else x
    y = _D_HIGH if y > _D_HIGH else y
    shifted = y * _D_LOG2E + _D_ROUND
    n = shifted - _D_ROUND
    r = (y - n * _D_LN2) - n * _D_LN2_REST
    p = _D[13]
    p = p * r + _D[12]
    p = p * r + _D[11]
    p = p * r + _D[10]
    p = p * r + _D[9]
    p = p * r + _D[8]
    p = p * r + _D[7]
    p = p * r + _D[6]
    p = p * r + _D[5]
    p = p * r + _D[4]
    p = p * r + _D[3]
    p = p * r + _D[2]
    p = p * r * r + r
    power = numpy.int64(n)
    half = power >> numpy.int64(1)
    first = numpy.int64((half + numpy.int64(1023)) << numpy.int64(52)).view(numpy.float64)
    second = numpy.int64((power - half + numpy.int64(1023)) << numpy.int64(52)).view(numpy.float64)
    return ((p + 1.0) * first) * second


@_inlined(exponential)
def _choose_exponential(x: Any) -> Any:
    return _exponential_single if x == types.float32 else _exponential_double


def decay(x: Any) -> Any:
    """The exponential of a number, without what is below the normal range or above 2 ** 127.

    Below it is 0, above infinite. It takes two thirds of the time.
    """
    raise TypeError("decay(): for compiled loops alone; call numpy.exp")


_F_BOTTOM, _F_TOP = _FLOAT(-87.3), _FLOAT(88.3)
_F_ZERO, _F_INFINITE = _FLOAT(0), _FLOAT(math.inf)


def moderate(x: Any) -> Any:
    """The exponential of a number from _F_BOTTOM to _F_TOP, or in double precision of any."""
    raise TypeError("moderate(): for compiled loops alone; call numpy.exp")


def _moderate_single(x: Any) -> Any:
    shifted = x * _F_LOG2E + _F_ROUND
    n = shifted - _F_ROUND
    r = (x - n * _F_LN2) - n * _F_LN2_REST
    square = r * r
    p = (_F6 * square + (_F5 * r + _F4)) * square + (_F3 * r + _F2)
    p = p * square + r
    # The last bits of the shifted number are the power of two.
    bits = numpy.int32(numpy.float32(shifted).view(numpy.int32) + numpy.int32(127))
    power = numpy.int32(bits << numpy.int32(23)).view(numpy.float32)
    return p * power + power


@_inlined(moderate)
def _choose_moderate(x: Any) -> Any:
    return _moderate_single if x == types.float32 else _exponential_double


def _decay_single(x: Any) -> Any:
    y = _F_BOTTOM if x < _F_BOTTOM else x
    y = _F_TOP if y > _F_TOP else y
    low = _F_ZERO if x < _F_BOTTOM else moderate(y)
    return _F_INFINITE if x > _F_TOP else low


@_inlined(decay)
def _choose_decay(x: Any) -> Any:
    return _decay_single if x == types.float32 else _exponential_double


def power(x: Any) -> Any:
    """The exponential of a number of at most 88; what is below the normal range is the least of it.

    It takes less than half of the time.
    """
    raise TypeError("power(): for compiled loops alone; call numpy.exp")


def _power_single(x: Any) -> Any:
    y = _F_BOTTOM if x < _F_BOTTOM else x
    shifted = y * _F_LOG2E + _F_ROUND
    n = shifted - _F_ROUND
    r = (y - n * _F_LN2) - n * _F_LN2_REST
    p = _F6
    p = p * r + _F5
    p = p * r + _F4
    p = p * r + _F3
    p = p * r + _F2
    p = p * r * r + r
    bits = numpy.int32(numpy.float32(shifted).view(numpy.int32) + numpy.int32(127))
    whole = numpy.int32(bits << numpy.int32(23)).view(numpy.float32)
    return p * whole + whole


@_inlined(power)
def _choose_power(x: Any) -> Any:
    return _power_single if x == types.float32 else _exponential_double


def logistic(x: Any) -> Any:
    """The logistic function of a number, 1 / (1 + exp(-x))."""
    raise TypeError("logistic(): for compiled loops alone; call minigrad.sigmoid")


@_inlined(logistic)
def _choose_logistic(x: Any) -> Any:
    if x == types.float32:

        def single(x: Any) -> Any:
            # What is added to 1 need not be 0 where it is too small to matter.
            y = -_F_BOTTOM if x > -_F_BOTTOM else x
            y = -_F_TOP if y < -_F_TOP else y
            inside = _F_ONE / (_F_ONE + moderate(-y))
            return _F_ZERO if x < -_F_TOP else inside

        return single

    def double(x: Any) -> Any:
        return 1.0 / (1.0 + decay(-x))

    return double


def tangent(x: Any) -> Any:
    """The hyperbolic tangent of a number, to 4e-7 of itself, and at most 1."""
    raise TypeError("tangent(): for compiled loops alone; call numpy.tanh")


# x times a quotient of polynomials in x * x, nearest in the relative error up to 8.5.
_TOP = _FLOAT(8.5)
_TP = tuple(
    _FLOAT(c) for c in (1, 0.13413258, 0.0035340395, 2.1251248e-05, 1.4269502e-08)
)  # fmt: skip
_TQ = tuple(
    _FLOAT(c) for c in (1, 0.46746582, 0.0260228, 3.3488852e-04, 8.1452373e-07)
)  # fmt: skip


@_inlined(tangent)
def _choose_tangent(x: Any) -> Any:
    if x == types.float32:

        def single(x: Any) -> Any:
            y = -_TOP if x < -_TOP else x
            y = _TOP if y > _TOP else y
            t = y * y
            p = _TP[4] * t + _TP[3]
            q = _TQ[4] * t + _TQ[3]
            p = p * t + _TP[2]
            q = q * t + _TQ[2]
            p = p * t + _TP[1]
            q = q * t + _TQ[1]
            p = p * t + _F_ONE
            q = q * t + _F_ONE
            quotient = y * p / q
            # Rounding may lead one step past 1.
            quotient = -_F_ONE if quotient < -_F_ONE else quotient
            return _F_ONE if quotient > _F_ONE else quotient

        return single

    def double(x: Any) -> Any:
        return math.tanh(x)

    return double


def normal(x: Any) -> Any:
    """The normal distribution function of a number."""
    raise TypeError("normal(): for compiled loops alone; call minigrad.special.ndtr")


# The logarithm of the odds, log(N(x) / N(-x)), is x times a polynomial in x * x: fitted up to 5.6,
# past which the function differs from 1 by 1e-8, in the largest error of the result, 3e-8.
_EDGE = _FLOAT(5.6)
_N = tuple(
    _FLOAT(c)
    for c in (
        1.5957698831498965, 0.07266616792752534, -6.518834477501701e-05, -1.106131847993749e-04,
        7.929660520185701e-06, -2.6454270254662977e-07, 3.5128666118237493e-09,
    )
)  # fmt: skip
_ROOT_HALF = math.sqrt(0.5)


@_inlined(normal)
def _choose_normal(x: Any) -> Any:
    if x == types.float32:

        def single(x: Any) -> Any:
            y = -_EDGE if x < -_EDGE else x
            y = _EDGE if y > _EDGE else y
            square = y * y
            fourth = square * square
            odds = _N[6] * fourth + (_N[5] * square + _N[4])
            odds = odds * fourth + (_N[3] * square + _N[2])
            odds = odds * fourth + (_N[1] * square + _N[0])
            inside = _F_ONE / (_F_ONE + moderate(-(y * odds)))
            return _F_ZERO if x < -_EDGE else inside

        return single

    def double(x: Any) -> Any:
        return 0.5 * math.erfc(-x * _ROOT_HALF)

    return double


def normal_slope(x: Any) -> Any:
    """The slope of x * normal(x): the distribution function plus x times the density."""
    raise TypeError("normal_slope(): for compiled loops alone; differentiate minigrad.gelu")


# Less 1 / 2 it is odd: x times a quotient of polynomials in x * x, nearest up to 5.9, past which
# it is 1 to 6e-8. Evaluated in single precision the largest error is 2.5e-7.
_BOUND = _FLOAT(5.9)
_HALF = _FLOAT(0.5)
_P = tuple(
    _FLOAT(c)
    for c in (
        0.79788452, -0.020566672, 0.01366991, 2.394965e-04, 3.2041655e-05, 1.0012033e-06,
        1.2211098e-08, -2.8367659e-11,
    )
)  # fmt: skip
_Q = tuple(
    _FLOAT(c)
    for c in (
        0.30755645, 0.044652622, 0.0040208986, 2.4728291e-04, 1.0222767e-05, 3.3119198e-07,
    )
)  # fmt: skip
_DENSITY = 1 / math.sqrt(2 * math.pi)


@_inlined(normal_slope)
def _choose_normal_slope(x: Any) -> Any:
    if x == types.float32:

        def single(x: Any) -> Any:
            y = -_BOUND if x < -_BOUND else x
            y = _BOUND if y > _BOUND else y
            t = y * y
            p = _P[7] * t + _P[6]
            q = _Q[5] * t + _Q[4]
            p = p * t + _P[5]
            q = q * t + _Q[3]
            p = p * t + _P[4]
            q = q * t + _Q[2]
            p = p * t + _P[3]
            q = q * t + _Q[1]
            p = p * t + _P[2]
            q = q * t + _Q[0]
            p = p * t + _P[1]
            q = q * t + _F_ONE
            p = p * t + _P[0]
            # Infinity times the density, which is 0 there, is no number.
            return x * _F_ZERO + (y * p / q + _HALF)

        return single

    def double(x: Any) -> Any:
        return normal(x) + x * (decay(x * x * -0.5) * _DENSITY)

    return double


def log1p_unit(x: Any) -> Any:
    """The logarithm of 1 + x for a number from 0 to 1."""
    raise TypeError("log1p_unit(): for compiled loops alone; call numpy.log1p")


# log(1 + x) = 2 atanh(s) with s = x / (2 + x), at most 1 / 3, as its series.
_S = tuple(_FLOAT(2 / (2 * k + 1)) for k in range(8))
_F_TWO = _FLOAT(2)


@_inlined(log1p_unit)
def _choose_log1p_unit(x: Any) -> Any:
    if x == types.float32:

        def single(x: Any) -> Any:
            s = x / (_F_TWO + x)
            square = s * s
            p = _S[7]
            p = p * square + _S[6]
            p = p * square + _S[5]
            p = p * square + _S[4]
            p = p * square + _S[3]
            p = p * square + _S[2]
            p = p * square + _S[1]
            return p * square * s + _F_TWO * s

        return single

    def double(x: Any) -> Any:
        return math.log1p(x)

    return double
