"""Smooth activation functions, elementwise: made of exponentials and the error function."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.kernels import twin
from minigrad.ops.blocks import LARGE, in_blocks
from minigrad.ops.dims import wrap_dim
from minigrad.ops.error_function import erf
from minigrad.ops.functions import exp, tanh
from minigrad.ops.promotion import transcendental
from minigrad.ops.select import ordered, where
from minigrad.ops.special import logistic, sigmoid

__all__ = ["celu", "selu"]


def _elu_rule(g: Any, input: Any, alpha: float, scale: float, rate: float) -> Any:
    return g * _elu_slope(input, alpha=alpha, scale=scale, rate=rate)


@transcendental(input=_elu_rule)
def _elu(xp: Any, input: Any, *, alpha: float, scale: float, rate: float) -> Any:
    def formula(xp: Any, x: Any) -> Any:
        out = xp.minimum(x, 0)
        if rate != 1:
            out *= rate
        out = xp.expm1(out)
        out *= alpha * scale
        out += xp.maximum(x, 0) * scale
        return out

    return in_blocks(xp, formula, ordered("elu", input))


def _elu_slope_rule(g: Any, out: Any, input: Any, rate: float) -> Any:
    return g * (out * _steps_below(input, rate=rate))


@primitive(input=_elu_slope_rule)
def _elu_slope(xp: Any, input: Any, *, alpha: float, scale: float, rate: float) -> Any:
    factor = alpha * scale * rate

    def formula(xp: Any, x: Any) -> Any:
        out = xp.minimum(x, 0)
        if rate != 1:
            out *= rate
        out = xp.exp(out)
        out *= factor
        if factor != scale:
            out += (x > 0) * x.dtype.type(scale - factor)
        return out

    return in_blocks(xp, formula, input)


@primitive()
def _steps_below(xp: Any, input: Any, *, rate: float) -> Any:
    """`rate` where the input is negative, 0 elsewhere."""
    return (input < 0) * input.dtype.type(rate)


def elu(input: Any, alpha: float = 1.0) -> Any:
    """The element where it is positive, alpha * (exp(x) - 1) elsewhere."""
    return _elu(input, alpha=alpha, scale=1.0, rate=1.0)


def selu(input: Any) -> Any:
    """An ELU whose constants keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return _elu(input, alpha=1.6732632423543772, scale=1.0507009873554805, rate=1.0)


def celu(input: Any, alpha: float = 1.0) -> Any:
    """The element where it is positive, alpha * (exp(x / alpha) - 1) elsewhere: always smooth."""
    if alpha == 0:
        raise ArgumentError("celu(): argument 'alpha' is 0, by which the input is divided")
    return _elu(input, alpha=alpha, scale=1.0, rate=1 / alpha)


@transcendental(
    input=lambda g, input, beta, threshold: _softplus_grad(g, input, beta=beta, threshold=threshold)
)
def _softplus(xp: Any, input: Any, *, beta: float, threshold: float) -> Any:
    return _softplus_values(xp, ordered("softplus", input), beta, threshold)


@twin("activation", "softplus", least=1 << 15)
def _softplus_values(xp: Any, input: Any, beta: float, threshold: float) -> Any:
    def formula(xp: Any, x: Any) -> Any:
        scaled = x * beta
        out = _log1p_exp_minus(xp, xp.abs(scaled))
        out += xp.maximum(scaled, 0)
        out /= beta
        return xp.where(scaled > threshold, x, out)

    return in_blocks(xp, formula, input)


def _log1p_exp_minus(xp: Any, size: Any) -> Any:
    """The logarithm of 1 + exp(-size), for a raw array of sizes that is used up."""
    if not size.ndim:
        return xp.log1p(xp.exp(-size))
    xp.negative(size, out=size)
    xp.exp(size, out=size)
    return xp.log1p(size, out=size)


def _softplus_grad_rule(g: Any, grad: Any, input: Any, beta: float, threshold: float) -> Any:
    gate = sigmoid(input * beta)
    return g * where(input * beta > threshold, 0, grad * (gate * (1 - gate) * beta))


