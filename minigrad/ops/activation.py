"""Activation functions, elementwise: rectifiers, and smooth ones made of exponentials."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.error_function import erf
from minigrad.ops.functions import exp, tanh
from minigrad.ops.promotion import transcendental
from minigrad.ops.select import clamp, ordered, where
from minigrad.ops.special import sigmoid

__all__ = ["celu", "prelu", "relu", "rrelu", "selu", "threshold"]


@primitive(input=lambda g, out: g * (out > 0))
def relu(xp: Any, input: Any) -> Any:
    """The larger of x and 0."""
    if input.dtype.kind in "bc":
        raise DtypeError(f"relu(): argument 'input' must be a real number, got {input.dtype}")
    return xp.maximum(input, 0)


def _steps(xp: Any, condition: Any, high: float, low: float, dtype: Any) -> Any:
    """`high` where the condition holds and `low` elsewhere, in a floating dtype."""
    if low == 0:
        return condition * dtype.type(high)
    if high == 1 and 0 < low < 1:
        return xp.maximum(condition, dtype.type(low))
    return xp.where(condition, dtype.type(high), dtype.type(low))


@primitive()
def _above(xp: Any, input: Any, *, limit: float, low: float) -> Any:
    """1 where the input is above the limit, `low` elsewhere."""
    return _steps(xp, input > limit, 1, low, input.dtype)


@primitive()
def _inside(xp: Any, input: Any, *, low: float, high: float, slope: float) -> Any:
    """`slope` where the input lies between the two, and 0 elsewhere and on them."""
    return _steps(xp, (input > low) & (input < high), slope, 0, input.dtype)


@transcendental(
    input=lambda g, input, negative_slope: g * _above(input, limit=0, low=negative_slope)
)
def _leaky_relu(xp: Any, input: Any, *, negative_slope: float) -> Any:
    if 0 < negative_slope <= 1:
        return xp.maximum(input, input * negative_slope)
    return xp.where(input > 0, input, input * negative_slope)


def leaky_relu(input: Any, negative_slope: float = 0.01) -> Any:
    """The element where it is positive, `negative_slope` times it elsewhere."""
    return _leaky_relu(input, negative_slope=negative_slope)


def rrelu(input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False) -> Any:
    """A leaky rectifier whose slope, in training, is drawn for each element from [lower, upper)."""
    if lower > upper:
        raise ArgumentError(
            f"rrelu(): argument 'lower' is {lower}, above 'upper', which is {upper}"
        )
    if not training:
        return leaky_relu(input, (lower + upper) / 2)
    from minigrad.ops.random import rand_like

    slope = rand_like(input) * (upper - lower) + lower
    return where(input > 0, input, input * slope)


def prelu(input: Any, weight: Any) -> Any:
    """A leaky rectifier with a learnt slope: one for all, or one for each channel (dimension 1)."""
    count = math.prod(weight.shape)
    if weight.ndim > 1:
        raise ArgumentError(
            f"prelu(): argument 'weight' has shape {list(weight.shape)}; expected one slope, or "
            f"one for each channel, as a vector"
        )
    if count != 1 or weight.ndim:
        channels = input.shape[1] if input.ndim > 1 else 1
        if count not in (1, channels):
            raise ArgumentError(
                f"prelu(): argument 'weight' has {count} slopes, but 'input' of shape "
                f"{list(input.shape)} has {channels} channels; give 1 or {channels}"
            )
        weight = weight.reshape((-1,) + (1,) * (input.ndim - 2) if input.ndim else ())
    return where(input > 0, input, input * weight)


def _elu_rule(g: Any, input: Any, alpha: float, scale: float, rate: float) -> Any:
    return g * _elu_slope(input, alpha=alpha, scale=scale, rate=rate)


@transcendental(input=_elu_rule)
def _elu(xp: Any, input: Any, *, alpha: float, scale: float, rate: float) -> Any:
    ordered("elu", input)
    out = xp.expm1(xp.minimum(input, 0) * rate)
    out *= alpha * scale
    out += xp.maximum(input, 0) * scale
    return out


def _elu_slope_rule(g: Any, out: Any, input: Any, rate: float) -> Any:
    return g * (out * _steps_below(input, rate=rate))


@primitive(input=_elu_slope_rule)
def _elu_slope(xp: Any, input: Any, *, alpha: float, scale: float, rate: float) -> Any:
    factor = alpha * scale * rate
    out = xp.exp(xp.minimum(input, 0) * rate)
    out *= factor
    if factor != scale:
        out += (input > 0) * input.dtype.type(scale - factor)
    return out


@primitive()
def _steps_below(xp: Any, input: Any, *, rate: float) -> Any:
    """`rate` where the input is negative, 0 elsewhere."""
    return _steps(xp, input < 0, rate, 0, input.dtype)


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


def _softplus_rule(g: Any, input: Any, beta: float, threshold: float) -> Any:
    return g * _softplus_slope(input, beta=beta, threshold=threshold)


@transcendental(input=_softplus_rule)
def _softplus(xp: Any, input: Any, *, beta: float, threshold: float) -> Any:
    ordered("softplus", input)
    scaled = input * beta
    out = xp.logaddexp(scaled, scaled.dtype.type(0))
    return xp.where(scaled > threshold, input, out / beta)


@primitive(input=lambda g, out, beta: g * (out * (1 - out) * beta))
def _softplus_slope(xp: Any, input: Any, *, beta: float, threshold: float) -> Any:
    scaled = input * beta
    return xp.where(scaled > threshold, input.dtype.type(1), sigmoid(scaled))


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """A smooth rectifier, log(1 + exp(beta * x)) / beta; x itself past `threshold` / beta."""
    return _softplus(input, beta=beta, threshold=threshold)


@transcendental(input=lambda g, input: g * sigmoid(-input))
def logsigmoid(xp: Any, input: Any) -> Any:
    """The logarithm of the sigmoid, exact also far from 0."""
    ordered("logsigmoid", input)
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input)))


def _silu_rule(g: Any, input: Any) -> Any:
    gate = sigmoid(input)
    return g * ((input * (1 - gate) + 1) * gate)


@transcendental(input=_silu_rule)
def silu(xp: Any, input: Any) -> Any:
    """Every element times its sigmoid, x * sigmoid(x)."""
    return input * sigmoid(input)


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


def _gelu_rule(g: Any, input: Any) -> Any:
    cumulative = erf(input * ROOT_HALF) * 0.5 + 0.5
    return g * (cumulative + exp(input * input * -0.5) * input * DENSITY)


@transcendental(input=_gelu_rule)
def _gelu(xp: Any, input: Any) -> Any:
    if input.dtype.itemsize == 2:
        return _gelu(input.astype(xp.float32)).astype(input.dtype)
    out = erf(input * ROOT_HALF)
    out += 1
    out *= input
    out *= 0.5
    return out


CUBIC = 0.044715
STEEPNESS = math.sqrt(2 / math.pi)


def _gelu_tanh_rule(g: Any, input: Any) -> Any:
    square = input * input
    bend = tanh(input * (square * (CUBIC * STEEPNESS) + STEEPNESS))
    steep = square * (3 * CUBIC * STEEPNESS) + STEEPNESS
    return g * ((bend + 1 + input * (1 - bend * bend) * steep) * 0.5)


@transcendental(input=_gelu_tanh_rule)
def _gelu_tanh(xp: Any, input: Any) -> Any:
    if input.dtype.itemsize == 2:
        return _gelu_tanh(input.astype(xp.float32)).astype(input.dtype)
    square = input * input
    bend = xp.tanh(input * (square * (CUBIC * STEEPNESS) + STEEPNESS))
    return input * (bend + 1) * 0.5


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


@primitive(input=lambda g, input, low, high: g * _inside(input, low=low, high=high, slope=1.0))
def _hardtanh(xp: Any, input: Any, *, low: float, high: float) -> Any:
    if input.dtype.kind in "bc":
        raise DtypeError(f"hardtanh(): argument 'input' must be a real number, got {input.dtype}")
    return xp.minimum(xp.maximum(input, low), high)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """The elements kept between two bounds; beyond and on them there is no gradient."""
    if min_val > max_val:
        raise ArgumentError(
            f"hardtanh(): argument 'min_val' is {min_val}, above 'max_val', which is {max_val}"
        )
    if input.dtype.kind in "iu":
        min_val, max_val = int(min_val), int(max_val)
    return _hardtanh(input, low=min_val, high=max_val)


def relu6(input: Any) -> Any:
    """The elements kept between 0 and 6."""
    return hardtanh(input, 0, 6)


@transcendental(input=lambda g, input: g * _inside(input, low=-3.0, high=3.0, slope=1 / 6))
def hardsigmoid(xp: Any, input: Any) -> Any:
    """The sigmoid in three straight pieces: x / 6 + 1/2, between 0 and 1."""
    return xp.minimum(xp.maximum(input + 3, 0), 6) / 6


def _hardswish_rule(g: Any, input: Any) -> Any:
    inside = _inside(input, low=-3.0, high=3.0, slope=1.0)
    return g * (inside * (clamp(input, -3.0, 3.0) / 3 + 0.5) + _above_three(input))


@primitive()
def _above_three(xp: Any, input: Any) -> Any:
    return (input >= 3).astype(input.dtype)


@transcendental(input=_hardswish_rule)
def hardswish(xp: Any, input: Any) -> Any:
    """Every element times its hard sigmoid, x * hardsigmoid(x)."""
    return input * (xp.minimum(xp.maximum(input + 3, 0), 6) / 6)


def softsign(input: Any) -> Any:
    """A sigmoid without exponentials, x / (1 + |x|)."""
    return input / (abs(input) + 1)


def tanhshrink(input: Any) -> Any:
    """Every element less its hyperbolic tangent."""
    return input - tanh(input)


@transcendental(input=lambda g, out: where(out == 0, 0, g))
def _hardshrink(xp: Any, input: Any, *, lambd: float) -> Any:
    return xp.where((input >= -lambd) & (input <= lambd), input.dtype.type(0), input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """The elements, but 0 between -lambd and lambd."""
    return _hardshrink(input, lambd=lambd)


@transcendental(input=lambda g, out: where(out == 0, 0, g))
def _softshrink(xp: Any, input: Any, *, lambd: float) -> Any:
    return xp.where(
        input > lambd,
        input - lambd,
        xp.where(input < -lambd, input + lambd, input * 0),
    )


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """The elements moved towards 0 by lambd, and 0 between -lambd and lambd."""
    if lambd < 0:
        raise ArgumentError(f"softshrink(): argument 'lambd' is {lambd}; it must be at least 0")
    return _softshrink(input, lambd=lambd)


def threshold(input: Any, threshold: float, value: float) -> Any:
    """The element where it is above the threshold, `value` elsewhere."""
    return where(input > threshold, input, value)


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
