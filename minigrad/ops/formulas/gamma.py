"""The logarithm of the gamma function and its derivatives, and the Hurwitz zeta function."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.formulas import in_cases, polynomial, ratio

# lgamma between 0 and 8: Sun's fdlibm (e_lgamma_r.c, 1993). Constants first. `_AT_TWO` is a series
# for lgamma(2 - y) + y / 2 over y, `_AT_MINIMUM` one in x less the place of the minimum, the two
# ratios are for lgamma(1 + y) + y / 2 and lgamma(2 + y) - y / 2 over y.
_AT_TWO = (
    7.72156649015328655494e-02, 3.22467033424113591611e-01, 6.73523010531292681824e-02,
    2.05808084325167332806e-02, 7.38555086081402883957e-03, 2.89051383673415629091e-03,
    1.19270763183362067845e-03, 5.10069792153511336608e-04, 2.20862790713908385557e-04,
    1.08011567247583939954e-04, 2.52144565451257326939e-05, 4.48640949618915160150e-05,
)  # fmt: skip
_MINIMUM = 1.46163214496836224576e00
_MINIMUM_VALUE = -1.21486290535849611461e-01
_MINIMUM_REST = -3.63867699703950536541e-18
_AT_MINIMUM = (
    4.83836122723810047042e-01, -1.47587722994593911752e-01, 6.46249402391333854778e-02,
    -3.27885410759859649565e-02, 1.79706750811820387126e-02, -1.03142241298341437450e-02,
    6.10053870246291332635e-03, -3.68452016781138256760e-03, 2.25964780900612472250e-03,
    -1.40346469989232843813e-03, 8.81081882437654011382e-04, -5.38595305356740546715e-04,
    3.15632070903625950361e-04, -3.12754168375120860518e-04, 3.35529192635519073543e-04,
)  # fmt: skip
_FROM_ONE = (
    (
        -7.72156649015328655494e-02, 6.32827064025093366517e-01, 1.45492250137234768737e00,
        9.77717527963372745603e-01, 2.28963728064692451092e-01, 1.33810918536787660377e-02,
    ),
    (
        1.0, 2.45597793713041134822e00, 2.12848976379893395361e00, 7.69285150456672783825e-01,
        1.04222645593369134254e-01, 3.21709242282423911810e-03,
    ),
)  # fmt: skip
_FROM_TWO = (
    (
        -7.72156649015328655494e-02, 2.14982415960608852501e-01, 3.25778796408930981787e-01,
        1.46350472652464452805e-01, 2.66422703033638609560e-02, 1.84028451407337715652e-03,
        3.19475326584100867617e-05,
    ),
    (
        1.0, 1.39200533467621045958e00, 7.21935547567138069525e-01, 1.71933865632803078993e-01,
        1.86459191715652901344e-02, 7.77942496381893596434e-04, 7.32668430744625636189e-06,
    ),
)  # fmt: skip
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)

# Bernoulli's numbers B2, B4, ...: the series of Stirling, of the digamma and of the zeta function.
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798,
    -174611 / 330, 854513 / 138, -236364091 / 2730,
)  # fmt: skip
_STIRLING = tuple(b / (k * (k - 1)) for b, k in zip(BERNOULLI[:8], range(2, 18, 2)))
_DIGAMMA = tuple(b / k for b, k in zip(BERNOULLI[:8], range(2, 18, 2)))


def stirling(x: Any) -> Any:
    """What Stirling's formula leaves of lgamma(x), for x of at least 8 (DLMF 5.11.1)."""
    return polynomial(1 / (x * x), _STIRLING) / x


def _near_two(y: Any) -> Any:
    """lgamma(2 - y) for small y."""
    return y * polynomial(y, _AT_TWO) - 0.5 * y


def _near_minimum(y: Any) -> Any:
    """lgamma(1 + y) for y about 0.46."""
    y = y - (_MINIMUM - 1)
    return _MINIMUM_VALUE + (y * y * polynomial(y, _AT_MINIMUM) + _MINIMUM_REST)


def _near_one(y: Any) -> Any:
    """lgamma(1 + y) for small y."""
    return y * ratio(y, _FROM_ONE) - 0.5 * y


