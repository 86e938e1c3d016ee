"""Activation functions and their gradients, compiled: each is one pass over the elements."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import whole_registers
from minigrad.kernels.compiled.elementwise import elementwise, over
from minigrad.kernels.compiled.exponential import (
    decay,
    exponential,
    log1p_unit,
    logistic,
    moderate,
    normal,
    normal_slope,
)

_STEEPNESS = math.sqrt(2 / math.pi)
_CUBIC = 0.044715 * _STEEPNESS


@elementwise
def _tanh_grad(g: Any, y: Any, out: Any) -> None:
    one = y.dtype.type(1)
    for i in range(len(out)):
        out[i] = g[i] * (one - y[i] * y[i])


def tanh_grad(xp: Any, grad: Any, out: Any) -> Any:
    """The cotangent of what the tangent `out` was taken of."""
    return over(_tanh_grad, (grad, out))


@elementwise
def _sigmoid(x: Any, out: Any) -> None:
    whole_registers()
    for i in range(len(out)):
        out[i] = logistic(x[i])


def sigmoid(xp: Any, input: Any) -> Any:
    """The logistic function."""
    return over(_sigmoid, (input,))


@elementwise
def _sigmoid_grad(g: Any, y: Any, out: Any) -> None:
    one = y.dtype.type(1)
    for i in range(len(out)):
        out[i] = g[i] * (y[i] * (one - y[i]))


def sigmoid_grad(xp: Any, grad: Any, out: Any) -> Any:
    """The cotangent of what the logistic `out` was taken of."""
    return over(_sigmoid_grad, (grad, out))


@elementwise
def _exp(x: Any, out: Any) -> None:
    whole_registers()
    for i in range(len(out)):
        out[i] = exponential(x[i])


# Elements of a block, and the bits of the largest size that is moderate.
_BLOCK = 1024
_MODERATE = numpy.int32(numpy.float32(87).view(numpy.int32))
_SIZE = numpy.int32(0x7FFFFFFF)


@elementwise
def _exp_single(x: Any, out: Any) -> None:
    whole_registers()
    bits = x.view(numpy.int32)
    for first in range(0, len(out), _BLOCK):
        block, powers = x[first : first + _BLOCK], out[first : first + _BLOCK]
        sizes = bits[first : first + _BLOCK]
        largest = numpy.int32(0)
        # One pass that reads, computes and writes waits for memory while it computes.
        for i in range(len(sizes)):
            # Without their sign, floats come in the order of their bits, infinities and NaNs last.
            size = numpy.int32(sizes[i] & _SIZE)
            largest = size if size > largest else largest
            powers[i] = moderate(block[i])
        if largest > _MODERATE:
            # The others stay, so that no bit depends on where a block begins.
            for i in range(len(powers)):
                extreme = numpy.int32(sizes[i] & _SIZE) > _MODERATE
                powers[i] = exponential(block[i]) if extreme else powers[i]


def exp(xp: Any, input: Any) -> Any:
    """The exponential."""
    return over(_exp_single if input.dtype == numpy.float32 else _exp, (input,))


@elementwise
def _relu(x: Any, out: Any) -> None:
    zero = x.dtype.type(0)
    for i in range(len(out)):
        # False for NaNs, which stay.
        out[i] = zero if x[i] <= zero else x[i]


def relu(xp: Any, input: Any) -> Any:
    """The larger of x and 0."""
    return over(_relu, (input,))


@elementwise
def _relu_grad(g: Any, y: Any, out: Any) -> None:
    zero, one = y.dtype.type(0), y.dtype.type(1)
    for i in range(len(out)):
        # A product, so that an infinite cotangent becomes NaN as in the reference.
        out[i] = g[i] * (one if y[i] > zero else zero)


def relu_grad(xp: Any, grad: Any, out: Any) -> Any:
    """The cotangent where the rectified `out` is positive."""
    return over(_relu_grad, (grad, out))


@elementwise
def _leaky_relu(x: Any, slope: Any, out: Any) -> None:
    zero = x.dtype.type(0)
    for i in range(len(out)):
        out[i] = x[i] if x[i] > zero else x[i] * slope


def leaky_relu(xp: Any, input: Any, slope: float) -> Any:
    """The element, times the slope where it is not positive."""
    return over(_leaky_relu, (input,), slope)


@elementwise
def _leaky_relu_grad(g: Any, x: Any, slope: Any, out: Any) -> None:
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(len(out)):
        out[i] = g[i] * (one if x[i] > zero else slope)


def leaky_relu_grad(xp: Any, grad: Any, input: Any, slope: float) -> Any:
    """The cotangent, times the slope where the input is not positive."""
    return over(_leaky_relu_grad, (grad, input), slope)


@elementwise
def _silu(x: Any, out: Any) -> None:
    whole_registers()
    for i in range(len(out)):
        out[i] = logistic(x[i]) * x[i]


def silu(xp: Any, input: Any) -> Any:
    """Every element times its logistic function."""
    return over(_silu, (input,))


@elementwise
def _silu_grad(g: Any, x: Any, out: Any) -> None:
    whole_registers()
    one = x.dtype.type(1)
    for i in range(len(out)):
        gate = logistic(x[i])
        out[i] = g[i] * (gate * ((one - gate) * x[i] + one))


def silu_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `silu`."""
    return over(_silu_grad, (grad, input))


