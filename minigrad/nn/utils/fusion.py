"""Batch norm in evaluation folded into the layer before it."""

from __future__ import annotations

import copy
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import ones_like, zeros_like

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of a convolution that does what it and the batch norm behind it do in evaluation."""
    return _fused("fuse_conv_bn_eval", conv, bn, 1 if transpose else 0)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of a linear layer that does what it and the batch norm behind it do in evaluation."""
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise ArgumentError(
            f"fuse_linear_bn_eval(): the linear layer gives {linear.out_features} features, the "
            f"batch norm takes {bn.num_features}"
        )
    return _fused("fuse_linear_bn_eval", linear, bn, 0)


def _fused(operation: str, layer: Module, bn: Any, dim: int) -> Any:
    if layer.training or bn.training:
        raise ArgumentError(
            f"{operation}(): both layers must be in evaluation; call .eval() on them first"
        )
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError(f"{operation}(): the batch norm has no running statistics")
    fused: Any = copy.deepcopy(layer)
    fused.weight, fused.bias = _weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, dim
    )
    return fused


def fuse_conv_bn_weights(
    conv_w: Any,
    conv_b: Any,
    bn_rm: Any,
    bn_rv: Any,
    bn_eps: float,
    bn_w: Any,
    bn_b: Any,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a convolution with the batch norm behind it folded in."""
    dim = 1 if transpose else 0
    return _weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, dim)


def fuse_linear_bn_weights(
    linear_w: Any, linear_b: Any, bn_rm: Any, bn_rv: Any, bn_eps: float, bn_w: Any, bn_b: Any
) -> tuple[Parameter, Parameter]:
    """The weight and bias of a linear layer with the batch norm behind it folded in."""
    return _weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, 0)


def _weights(
    weight: Any, bias: Any, mean: Any, variance: Any, eps: float, scale: Any, shift: Any, dim: int
) -> tuple[Parameter, Parameter]:
    bias = zeros_like(mean) if bias is None else bias
    scale = ones_like(mean) if scale is None else scale
    shift = zeros_like(mean) if shift is None else shift
    factor = scale * (variance + eps) ** -0.5
    shape = [-1 if place == dim else 1 for place in range(weight.ndim)]
    return (
        Parameter((weight * factor.reshape(shape)).detach(), weight.requires_grad),
        Parameter(((bias - mean) * factor + shift).detach(), bias.requires_grad),
    )