@primitive(
    grad=lambda g, input, beta, threshold: _softplus_grad(g, input, beta=beta, threshold=threshold),
    input=_softplus_grad_rule,
)
def _softplus_grad(xp: Any, grad: Any, input: Any, *, beta: float, threshold: float) -> Any:
    return _softplus_grad_values(xp, grad, input, beta, threshold)


@twin("activation", "softplus_grad", least=1 << 15)
def _softplus_grad_values(xp: Any, grad: Any, input: Any, beta: float, threshold: float) -> Any:
    def formula(xp: Any, g: Any, x: Any) -> Any:
        scaled = x * beta
        return g * xp.where(scaled > threshold, x.dtype.type(1), logistic(xp, scaled))

    return in_blocks(xp, formula, grad, input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """A smooth rectifier, log(1 + exp(beta * x)) / beta; x itself past `threshold` / beta."""
    return _softplus(input, beta=beta, threshold=threshold)


@transcendental(input=lambda g, input: g * sigmoid(-input))
def logsigmoid(xp: Any, input: Any) -> Any:
    """The logarithm of the sigmoid, exact also far from 0."""
    return in_blocks(xp, _log_logistic, ordered("logsigmoid", input))


def _log_logistic(xp: Any, x: Any) -> Any:
    return xp.minimum(x, 0) - _log1p_exp_minus(xp, xp.abs(x))


def _gated(xp: Any, x: Any) -> Any:
    out = logistic(xp, x)
    out *= x
    return out


@transcendental(input=lambda g, input: _silu_grad(g, input))
def silu(xp: Any, input: Any) -> Any:
    """Every element times its sigmoid, x * sigmoid(x)."""
    if input.nbytes < LARGE:
        return in_blocks(xp, _gated, input)
    return _silu_values(xp, input)


@twin("activation", "silu", least=1 << 15)
def _silu_values(xp: Any, input: Any) -> Any:
    return in_blocks(xp, _gated, input)


def _silu_grad_rule(g: Any, grad: Any, input: Any) -> Any:
    gate = sigmoid(input)
    return g * (grad * (gate * (1 - gate) * (input * (1 - gate * 2) + 2)))


@primitive(grad=lambda g, input: _silu_grad(g, input), input=_silu_grad_rule)
def _silu_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `silu`."""
    if input.nbytes < LARGE:
        return in_blocks(xp, _gated_grad, grad, input)
    return _silu_grad_values(xp, grad, input)


@twin("activation", "silu_grad", least=1 << 15)
def _silu_grad_values(xp: Any, grad: Any, input: Any) -> Any:
    return in_blocks(xp, _gated_grad, grad, input)


def _gated_grad(xp: Any, g: Any, x: Any) -> Any:
    gate = logistic(xp, x)
    out = 1 - gate
    out *= x
    out += 1
    out *= gate
    out *= g
    return out


def _mish_rule(g: Any, input: Any) -> Any:
    gate = sigmoid(input)
    bend = tanh(softplus(input))
    return g * (bend + input * gate * (1 - bend * bend))


@transcendental(input=_mish_rule)
def mish(xp: Any, input: Any) -> Any:
    """Every element times a smooth gate, x * tanh(softplus(x)) (Misra 2019)."""
    return input * xp.tanh(softplus(input))


ROOT_HALF = math.sqrt(0.5)
DENSITY = 1 / math.sqrt(2 * math.pi)


@transcendental(input=lambda g, input: _gelu_grad(g, input))
def _gelu(xp: Any, input: Any) -> Any:
    if input.nbytes < LARGE:
        return in_blocks(xp, _normal_gated, input)
    return _gelu_values(xp, input)


@twin("activation", "gelu", least=1 << 15)
def _gelu_values(xp: Any, input: Any) -> Any:
    return in_blocks(xp, _normal_gated, input)


def _normal_gated(xp: Any, x: Any) -> Any:
    out = erf(x * ROOT_HALF)
    out += 1
    out *= x
    out *= 0.5
    return out


def _gelu_grad_rule(g: Any, grad: Any, input: Any) -> Any:
    return g * (grad * ((2 - input * input) * exp(input * input * -0.5) * DENSITY))


@primitive(grad=lambda g, input: _gelu_grad(g, input), input=_gelu_grad_rule)
def _gelu_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `gelu`."""
    if input.nbytes < LARGE:
        return in_blocks(xp, _normal_gated_grad, grad, input)
    return _gelu_grad_values(xp, grad, input)


@twin("activation", "gelu_grad", least=1 << 15)
def _gelu_grad_values(xp: Any, grad: Any, input: Any) -> Any:
    return in_blocks(xp, _normal_gated_grad, grad, input)


def _normal_gated_grad(xp: Any, g: Any, x: Any) -> Any:
    # The distribution function, and x times the density.
    density = x * x
    density *= -0.5
    density = xp.exp(density)
    density *= x
    density *= DENSITY
    out = erf(x * ROOT_HALF)
    out *= 0.5
    out += 0.5
    out += density
    out *= g
    return out


CUBIC = 0.044715
STEEPNESS = math.sqrt(2 / math.pi)


def _bend(x: Any) -> Any:
    """What the formula takes the hyperbolic tangent of, over x."""
    return x * x * (CUBIC * STEEPNESS) + STEEPNESS


def _slope_of_bend(x: Any) -> Any:
    return x * x * (3 * CUBIC * STEEPNESS) + STEEPNESS


@transcendental(input=lambda g, input: _gelu_tanh_grad(g, input))
def _gelu_tanh(xp: Any, input: Any) -> Any:
    return _gelu_tanh_values(xp, input)


@twin("activation", "gelu_tanh", least=1 << 15)
def _gelu_tanh_values(xp: Any, input: Any) -> Any:
    return in_blocks(xp, lambda xp, x: (xp.tanh(_bend(x) * x) + 1) * x * 0.5, input)


def _gelu_tanh_grad_rule(g: Any, grad: Any, input: Any) -> Any:
    bend = tanh(input * _bend(input))
    steep = _slope_of_bend(input)
    curved = 1 - bend * bend
    # The slope of (1 + b) / 2 + x (1 - b * b) s / 2, where s is that of the tangent's argument.
    turn = steep + input * input * (3 * CUBIC * STEEPNESS) - input * bend * steep * steep
    return g * (grad * (curved * turn))


@primitive(grad=lambda g, input: _gelu_tanh_grad(g, input), input=_gelu_tanh_grad_rule)
def _gelu_tanh_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `gelu` by the formula with a hyperbolic tangent."""
    return _gelu_tanh_grad_values(xp, grad, input)


@twin("activation", "gelu_tanh_grad", least=1 << 15)
def _gelu_tanh_grad_values(xp: Any, grad: Any, input: Any) -> Any:
    def formula(xp: Any, g: Any, x: Any) -> Any:
        bend = xp.tanh(_bend(x) * x)
        return g * ((bend + 1 + x * (1 - bend * bend) * _slope_of_bend(x)) * 0.5)

    return in_blocks(xp, formula, grad, input)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Every element times the normal distribution function of it (Hendrycks and Gimpel 2016).

    `approximate="tanh"` computes it by their formula with a hyperbolic tangent.
    """
    if approximate == "none":
        return _gelu(input)
    if approximate == "tanh":
        return _gelu_tanh(input)
    raise ArgumentError(
        f"gelu(): argument 'approximate' must be 'none' or 'tanh', got {approximate!r}"
    )


def softsign(input: Any) -> Any:
    """A sigmoid without exponentials, x / (1 + |x|)."""
    return input / (abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """Every element less its hyperbolic tangent."""
    return input - tanh(input)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half along a dimension times the sigmoid of the second (Dauphin et al. 2017)."""
    if input.ndim == 0:
        raise ArgumentError("glu(): argument 'input' has no dimension to halve; give at least one")
    axis = wrap_dim("glu", dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise ArgumentError(
            f"glu(): dimension {dim} of 'input' has size {size}, which cannot be halved; "
            f"the shape is {list(input.shape)}"
        )
    before = (slice(None),) * axis
    first = input[(*before, slice(0, size // 2))]
    second = input[(*before, slice(size // 2, size))]
    return first * sigmoid(second)
