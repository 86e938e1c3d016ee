"""The error function, its complements and its inverse, and the normal distribution's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minigrad.backend import backend_of, ndarray
from minigrad.backend.quantiles import DOUBLE
from minigrad.errors import DtypeError
from minigrad.ops.blocks import in_blocks
from minigrad.ops.formulas import in_cases, ratio
from minigrad.ops.functions import exp
from minigrad.ops.promotion import transcendental

__all__ = ["erf", "erfc", "erfinv"]

SLOPE = 2 / math.sqrt(math.pi)
SQRT_HALF = math.sqrt(0.5)
FEW = 32
"""Up to so many elements the C library, one by one, beats a score of array operations."""


@transcendental(input=lambda g, input: g * (exp(input * -input) * SLOPE))
def erf(xp: Any, input: Any) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x."""
    return _evaluate(xp, input, "erf", _erf)


@transcendental(input=lambda g, input: g * (exp(input * -input) * -SLOPE))
def erfc(xp: Any, input: Any) -> Any:
    """The complement, 1 - erf(x), exact also for large x."""
    return _evaluate(xp, input, "erfc", erfc_values)


@transcendental(input=lambda g, out: g * (exp(out * out) / SLOPE))
def erfinv(xp: Any, input: Any) -> Any:
    """The x whose error function is the element; infinite at -1 and 1, NaN beyond."""
    return _evaluate(xp, input, "erfinv", _erfinv)


@transcendental(input=lambda g, input, out: g * (input * out * 2 - SLOPE))
def erfcx(xp: Any, input: Any) -> Any:
    """The scaled complement, exp(x * x) * erfc(x), which does not underflow for large x."""
    return _evaluate(xp, input, "erfcx", _erfcx)


@transcendental(input=lambda g, input: g / erfcx(input * -SQRT_HALF) * (SLOPE * SQRT_HALF))
def log_ndtr(xp: Any, input: Any) -> Any:
    """The logarithm of the normal distribution function, also far below 0."""
    return _evaluate(xp, input, "log_ndtr", _log_ndtr)


@transcendental(input=lambda g, out: g * (exp(out * out * 0.5) * math.sqrt(2 * math.pi)))
def ndtri(xp: Any, input: Any) -> Any:
    """The normal quantile: the x below which a standard normal number is with that probability."""
    return _evaluate(xp, input, "ndtri", _ndtri)


def _evaluate(xp: Any, array: Any, name: str, function: Callable[[Any, Any], Any]) -> Any:
    """A function of an array: the device's own, the C library's, or ours block by block."""
    array = xp.asarray(array)
    if array.dtype.kind == "c":
        raise DtypeError(f"{name}(): argument 'input' is complex, for which it is not defined")
    if array.__class__ is ndarray and array.size <= FEW:
        one_by_one = getattr(math, name, None)
        if one_by_one is not None:
            values = [one_by_one(value) for value in array.ravel().tolist()]
            return xp.array(values, array.dtype).reshape(array.shape)
    device_function = backend_of(array).special(name)
    if device_function is not None:
        return device_function(array)
    return in_blocks(xp, function, array)


# Single precision: erf(x) = tanh(x * R(x * x)). The tangent saturates as the error function does
# and does not magnify relative errors, so a ratio of two cubics is enough: fitted to
# atanh(erf(x)) / x for 0 <= x <= 3.95 in the largest error of the result, which is 5e-8.
_SINGLE = (
    (1.128379225730896, 0.27617183327674866, 0.039750583469867706, 0.0018631595885381103),
    (1.0, 0.15367238223552704, 0.02141171135008335, 0.0002593144017737359),
)
_SINGLE_EDGE = 3.95


def _erf(xp: Any, x: Any) -> Any:
    if x.dtype.itemsize == 8:
        return _erf_double(xp, x)
    x = xp.minimum(xp.maximum(x, -_SINGLE_EDGE), _SINGLE_EDGE)
    argument = ratio(x * x, _SINGLE)
    argument *= x
    return xp.tanh(argument)


# Double precision: W. J. Cody, "Rational Chebyshev approximations for the error function",
# Mathematics of Computation 23 (1969): ratios for erf(x) / x near 0, for exp(x * x) erfc(x) in the
# middle, and for what is left of it beside 1 / (sqrt(pi) x) far out. Constants first.
_NEAR = (
    (
        3.20937758913846947e03, 3.77485237685302021e02, 1.13864154151050156e02,
        3.16112374387056560e00, 1.85777706184603153e-1,
    ),
    (2.84423683343917062e03, 1.28261652607737228e03, 2.44024637934444173e02,
     2.36012909523441209e01, 1.0),
)  # fmt: skip
_MIDDLE = (
    (
        1.23033935479799725e03, 2.05107837782607147e03, 1.71204761263407058e03,
        8.81952221241769090e02, 2.98635138197400131e02, 6.61191906371416295e01,
        8.88314979438837594e00, 5.64188496988670089e-1, 2.15311535474403846e-8,
    ),
    (
        1.23033935480374942e03, 3.43936767414372164e03, 4.36261909014324716e03,
        3.29079923573345963e03, 1.62138957456669019e03, 5.37181101862009858e02,
        1.17693950891312499e02, 1.57449261107098347e01, 1.0,
    ),
)  # fmt: skip
_FAR = (
    (
        -6.58749161529837803e-4, -1.60837851487422766e-2, -1.25781726111229246e-1,
        -3.60344899949804439e-1, -3.05326634961232344e-1, -1.63153871373020978e-2,
    ),
    (
        2.33520497626869185e-3, 6.05183413124413191e-2, 5.27905102951428412e-1,
        1.87295284992346725e00, 2.56852019228982242e00, 1.0,
    ),
)  # fmt: skip
_NEAR_EDGE = 0.46875
_FAR_EDGE = 4.0


