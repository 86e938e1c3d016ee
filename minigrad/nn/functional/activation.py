"""Activation functions with torch's `inplace` argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import namespace
from minigrad.backend.random import default_generator
from minigrad.errors import ArgumentError
from minigrad.inplace import in_place
from minigrad.ops import activation, functions, piecewise, special
from minigrad.ops.activation import gelu, glu, logsigmoid, softplus, softsign, tanhshrink
from minigrad.ops.fused import log_softmax, softmax, softmin
from minigrad.ops.piecewise import hardshrink, prelu, softshrink
from minigrad.ops.windows import raw

__all__ = [
    "celu", "celu_", "elu", "elu_", "gelu", "glu", "gumbel_softmax", "hardshrink", "hardsigmoid",
    "hardswish", "hardtanh", "hardtanh_", "leaky_relu", "leaky_relu_", "log_softmax", "logsigmoid",
    "mish", "prelu", "relu", "relu6", "relu_", "rrelu", "rrelu_", "selu", "selu_", "sigmoid",
    "silu", "softmax", "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink",
    "threshold", "threshold_",
]  # fmt: skip

sigmoid = special.sigmoid
tanh = functions.tanh

relu_ = in_place(piecewise.relu)
celu_ = in_place(activation.celu)
elu_ = in_place(activation.elu)
hardtanh_ = in_place(piecewise.hardtanh)
leaky_relu_ = in_place(piecewise.leaky_relu)
rrelu_ = in_place(piecewise.rrelu)
selu_ = in_place(activation.selu)
threshold_ = in_place(piecewise.threshold)
_relu6_ = in_place(piecewise.relu6)
_hardsigmoid_ = in_place(piecewise.hardsigmoid)
_hardswish_ = in_place(piecewise.hardswish)
_silu_ = in_place(activation.silu)
_mish_ = in_place(activation.mish)


def _either(inplace: bool, changing: Callable[..., Any], making: Callable[..., Any]) -> Any:
    """The in-place function or the one that makes a new tensor."""
    return changing if inplace else making


def relu(input: Any, inplace: bool = False) -> Any:
    """The larger of x and 0.

    >>> import minigrad
    >>> minigrad.nn.functional.relu(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else piecewise.relu(input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """x between 0 and 6, those elsewhere."""
    return _either(inplace, _relu6_, piecewise.relu6)(input)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where it is above the threshold, `value` elsewhere."""
    return _either(inplace, threshold_, piecewise.threshold)(input, threshold, value)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x between `min_val` and `max_val`, those elsewhere."""
    return _either(inplace, hardtanh_, piecewise.hardtanh)(input, min_val, max_val)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where it is positive, `negative_slope` times x elsewhere."""
    return _either(inplace, leaky_relu_, piecewise.leaky_relu)(input, negative_slope)


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """A leaky rectifier whose slope, in training, is drawn for each element from [lower, upper)."""
    return _either(inplace, rrelu_, piecewise.rrelu)(input, lower, upper, training)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""
    return _either(inplace, elu_, activation.elu)(input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """A scaled ELU whose outputs keep zero mean and unit variance."""
    return _either(inplace, selu_, activation.selu)(input)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where it is positive, alpha (exp(x / alpha) - 1) elsewhere."""
    return _either(inplace, celu_, activation.celu)(input, alpha)


def silu(input: Any, inplace: bool = False) -> Any:
    """x times its sigmoid; also called swish."""
    return _either(inplace, _silu_, activation.silu)(input)


def mish(input: Any, inplace: bool = False) -> Any:
    """x times the tanh of its softplus."""
    return _either(inplace, _mish_, activation.mish)(input)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x times its hardsigmoid."""
    return _either(inplace, _hardswish_, piecewise.hardswish)(input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """relu6(x + 3) / 6, a sigmoid of straight lines."""
    return _either(inplace, _hardsigmoid_, piecewise.hardsigmoid)(input)


def gumbel_softmax(
    logits: Any, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """A random choice by these logits, relaxed to positive numbers that sum to one along `dim`.

    Small `tau` comes close to a choice. With `hard` the value is a choice and the gradient the
    relaxed one's. `eps` has no effect, as in torch. Source: Jang, Gu and Poole, 2017.
    """
    if not tau > 0:
        raise ArgumentError(f"gumbel_softmax(): argument 'tau' must be positive, got {tau}")
    soft = softmax((logits - log_waiting_times(logits)) / tau, dim)
    if not hard:
        return soft
    # Adding and taking away the soft value leaves the choice, with the soft value's gradient.
    return soft + corrections(soft, dim)


def log_waiting_times(logits: Any) -> Any:
    """Logarithms of exponential random numbers, minus Gumbel ones, as a raw array."""
    xp = namespace("gumbel_softmax", logits=raw(logits))
    return xp.log(default_generator.exponential(xp, tuple(logits.shape), logits.dtype.name))


def corrections(soft: Any, dim: int) -> Any:
    """What must be added to probabilities to make the largest one 1, the others 0; raw."""
    values = raw(soft)
    xp = namespace("gumbel_softmax", logits=values)
    chosen = xp.eye(values.shape[dim], dtype=values.dtype)[values.argmax(dim)]
    return xp.moveaxis(chosen, -1, dim) - values
