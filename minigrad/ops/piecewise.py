"""Activation functions made of straight pieces: rectifiers, hard sigmoids, shrinkage."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend.wide import wide
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.kernels import twin
from minigrad.ops.blocks import LARGE, in_blocks, is_small
from minigrad.ops.promotion import transcendental
from minigrad.ops.random import rand_like
from minigrad.ops.select import where

__all__ = ["prelu", "relu", "rrelu", "threshold"]


@primitive(input=lambda g, out: g * (out > 0) if is_small(out) else _relu_grad(g, out))
def relu(xp: Any, input: Any) -> Any:
    """The larger of x and 0."""
    if input.dtype.kind in "bc":
        raise DtypeError(f"relu(): argument 'input' must be a real number, got {input.dtype}")
    return xp.maximum(input, 0) if input.nbytes < LARGE else _relu_values(xp, input)


@twin("activation", "relu", least=1 << 15)
def _relu_values(xp: Any, input: Any) -> Any:
    return wide(xp.maximum, input, 0)


@primitive(grad=lambda g, value: _relu_grad(g, value))
def _relu_grad(xp: Any, grad: Any, value: Any) -> Any:
    return _relu_grad_values(xp, grad, value)


@twin("activation", "relu_grad", least=1 << 15)
def _relu_grad_values(xp: Any, grad: Any, value: Any) -> Any:
    return grad * (value > 0)


def _steps(xp: Any, condition: Any, high: float, low: float, dtype: Any) -> Any:
    """`high` where the condition holds and `low` elsewhere, in a floating dtype."""
    if low == 0:
        return condition * dtype.type(high)
    if high == 1 and 0 < low < 1:
        return xp.maximum(condition, dtype.type(low))
    return xp.where(condition, dtype.type(high), dtype.type(low))


@primitive()
def _inside(xp: Any, input: Any, *, low: float, high: float, slope: float) -> Any:
    """`slope` where the input lies between the two, and 0 elsewhere and on them."""
    return _steps(xp, (input > low) & (input < high), slope, 0, input.dtype)


@transcendental(
    input=lambda g, input, negative_slope: _leaky_relu_grad(g, input, slope=negative_slope)
)
def _leaky_relu(xp: Any, input: Any, *, negative_slope: float) -> Any:
    return _leaky_relu_values(xp, input, negative_slope)


@twin("activation", "leaky_relu", least=1 << 15)
def _leaky_relu_values(xp: Any, input: Any, negative_slope: float) -> Any:
    out = input * negative_slope
    if 0 < negative_slope <= 1:
        return xp.maximum(input, out, out=out if out.ndim else None)
    return xp.where(input > 0, input, out)


@primitive(grad=lambda g, input, slope: _leaky_relu_grad(g, input, slope=slope))
def _leaky_relu_grad(xp: Any, grad: Any, input: Any, *, slope: float) -> Any:
    return _leaky_relu_grad_values(xp, grad, input, slope)


@twin("activation", "leaky_relu_grad", least=1 << 15)
def _leaky_relu_grad_values(xp: Any, grad: Any, input: Any, slope: float) -> Any:
    return grad * _steps(xp, input > 0, 1, slope, input.dtype)


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
    return in_blocks(xp, _hard_gate, input)


def _hard_gate(xp: Any, x: Any) -> Any:
    return xp.minimum(xp.maximum(x + 3, 0), 6) / 6


@transcendental(input=lambda g, input: g * _hardswish_slope(input))
def hardswish(xp: Any, input: Any) -> Any:
    """Every element times its hard sigmoid, x * hardsigmoid(x)."""
    return in_blocks(xp, lambda xp, x: _hard_gate(xp, x) * x, input)


@primitive(input=lambda g, input: g * _inside(input, low=-3.0, high=3.0, slope=1 / 3))
def _hardswish_slope(xp: Any, input: Any) -> Any:
    """The derivative of `hardswish`: x / 3 + 1/2 between -3 and 3, before it 0 and after it 1."""
    return in_blocks(xp, _hard_gated_slope, input)


def _hard_gated_slope(xp: Any, x: Any) -> Any:
    out = xp.minimum(xp.maximum(x, -3), 3) / 3
    out += 0.5
    # Between the edges only: on the left one this is -1/2, on the right one 3/2.
    out *= x > -3
    out -= (x >= 3) * x.dtype.type(0.5)
    return out


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
