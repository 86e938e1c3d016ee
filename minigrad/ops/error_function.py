"""The error function, its complement and its inverse, which NumPy does not have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.backend import backend_of, ndarray
from minigrad.backend.quantiles import DOUBLE
from minigrad.errors import DtypeError
from minigrad.ops.blocks import in_blocks
from minigrad.ops.functions import exp
from minigrad.ops.promotion import transcendental

__all__ = ["erf", "erfc", "erfinv"]

SLOPE = 2 / math.sqrt(math.pi)
FEW = 32
"""Up to so many elements the C library, one by one, beats a score of array operations."""


@transcendental(input=lambda g, input: g * (exp(input * -input) * SLOPE))
def erf(xp: Any, input: Any) -> Any:
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x."""
    return _evaluate(xp, input, "erf", _erf)


@transcendental(input=lambda g, input: g * (exp(input * -input) * -SLOPE))
def erfc(xp: Any, input: Any) -> Any:
    """The complement, 1 - erf(x), exact also for large x."""
    return _evaluate(xp, input, "erfc", _erfc)


@transcendental(input=lambda g, out: g * (exp(out * out) / SLOPE))
def erfinv(xp: Any, input: Any) -> Any:
    """The x whose error function is the element; infinite at -1 and 1, NaN beyond."""
    return _evaluate(xp, input, "erfinv", _erfinv)


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


def _polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule, constants first, with one temporary array."""
    result = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        result += coefficient
        result *= x
    result += coefficients[0]
    return result


def _ratio(x: Any, ratio: tuple[Sequence[float], Sequence[float]]) -> Any:
    result = _polynomial(x, ratio[0])
    result /= _polynomial(x, ratio[1])
    return result


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
    argument = _ratio(x * x, _SINGLE)
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
    return x * _ratio(x * x, _NEAR)


def _tail(xp: Any, size: Any) -> Any:
    """The complement, erfc, of sizes beyond the near edge."""
    scaled = xp.empty_like(size)
    far = size > _FAR_EDGE
    middle = ~far
    scaled[middle] = _ratio(size[middle], _MIDDLE)
    distant = size[far]
    square = 1 / (distant * distant)
    scaled[far] = (1 / math.sqrt(math.pi) + square * _ratio(square, _FAR)) / distant
    # exp(-x * x), with x * x in two parts of which the first is exact.
    coarse = xp.trunc(size * 16) / 16
    rest = (size - coarse) * (size + coarse)
    return xp.exp(-coarse * coarse) * xp.exp(-rest) * scaled


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


def _erfc(xp: Any, x: Any) -> Any:
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


def _erfinv(xp: Any, y: Any) -> Any:
    """Through the normal quantile of (1 + y) / 2, which is sqrt(2) times the result."""
    half = y.astype(xp.float64, copy=False) * 0.5
    result = xp.full(y.shape, math.nan)
    middle = xp.abs(half) <= 0.425
    centre = half[middle]
    result[middle] = centre * _ratio(0.180625 - centre * centre, DOUBLE.middle)
    outer = xp.abs(half) > 0.425
    root = xp.sqrt(-xp.log(0.5 - xp.abs(half[outer])))
    assert DOUBLE.far is not None
    # Beyond 27 there is only infinity, the root of a tail of 0.
    bounded = xp.minimum(root, 27.0)
    tail = _ratio(bounded - 1.6, DOUBLE.tail)
    far = _ratio(bounded - 5.0, DOUBLE.far)
    size = xp.where(root <= 5, tail, xp.where(root > 27, root, far))
    result[outer] = xp.copysign(size, half[outer])
    return (result * math.sqrt(0.5)).astype(y.dtype, copy=False)