def _erf_near(x: Any) -> Any:
    return x * ratio(x * x, _NEAR)


def _scaled(xp: Any, size: Any) -> Any:
    """exp(x * x) erfc(x) for x beyond the near edge."""

    def distant(x: Any) -> Any:
        square = 1 / (x * x)
        return (1 / math.sqrt(math.pi) + square * ratio(square, _FAR)) / x

    far = size > _FAR_EDGE
    return in_cases(xp, ((~far, lambda x: ratio(x, _MIDDLE)), (far, distant)), size)


def _square_exponential(xp: Any, size: Any, sign: float) -> Any:
    """exp(sign * x * x), with x * x in two parts of which the first is exact."""
    coarse = xp.trunc(size * 16) / 16
    rest = (size - coarse) * (size + coarse)
    return xp.exp(sign * coarse * coarse) * xp.exp(sign * rest)


def _tail(xp: Any, size: Any) -> Any:
    """The complement, erfc, of sizes beyond the near edge."""
    return _square_exponential(xp, size, -1.0) * _scaled(xp, size)


def _erf_double(xp: Any, x: Any) -> Any:
    out = xp.empty_like(x)
    size = xp.abs(x)
    beyond = size > _NEAR_EDGE
    near = ~beyond
    out[near] = _erf_near(x[near])
    # Past 6 the rest is below half a unit of the last place.
    tail = _tail(xp, xp.minimum(size[beyond], 6.0))
    out[beyond] = xp.copysign(0.5 - tail + 0.5, x[beyond])
    return out


def erfc_values(xp: Any, x: Any) -> Any:
    """erfc of a raw array."""
    dtype = x.dtype
    x = x.astype(xp.float64, copy=False)
    out = xp.empty_like(x)
    size = xp.abs(x)
    beyond = size > _NEAR_EDGE
    near = ~beyond
    out[near] = 1 - _erf_near(x[near])
    # Past 27.3 the result is 0 in double precision.
    tail = _tail(xp, xp.minimum(size[beyond], 28.0))
    out[beyond] = xp.where(x[beyond] < 0, 2 - tail, tail)
    return out.astype(dtype, copy=False)


def _erfcx(xp: Any, x: Any) -> Any:
    dtype = x.dtype
    x = x.astype(xp.float64, copy=False)

    def beyond(x: Any) -> Any:
        size = xp.abs(x)
        scaled = _scaled(xp, size)
        # Past 26.7 the exponential is infinite.
        return xp.where(
            x < 0, 2 * _square_exponential(xp, xp.minimum(size, 28.0), 1.0) - scaled, scaled
        )

    near = xp.abs(x) <= _NEAR_EDGE
    cases = ((near, lambda x: xp.exp(x * x) * (1 - _erf_near(x))), (~near, beyond))
    return in_cases(xp, cases, x).astype(dtype, copy=False)


def _log_ndtr(xp: Any, x: Any) -> Any:
    dtype = x.dtype
    x = x.astype(xp.float64, copy=False) * SQRT_HALF
    low = x < -1
    cases = (
        (low, lambda x: xp.log(_erfcx(xp, -x) / 2) - x * x),
        (~low, lambda x: xp.log1p(erfc_values(xp, x) / -2)),
    )
    return in_cases(xp, cases, x).astype(dtype, copy=False)


def _erfinv(xp: Any, y: Any) -> Any:
    """Through the normal quantile of (1 + y) / 2, which is sqrt(2) times the result."""
    half = y.astype(xp.float64, copy=False) * 0.5
    quantile = _quantile(xp, half, 0.5 - xp.abs(half))
    return (quantile * SQRT_HALF).astype(y.dtype, copy=False)


def _ndtri(xp: Any, p: Any) -> Any:
    dtype = p.dtype
    p = p.astype(xp.float64, copy=False)
    return _quantile(xp, p - 0.5, xp.minimum(p, 1 - p)).astype(dtype, copy=False)


def _quantile(xp: Any, half: Any, rest: Any) -> Any:
    """The normal quantile of 1/2 + half, of which `rest` is the smaller part of 1."""
    result = xp.full(half.shape, math.nan)
    middle = xp.abs(half) <= 0.425
    centre = half[middle]
    result[middle] = centre * ratio(0.180625 - centre * centre, DOUBLE.middle)
    outer = xp.abs(half) > 0.425
    root = xp.sqrt(-xp.log(rest[outer]))
    assert DOUBLE.far is not None
    # Beyond 27.3 there is only infinity, the root of a tail of 0.
    bounded = xp.minimum(root, 27.3)
    tail = ratio(bounded - 1.6, DOUBLE.tail)
    far = ratio(bounded - 5.0, DOUBLE.far)
    size = xp.where(root <= 5, tail, xp.where(root > 27.3, root, far))
    result[outer] = xp.copysign(size, half[outer])
    return result
