"""The functions of `keras.backend` that listings use: settings, and Keras 2's operations."""

from __future__ import annotations

from typing import Any

from minigrad.keras.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from minigrad.keras.layers.weight import Variable
from minigrad.keras.naming import clear_session
from minigrad.keras.ops import (
    abs,
    all,
    any,
    arange,
    argmax,
    argmin,
    binary_crossentropy,
    cast,
    categorical_crossentropy,
    clip,
    concatenate,
    convert_to_tensor,
    cos,
    dot,
    elu,
    equal,
    exp,
    expand_dims,
    eye,
    greater,
    greater_equal,
    hard_sigmoid,
    is_tensor,
    less,
    less_equal,
    log,
    logsumexp,
    max,
    maximum,
    mean,
    min,
    minimum,
    ndim,
    not_equal,
    one_hot,
    ones,
    ones_like,
    power,
    prod,
    ravel,
    relu,
    repeat,
    reshape,
    round,
    shape,
    sigmoid,
    sign,
    sin,
    softmax,
    softplus,
    softsign,
    sqrt,
    square,
    squeeze,
    stack,
    std,
    stop_gradient,
    sum,
    tanh,
    tile,
    transpose,
    var,
    where,
    zeros,
    zeros_like,
)
from minigrad.keras.ops import convert_to_numpy as get_value
from minigrad.keras.ops import shape as int_shape
from minigrad.keras.random import normal as random_normal
from minigrad.keras.random import uniform as random_uniform

__all__ = [
    "abs", "all", "any", "arange", "argmax", "argmin", "backend", "binary_crossentropy", "cast",
    "categorical_crossentropy", "clear_session", "clip", "concatenate", "constant", "cos", "dot",
    "elu", "epsilon", "equal", "exp", "expand_dims", "eye", "flatten", "floatx", "get_value",
    "greater", "greater_equal", "hard_sigmoid", "image_data_format", "int_shape", "is_tensor",
    "less", "less_equal", "log", "logsumexp", "max", "maximum", "mean", "min", "minimum", "ndim",
    "not_equal", "one_hot", "ones", "ones_like", "pow", "prod", "random_normal", "random_uniform",
    "relu", "repeat", "reshape", "round", "set_epsilon", "set_floatx", "set_image_data_format",
    "set_value", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign", "sqrt",
    "square", "squeeze", "stack", "std", "stop_gradient", "sum", "switch", "tanh", "tile",
    "transpose", "var", "variable", "zeros", "zeros_like",
]  # fmt: skip

constant = convert_to_tensor
flatten = ravel
pow = power
switch = where


def variable(value: Any, dtype: Any = None, name: str | None = None) -> Variable:
    """A tensor with `assign`, `assign_add` and `assign_sub`."""
    made = Variable(convert_to_tensor(value, dtype).clone(), requires_grad=False)
    made.name = name or "variable"
    return made


def set_value(x: Any, value: Any) -> None:
    """Replace the values of a variable or weight."""
    x.assign(value)
