"""Activation functions under Keras's names, each one an operation of minigrad.

All take a tensor, or a KerasTensor, of any shape and return one of the same shape (`glu` halves
one dimension). A layer's `activation` argument is turned into one of them, or into a user's own
function, by `get`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.lookup import Lookup
from minigrad.keras.symbolic import operation
from minigrad.nn import functional as F

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid",
    "log_softmax", "mish", "relu", "relu6", "selu", "serialize", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


@operation
def linear(x: Any) -> Any:
    """x itself."""
    return x


@operation
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Any:
    """x above `threshold`, up to `max_value`; `negative_slope * (x - threshold)` elsewhere.

    >>> relu(minigrad.tensor([-2.0, 1.0, 9.0]), negative_slope=0.5, max_value=6.0)
    tensor([-1.,  1.,  6.])
    """
    if threshold:
        low = negative_slope * (x - threshold) if negative_slope else 0.0
        out = minigrad.where(x > threshold, x, low)
    elif negative_slope:
        out = F.leaky_relu(x, negative_slope)
    elif max_value == 6:
        return F.relu6(x)
    else:
        out = F.relu(x)
    return out if max_value is None else minigrad.clamp(out, max=max_value)


@operation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where it is positive, `negative_slope * x` elsewhere."""
    return F.leaky_relu(x, negative_slope)


@operation
def relu6(x: Any) -> Any:
    """x between 0 and 6, those elsewhere."""
    return F.relu6(x)


@operation
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return F.sigmoid(x)


@operation
def hard_sigmoid(x: Any) -> Any:
    """x / 6 + 1/2 limited to [0, 1], as in Keras 3 (Keras 2 had the slope 0.2)."""
    return F.hardsigmoid(x)


@operation
def tanh(x: Any) -> Any:
    """The hyperbolic tangent."""
    return F.tanh(x)


@operation
def hard_tanh(x: Any) -> Any:
    """x limited to [-1, 1]."""
    return F.hardtanh(x)


@operation
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x)."""
    return F.tanhshrink(x)


@operation
def softmax(x: Any, axis: Any = -1) -> Any:
    """exp(x) over its sum along `axis`, or along several axes at once."""
    return _over_axes(F.softmax, x, axis, "softmax")


@operation
def log_softmax(x: Any, axis: Any = -1) -> Any:
    """The logarithm of `softmax`."""
    return _over_axes(F.log_softmax, x, axis, "log_softmax")


@operation
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere."""
    return F.elu(x, alpha)


@operation
def selu(x: Any) -> Any:
    """The scaled ELU that keeps zero mean and unit variance (Klambauer et al. 2017)."""
    return F.selu(x)


@operation
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere."""
    return F.celu(x, alpha)


@operation
def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return F.softplus(x)


@operation
def softsign(x: Any) -> Any:
    """x / (1 + |x|)."""
    return F.softsign(x)


@operation
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards zero by `threshold`, and not past it."""
    return F.softshrink(x, threshold)


@operation
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x outside [-threshold, threshold], zero inside."""
    return F.hardshrink(x, threshold)


@operation
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x above `threshold`, `default_value` elsewhere."""
    return F.threshold(x, threshold, default_value)


@operation
def exponential(x: Any) -> Any:
    """exp(x)."""
    return minigrad.exp(x)


@operation
def gelu(x: Any, approximate: bool = False) -> Any:
    """x times the normal distribution function of x, or the tanh `approximate` of it."""
    return F.gelu(x, approximate="tanh" if approximate else "none")


@operation
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along `axis` times the sigmoid of the second (Dauphin et al. 2017)."""
    return F.glu(x, axis)


@operation
def silu(x: Any) -> Any:
    """x times its sigmoid; also called swish."""
    return F.silu(x)


@operation
def hard_silu(x: Any) -> Any:
    """x times its hard sigmoid; also called hard swish."""
    return F.hardswish(x)


@operation
def mish(x: Any) -> Any:
    """x times the tanh of its softplus (Misra 2019)."""
    return F.mish(x)


@operation
def log_sigmoid(x: Any) -> Any:
    """The logarithm of the sigmoid."""
    return F.logsigmoid(x)


@operation
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x^2 + b)) / 2, a softplus without exponentials."""
    return (x + minigrad.sqrt(x * x + b)) / 2


@operation
def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)^2 / 4 up to 1, then x."""
    return minigrad.where(x < 1, minigrad.clamp(x + 1, min=0) ** 2 / 4, x)


@operation
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 limited to [0, 1]."""
    return minigrad.clamp((x + 1) / 2, min=0, max=1)


@operation
def sparsemax(x: Any, axis: int = -1) -> Any:
    """The nearest probabilities to x along `axis`, many of them 0 (Martins and Astudillo 2016)."""
    scores = minigrad.sort(x, dim=axis, descending=True)[0]
    ranks = minigrad.arange(1, x.shape[axis] + 1, dtype=x.dtype, device=x.device)
    ranks = ranks.reshape((-1,) + (1,) * (x.ndim - 1 - axis % x.ndim))
    sums = minigrad.cumsum(scores, dim=axis)
    used = (1 + ranks * scores > sums).sum(dim=axis, keepdim=True)
    excess = minigrad.gather(sums, axis, used - 1) - 1
    return minigrad.clamp(x - excess / used.to(x.dtype), min=0)


swish = silu
hard_swish = hard_silu


def _over_axes(function: Callable[..., Any], x: Any, axis: Any, name: str) -> Any:
    """A function of one dimension along one axis, or along several taken as one."""
    if isinstance(axis, int):
        return function(x, axis)
    axes = tuple(place % x.ndim for place in axis)
    if not axes or len(set(axes)) < len(axes):
        raise ArgumentError(f"{name}(): axis must be different axes, at least one, got {axis}")
    if len(axes) == 1:
        return function(x, axes[0])
    others = [place for place in range(x.ndim) if place not in axes]
    order = (*others, *axes)
    moved = x.permute(order)
    flat = function(moved.reshape(*moved.shape[: len(others)], -1), -1)
    return flat.reshape(moved.shape).permute([order.index(place) for place in range(x.ndim)])


_FUNCTIONS = (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
    linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
    softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink,
    threshold,
)  # fmt: skip

LOOKUP = Lookup(
    "keras.activations",
    "activation",
    {
        **{function.__name__: function for function in _FUNCTIONS},
        "swish": silu,
        "hard_swish": hard_silu,
    },
)
"""The activations by name; the layers that are activations add their class names to it."""


def get(identifier: Any) -> Callable[..., Any]:
    """The function that a name, a configuration or a callable stands for; None is `linear`.

    Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> get("swish").__name__
    'silu'
    """
    found: Callable[..., Any] = linear if identifier is None else LOOKUP.get(identifier)
    return found


def serialize(activation: Any) -> Any:
    """The name of a function, or the configuration of an object: what `get` takes back."""
    return LOOKUP.to_config(activation)


def deserialize(config: Any) -> Callable[..., Any]:
    """The activation that `serialize` gave this for."""
    return get(config)