def lgamma1p(xp: Any, y: Any) -> Any:
    """lgamma(1 + y) for y of at least -0.1, exact also for small y."""
    return in_cases(
        xp,
        (
            ((y >= -0.1) & (y < 0.23), _near_one),
            ((y >= 0.23) & (y < 0.7316), _near_minimum),
            ((y >= 0.7316) & (y <= 1), lambda y: _near_two(1 - y)),
            (y > 1, lambda y: _beyond_two(xp, 1 + y)),
        ),
        y,
    )


def _beyond_two(xp: Any, x: Any) -> Any:
    def shifted(x: Any) -> Any:
        whole = xp.floor(x)
        y = x - whole
        product = xp.ones_like(x)
        for k in range(2, 7):
            product *= xp.where(whole > k, y + k, 1.0)
        return xp.log(product) + (0.5 * y + y * ratio(y, _FROM_TWO))

    def far(x: Any) -> Any:
        return (x - 0.5) * (xp.log(x) - 1) + (stirling(x) + (_HALF_LOG_TWO_PI - 0.5))

    return in_cases(xp, ((x < 8, shifted), (x >= 8, far)), x)


def lgamma(xp: Any, x: Any) -> Any:
    """The logarithm of the gamma function's magnitude; infinite at 0, -1, -2, ..."""
    size = xp.abs(x)
    # Below 0 by the reflection formula, DLMF 5.5.3.
    return in_cases(
        xp,
        (
            ((x >= 0) & (x <= 0.9), lambda x: lgamma1p(xp, x) - xp.log(x)),
            ((x > 0.9) & (x <= 2), lambda x: lgamma1p(xp, x - 1)),
            ((x > 2) | (size == math.inf), lambda x: _beyond_two(xp, xp.abs(x))),
            (
                (x < 0) & (size < math.inf),
                lambda x: xp.log(math.pi / _sine(xp, -x)) - lgamma1p(xp, -x),
            ),
        ),
        x,
    )


def _sine(xp: Any, size: Any) -> Any:
    """The magnitude of sin(pi x), exactly 0 for whole numbers."""
    part = size - xp.rint(size)
    return xp.abs(xp.sin(math.pi * part))


# The digamma function from 1 to 2, as (x - root) * (1 + ratio): J. Maddock's approximation in
# Boost.Math (digamma.hpp, 53 bits). The root is given in three parts.
_ROOT = (1569415565 / 2**30, 381566830 / 2**60, 0.9016312093258695918615325266959189453125e-19)
_SLOPE = 0.99558162689208984
_NEAR_ROOT = (
    (
        0.25479851061131551, -0.32555031186804491, -0.65031853770896507, -0.28919126444774784,
        -0.045251321448739056, -0.0020713321167745952,
    ),
    (
        1.0, 2.0767117023730469, 1.4606242909763515, 0.43593529692665969, 0.054151797245674225,
        0.0021284987017821144, -0.55789841213675513e-6,
    ),
)  # fmt: skip


def digamma(xp: Any, x: Any) -> Any:
    """The derivative of lgamma; NaN at -1, -2, ..., infinite at 0 with the sign of -x."""
    size = xp.abs(x)
    value = in_cases(
        xp,
        (
            (size < 10, lambda x: _digamma_near(xp, x)),
            (size >= 10, lambda x: xp.log(x) - 0.5 / x - polynomial(1 / (x * x), _DIGAMMA) / x / x),
        ),
        size,
    )
    # Below 0 by the reflection formula, DLMF 5.5.4, in magnitudes.
    part = size - xp.rint(size)
    angle = math.pi * xp.where(part == 0, xp.nan, part)
    reflected = xp.where(x < 0, value + 1 / size + math.pi / xp.tan(angle), value)
    return xp.where(x == 0, xp.copysign(math.inf, -x), reflected)


def _digamma_near(xp: Any, x: Any) -> Any:
    """The digamma function between 0 and 10, through the unit steps that lead to 1 ... 2."""
    steps = xp.zeros_like(x)
    y = x
    for _ in range(8):
        far = y > 2
        y = xp.where(far, y - 1, y)
        steps += xp.where(far, 1 / y, 0.0)
    below = x < 1
    steps -= xp.where(below, 1 / x, 0.0)
    y = xp.where(below, y + 1, y)
    distance = ((y - _ROOT[0]) - _ROOT[1]) - _ROOT[2]
    return distance * _SLOPE + distance * ratio(y - 1, _NEAR_ROOT) + steps