@elementwise
def _gelu(x: Any, out: Any) -> None:
    whole_registers()
    for i in range(len(out)):
        out[i] = x[i] * normal(x[i])


def gelu(xp: Any, input: Any) -> Any:
    """Every element times the normal distribution function of it."""
    return over(_gelu, (input,))


@elementwise
def _gelu_grad(g: Any, x: Any, out: Any) -> None:
    whole_registers()
    for i in range(len(out)):
        out[i] = g[i] * normal_slope(x[i])


def gelu_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `gelu`."""
    return over(_gelu_grad, (grad, input))


@elementwise
def _gelu_tanh(x: Any, steep: Any, cubic: Any, out: Any) -> None:
    whole_registers()
    two = x.dtype.type(2)
    for i in range(len(out)):
        bend = (x[i] * x[i] * cubic + steep) * x[i]
        # Half of 1 + tanh(b) is the logistic function of 2 b.
        out[i] = x[i] * logistic(two * bend)


def gelu_tanh(xp: Any, input: Any) -> Any:
    """`gelu` by the formula with a hyperbolic tangent."""
    return over(_gelu_tanh, (input,), _STEEPNESS, _CUBIC)


@elementwise
def _gelu_tanh_grad(g: Any, x: Any, steep: Any, cubic: Any, out: Any) -> None:
    whole_registers()
    one, two = x.dtype.type(1), x.dtype.type(2)
    triple = x.dtype.type(3) * cubic
    for i in range(len(out)):
        square = x[i] * x[i]
        gate = logistic(two * ((square * cubic + steep) * x[i]))
        rise = two * x[i] * (square * triple + steep)
        out[i] = g[i] * (gate + rise * (gate * (one - gate)))


def gelu_tanh_grad(xp: Any, grad: Any, input: Any) -> Any:
    """The cotangent of the input of `gelu_tanh`."""
    return over(_gelu_tanh_grad, (grad, input), _STEEPNESS, _CUBIC)


@elementwise
def _softplus(x: Any, beta: Any, threshold: Any, out: Any) -> None:
    whole_registers()
    zero = x.dtype.type(0)
    for i in range(len(out)):
        scaled = x[i] * beta
        size = -scaled if scaled < zero else scaled
        above = zero if scaled < zero else scaled
        smooth = (log1p_unit(decay(-size)) + above) / beta
        out[i] = x[i] if scaled > threshold else smooth


def softplus(xp: Any, input: Any, beta: float, threshold: float) -> Any:
    """A smooth rectifier."""
    return over(_softplus, (input,), beta, threshold)


@elementwise
def _softplus_grad(g: Any, x: Any, beta: Any, threshold: Any, out: Any) -> None:
    whole_registers()
    one = x.dtype.type(1)
    for i in range(len(out)):
        scaled = x[i] * beta
        gate = logistic(scaled)
        out[i] = g[i] * (one if scaled > threshold else gate)


def softplus_grad(xp: Any, grad: Any, input: Any, beta: float, threshold: float) -> Any:
    """The cotangent of the input of `softplus`."""
    return over(_softplus_grad, (grad, input), beta, threshold)
