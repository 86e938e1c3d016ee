"""Logarithm and normal quantile in operations that every device rounds alike.

Only integer operations, comparisons, + - * / and the square root are used: IEEE 754 fixes their
results to the last bit, which it does not for the logarithm of a C library or of CUDA.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy

Ratio = tuple[Sequence[float], Sequence[float]]


class Format(NamedTuple):
    """A floating-point format, the integers of its width, and the series that suit its digits."""

    floating: Any
    signed: Any
    width: int
    mantissa_bits: int
    root_half: int
    """The bit pattern of the square root of a half."""
    logarithm: Sequence[float]
    middle: Ratio
    tail: Ratio
    far: Ratio | None


def _logarithm_series(terms: int) -> Sequence[float]:
    return [-2.0 / (2 * k + 1) for k in range(terms)]


# The ratios of polynomials are from M. J. Wichura, "Algorithm AS 241: the percentage points of the
# normal distribution", Applied Statistics 37 (1988): PPND7 and PPND16. Each is a numerator and a
# denominator, constants first.
SINGLE = Format(
    floating=numpy.float32,
    signed=numpy.int32,
    width=32,
    mantissa_bits=23,
    root_half=0x3F3504F3,
    logarithm=_logarithm_series(5),
    middle=(
        (3.3871327179e0, 5.0434271938e1, 1.5929113202e2, 5.9109374720e1),
        (1.0, 1.7895169469e1, 7.8757757664e1, 6.7187563600e1),
    ),
    tail=(
        (1.4234372777e0, 2.7568153900e0, 1.3067284816e0, 1.7023821103e-1),
        (1.0, 7.3700164250e-1, 1.2021132975e-1),
    ),
    # 32 bits reach no further than the tail: sqrt(33 * log(2)) is 4.8.
    far=None,
)
DOUBLE = Format(
    floating=numpy.float64,
    signed=numpy.int64,
    width=64,
    mantissa_bits=52,
    root_half=0x3FE6A09E667F3BCD,
    logarithm=_logarithm_series(11),
    middle=(
        (
            3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
            1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
            3.3430575583588128105e4, 2.5090809287301226727e3,
        ),
        (
            1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
            2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
            5.2264952788528545610e3,
        ),
    ),
    tail=(
        (
            1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
            3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
            2.27238449892691845833e-2, 7.74545014278341407640e-4,
        ),
        (
            1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
            1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
            1.05075007164441684324e-9,
        ),
    ),
    far=(
        (
            6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
            2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
            2.71155556874348757815e-5, 2.01033439929228813265e-7,
        ),
        (
            1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
            7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
            2.04426310338993978564e-15,
        ),
    ),
)  # fmt: skip

_MIDDLE_EDGE = 0.425
_TAIL_ORIGIN = 1.6
_TAIL_EDGE = 5.0


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    result = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        result += coefficient
        result *= x
    result += coefficients[0]
    return result


def _ratio(x: Any, ratio: Ratio) -> Any:
    result = _polynomial(x, ratio[0])
    result /= _polynomial(x, ratio[1])
    return result


def minus_log(x: Any, form: Format) -> Any:
    """-log(x) of positive normal numbers, to a few units in the last place.

    x is m * 2**e with m in [sqrt(1/2), sqrt(2)), and log(m) is 2 * atanh((m - 1) / (m + 1)).
    """
    bits = x.view(form.signed) - form.root_half
    exponent = (bits >> form.mantissa_bits).astype(form.floating)
    bits &= (1 << form.mantissa_bits) - 1
    bits += form.root_half
    mantissa = bits.view(form.floating)
    mantissa -= 1.0
    mantissa /= mantissa + 2.0
    result = _polynomial(mantissa * mantissa, form.logarithm)
    result *= mantissa
    exponent *= -math.log(2.0)
    result += exponent
    return result


def normal_quantiles(xp: Any, integers: Any, form: Format) -> Any:
    """The standard normal quantiles of 1/2 + (k + 1/2) / 2**width for signed integers k.

    The relative error is below 2**-21 in float32 and 2**-50 in float64, in the tails too.
    """
    centred = integers.astype(form.floating)
    centred += 0.5
    centred *= 2.0**-form.width
    inside = _MIDDLE_EDGE**2 - centred * centred
    values = _ratio(inside, form.middle)
    values *= centred
    # About 15 % of the numbers, worked out for themselves alone.
    outer = xp.flatnonzero(inside < 0.0)
    if outer.size:
        values[outer] = _tail_quantiles(xp, integers[outer], form)
    return values


def _tail_quantiles(xp: Any, integers: Any, form: Format) -> Any:
    # Steps from the nearer end of the range, exact however far out it lies: 2**(width-1) - 1 - k
    # where k >= 0, and 2**(width-1) + k below.
    sign_bit = form.width - 1
    steps = (integers ^ ((1 << sign_bit) - 1)) ^ (integers >> sign_bit)
    probability = steps.astype(form.floating)
    probability += 0.5
    probability *= 2.0**-form.width
    root = xp.sqrt(minus_log(probability, form))
    sizes = _ratio(root - _TAIL_ORIGIN, form.tail)
    if form.far is not None:
        far = xp.flatnonzero(root > _TAIL_EDGE)
        if far.size:
            sizes[far] = _ratio(root[far] - _TAIL_EDGE, form.far)
    return xp.where(integers < 0, -sizes, sizes)
