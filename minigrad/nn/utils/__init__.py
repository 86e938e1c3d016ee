"""Gradient clipping, parameters as one vector, and what else is done to modules from outside."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from minigrad import mutation
from minigrad.absent import explaining
from minigrad.backend import as_array, backend_of
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, wrap
from minigrad.nn.utils import parametrizations, parametrize, prune, rnn
from minigrad.nn.utils.fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from minigrad.nn.utils.reweighted import (
    remove_spectral_norm,
    remove_weight_norm,
    spectral_norm,
    weight_norm,
)
from minigrad.ops import reduce
from minigrad.ops.creation import zeros
from minigrad.ops.half import in_single
from minigrad.ops.join import cat

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "prune",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]


def _held(parameters: Any) -> list[Any]:
    return [parameters] if isinstance(parameters, Traced) else list(parameters)


def _gradients(parameters: list[Any]) -> list[Any]:
    return [p.grad for p in parameters if p.grad is not None]


def get_total_norm(tensors: Iterable[Any], norm_type: float = 2.0) -> Any:
    """The norm of all elements of all tensors together, a 0-d tensor."""
    held = list(tensors)
    if not held:
        raise ArgumentError("get_total_norm(): there are no tensors to take the norm of")
    return _norm(cat([t.detach().reshape(-1) for t in held], dim=0), norm_type)


@in_single
def _norm(vector: Any, norm_type: float) -> Any:
    if norm_type == 2 and vector.dtype.kind != "c":
        return reduce.sum(vector * vector) ** 0.5
    sizes = abs(vector)
    if norm_type == math.inf:
        return sizes.max()
    return reduce.sum(sizes**norm_type) ** (1 / norm_type)


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Any:
    """Scale all gradients in place so that their joint norm is at most `max_norm`.

    Returns the norm before. Raises ArgumentError for a norm that is not finite,
    if `error_if_nonfinite` (Pascanu et al. 2013).
    """
    return clip_norm(_held(parameters), max_norm, norm_type, error_if_nonfinite)


def clip_norm(
    parameters: list[Any], max_norm: float, norm_type: float, error_if_nonfinite: bool
) -> Any:
    """`clip_grad_norm_` of a list of parameters."""
    gradients = _gradients(parameters)
    if not gradients:
        return zeros(())
    first = gradients[0]
    arrays = [g._array for g in gradients]
    if len({(array.__class__, array.dtype) for array in arrays}) == 1:
        flat = backend_of(first._array).xp.concatenate([array.reshape(-1) for array in arrays])
        total = as_array(_norm(flat, norm_type))
    else:
        total = get_total_norm(gradients, norm_type)._array
    if error_if_nonfinite and not math.isfinite(total):
        raise ArgumentError(
            f"clip_grad_norm_(): the total norm is {total}; look for the operation that "
            f"overflows, or pass error_if_nonfinite=False"
        )
    _scale(arrays, max_norm, total, "clip_grad_norm_")
    return wrap(first, total)


def clip_grads_with_norm_(
    parameters: Any, max_norm: float, total_norm: Any, foreach: bool | None = None
) -> None:
    """Scale all gradients in place by max_norm / total_norm, where that is below one.

    What `clip_grad_norm_` does, for a norm found before, as by `get_total_norm`.
    """
    arrays = [g._array for g in _gradients(_held(parameters))]
    _scale(arrays, max_norm, total_norm._array, "clip_grads_with_norm_")


def _scale(arrays: list[Any], max_norm: float, total: Any, name: str) -> None:
    scale = (max_norm / (total + 1e-6)).clip(None, 1.0)
    for array in arrays:
        array *= scale.astype(array.dtype)
    _note(arrays, name)


def _note(arrays: list[Any], name: str) -> None:
    """Note that the gradients were changed in place."""
    mutation.renew([mutation.change_of(array) for array in arrays], name, mutation.caller())


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every gradient element into [-clip_value, clip_value], in place."""
    clip_values(_held(parameters), clip_value)


def clip_values(parameters: list[Any], clip_value: float) -> None:
    """`clip_grad_value_` of a list of parameters."""
    if clip_value < 0:
        raise ArgumentError(f"clip_grad_value_(): clip_value must be at least 0, got {clip_value}")
    arrays = [g._array for g in _gradients(parameters)]
    for array in arrays:
        if array.dtype.kind == "c":
            raise DtypeError(
                f"clip_grad_value_(): a gradient is {array.dtype}, and complex numbers have no "
                f"order to clip by; use clip_grad_norm_()"
            )
        array.clip(-clip_value, clip_value, out=array)
    _note(arrays, "clip_grad_value_")


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All parameters end to end in one vector."""
    return cat([p.reshape(-1) for p in parameters], dim=0)


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Fill the parameters from one vector, in order."""
    held = list(parameters)
    total = sum(p.numel() for p in held)
    if vec.ndim != 1 or vec.numel() != total:
        raise ArgumentError(
            f"vector_to_parameters(): the vector has shape {list(vec.shape)}, the parameters hold "
            f"{total} elements"
        )
    start = 0
    for p in held:
        stop = start + p.numel()
        wrap(p, p._array).copy_(vec[start:stop].detach().reshape(p.shape))
        start = stop


__getattr__ = explaining(__name__)
