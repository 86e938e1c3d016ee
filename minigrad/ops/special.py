"""Functions of exponentials and logarithms that need care: sigmoid, logit, logaddexp, xlogy."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.graph import primitive
from minigrad.kernels import twin
from minigrad.ops.blocks import LARGE, in_blocks, is_small
from minigrad.ops.error_function import erfc
from minigrad.ops.functions import LN2, cos, exp, floats, log, sin
from minigrad.ops.operands import between
from minigrad.ops.promotion import elementwise, transcendental
from minigrad.ops.select import clamp, where, zero

__all__ = ["logaddexp", "logaddexp2", "logit", "sigmoid", "sinc", "xlogy"]


@transcendental(
    input=lambda g, out: g * (out * (1 - out)) if is_small(out) else _sigmoid_grad(g, out)
)
def sigmoid(xp: Any, input: Any) -> Any:
    """The logistic function, 1 / (1 + exp(-x))."""
    if input.nbytes < LARGE:
        return in_blocks(xp, logistic, input)
    return _sigmoid_values(xp, input)


@twin("activation", "sigmoid", least=1 << 15)
def _sigmoid_values(xp: Any, input: Any) -> Any:
    return in_blocks(xp, logistic, input)


@primitive(
    grad=lambda g, value: _sigmoid_grad(g, value),
    value=lambda g, grad, value: g * (grad * (1 - value * 2)),
)
def _sigmoid_grad(xp: Any, grad: Any, value: Any) -> Any:
    return _sigmoid_grad_values(xp, grad, value)


@twin("activation", "sigmoid_grad", least=1 << 15)
def _sigmoid_grad_values(xp: Any, grad: Any, value: Any) -> Any:
    return grad * (value * (1 - value))


def logistic(xp: Any, x: Any) -> Any:
    """The logistic function of a raw array."""
    # Where the exponential overflows the result is 0, as it should be.
    out = xp.exp(-x)
    out += 1
    return xp.reciprocal(out, out=out) if out.ndim else 1 / out


def logit(input: Any, eps: float | None = None) -> Any:
    """The inverse of the sigmoid, log(x / (1 - x)); `eps` keeps x from 0 and 1."""
    return _logit(input if eps is None else clamp(input, eps, 1 - eps))


@transcendental(input=lambda g, input: g / (input * (1 - input)))
def _logit(xp: Any, input: Any) -> Any:
    return xp.log(input / (1 - input))


@between(
    input=lambda g, out, input: g * exp(input - _finite(out)),
    other=lambda g, out, other: g * exp(other - _finite(out)),
)
def logaddexp(xp: Any, input: Any, other: Any) -> Any:
    """The logarithm of exp(input) + exp(other), without overflow."""
    input, other = floats("logaddexp", input, other)
    if input.dtype.kind != "c":
        return xp.logaddexp(input, other)
    larger = xp.where(input.real < other.real, other, input)
    smaller = xp.where(input.real < other.real, input, other)
    return larger + xp.log1p(xp.exp(smaller - larger))


@between(
    input=lambda g, out, input: g * exp((input - _finite(out)) * LN2),
    other=lambda g, out, other: g * exp((other - _finite(out)) * LN2),
)
def logaddexp2(xp: Any, input: Any, other: Any) -> Any:
    """The logarithm to base 2 of 2 ** input + 2 ** other, without overflow."""
    return xp.logaddexp2(*floats("logaddexp2", input, other))


def _finite(out: Any) -> Any:
    """The result with 0 for minus infinity, beside which both slopes are exp(-inf) = 0."""
    return where(out == -math.inf, 0, out)


def _times(xp: Any, input: Any, logarithm: Any, defined: Any) -> Any:
    """The product with a logarithm, 0 where the input is 0, unless the argument was NaN."""
    product = input * logarithm
    return xp.where((input == 0) & defined, product.dtype.type(0), product)


def _float(value: Any) -> Any:
    if getattr(value, "dtype", dtypes.float32).kind in "biu":
        return value.astype(dtypes.get_default_dtype())
    return value


def _beside(value: Any, input: Any) -> Any:
    """A number in the input's dtype, so that a function of it is not double precision."""
    return value if hasattr(value, "dtype") else _float(input).dtype.type(value)


def _unless_zero(input: Any, value: Any) -> Any:
    """The value, but 0 where the input is 0, which may be a number."""
    if hasattr(input, "dtype"):
        return where(input == 0, 0, value)
    return value if input else zero(value)


def _xlogy_by_input(g: Any, input: Any, other: Any) -> Any:
    flat = (input == 0) & (other <= 0)
    argument = where(flat, 1, other) if hasattr(other, "dtype") else other
    return where(flat, 0, xlogy(g, argument))


@elementwise(
    input=_xlogy_by_input,
    other=lambda g, input, other: _unless_zero(input, g * (input / other)),
)
def xlogy(xp: Any, input: Any, other: Any) -> Any:
    """The product input * log(other), and 0 where the input is 0, also beside log(0)."""
    input, other = _float(input), _beside(_float(other), input)
    return _times(xp, input, xp.log(other), other == other)


def _xlog1py_by_input(g: Any, input: Any, other: Any) -> Any:
    flat = (input == 0) & (other <= -1)
    argument = where(flat, 0, other) if hasattr(other, "dtype") else other
    return where(flat, 0, xlog1py(g, argument))


@elementwise(
    input=_xlog1py_by_input,
    other=lambda g, input, other: _unless_zero(input, g * (input / (other + 1))),
)
def xlog1py(xp: Any, input: Any, other: Any) -> Any:
    """The product input * log1p(other), and 0 where the input is 0, also beside log1p(-1)."""
    input, other = _float(input), _beside(_float(other), input)
    return _times(xp, input, xp.log1p(other), other == other)


@transcendental(input=lambda g, input: g * (-1 - log(input)))
def entr(xp: Any, input: Any) -> Any:
    """The entropy of a probability, -x * log(x): 0 at 0, minus infinity below."""
    entropy = -_times(xp, input, xp.log(input), True)
    return xp.where(input < 0, entropy.dtype.type(-math.inf), entropy)


def ndtr(input: Any) -> Any:
    """The normal distribution function: the probability of a standard normal number below x."""
    return erfc(input * -math.sqrt(0.5)) * 0.5


# The derivative of sin(a) / a, over a, as a series in a * a: (-1) ** k * 2 k / (2 k + 1)!.
_SINC_SERIES = (-1 / 3, 1 / 30, -1 / 840, 1 / 45360, -1 / 3991680, 1 / 518918400)


def _sinc_rule(g: Any, input: Any) -> Any:
    angle = input * math.pi
    # The closed form cancels near 0.
    near = (angle < 0.5) & (angle > -0.5) if angle.dtype.kind != "c" else input == 0
    square = angle * angle
    series = _SINC_SERIES[-1]
    for coefficient in _SINC_SERIES[-2::-1]:
        series = square * series + coefficient
    closed = (angle * cos(angle) - sin(angle)) / where(near, 1, square)
    return g * (where(near, angle * series, closed) * math.pi)


@transcendental(input=_sinc_rule)
def sinc(xp: Any, input: Any) -> Any:
    """The cardinal sine, sin(pi x) / (pi x), and 1 at 0."""
    dtype = input.dtype
    angle = (input.astype(xp.float32) if dtype.itemsize == 2 else input) * math.pi
    return xp.where(input == 0, 1, xp.sin(angle) / xp.where(input == 0, 1, angle)).astype(dtype)
