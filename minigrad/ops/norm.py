"""Layer, group, batch, instance and root mean square normalisation."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels, mutation
from minigrad.backend import namespace
from minigrad.backend.levels import LEVELS, Lifted, readable
from minigrad.dtypes import float16
from minigrad.errors import ArgumentError, DtypeError
from minigrad.modes import recomputing
from minigrad.ops.normalise import normalise
from minigrad.ops.pad import pad_constant
from minigrad.ops.pool import avg_pool2d
from minigrad.ops.promotion import convert
from minigrad.ops.shape import reshape
from minigrad.ops.windows import raw, same_dtype

__all__ = ["group_norm", "layer_norm", "rms_norm"]

Size = tuple[int, ...]


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Zero mean and unit variance over the last dimensions, which have `normalized_shape`.

    Then times `weight`, plus `bias`, both of that shape. Source: Ba, Kiros and Hinton, "Layer
    Normalization", 2016.
    """
    sizes = _trailing("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    axes = tuple(range(input.ndim - len(sizes), input.ndim))
    return normalise(input, weight, bias, axes=axes, affine=sizes, eps=eps, centred=True, saved=[])


def rms_norm(
    input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None
) -> Any:
    """Unit root mean square over the last dimensions, which have `normalized_shape`.

    `eps` is the dtype's own unless given. Source: Zhang and Sennrich, "Root Mean Square Layer
    Normalization", 2019.
    """
    sizes = _trailing("rms_norm", input, normalized_shape, weight=weight)
    axes = tuple(range(input.ndim - len(sizes), input.ndim))
    if eps is None:
        xp = namespace("rms_norm", input=raw(input))
        eps = float(xp.finfo(input.dtype).eps)
    return normalise(input, weight, axes=axes, affine=sizes, eps=eps, centred=False, saved=[])


def _trailing(operation: str, input: Any, normalized_shape: Any, **affine: Any) -> Size:
    """The normalised sizes, checked against the input and against weight and bias."""
    if isinstance(normalized_shape, int):
        normalized_shape = (normalized_shape,)
    sizes = tuple(normalized_shape)
    shape = tuple(input.shape)
    if not sizes:
        raise ArgumentError(
            f"{operation}(): argument 'normalized_shape' must name at least one size; for input of "
            f"shape {list(shape)} write normalized_shape={list(shape[-1:])}"
        )
    if shape[len(shape) - len(sizes) :] != sizes or len(shape) < len(sizes):
        raise ArgumentError(
            f"{operation}(): argument 'normalized_shape' is {list(sizes)}, but argument 'input' of "
            f"shape {list(shape)} ends in {list(shape[-len(sizes) :])}"
        )
    _require_floating(operation, input)
    if input.dtype != float16:
        same_dtype(operation, input, **affine)
    for name, value in affine.items():
        if value is not None and tuple(value.shape) != sizes:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must have the normalized_shape {list(sizes)}, "
                f"got {list(value.shape)}"
            )
    return sizes


def _require_floating(operation: str, input: Any) -> None:
    if input.dtype.kind not in "fc":
        raise DtypeError(
            f"{operation}(): argument 'input' must be floating, got {input.dtype}; convert it "
            f"first, for example input.float()"
        )


def _per_channel(operation: str, channels: int, **values: Any) -> None:
    """Raise ArgumentError unless each value given has one element for each channel."""
    for name, value in values.items():
        if value is not None and tuple(value.shape) != (channels,):
            raise ArgumentError(
                f"{operation}(): argument '{name}' must have shape [{channels}], one value for "
                f"each channel, got {list(value.shape)}"
            )


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Zero mean and unit variance over groups of the channels of (N, C, ...).

    Source: Wu and He, "Group Normalization", 2018.
    """
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ArgumentError(
            f"group_norm(): argument 'input' must have shape (N, C, ...) with C a multiple of "
            f"num_groups={num_groups}, got {list(input.shape)}"
        )
    _require_floating("group_norm", input)
    batch, channels, *rest = input.shape
    _per_channel("group_norm", channels, weight=weight, bias=bias)
    if input.dtype != float16:
        same_dtype("group_norm", input, weight=weight, bias=bias)
    if batch * channels * prod(rest) == 0:
        return input * 1
    each = channels // num_groups
    parts = reshape(input, (batch, num_groups, each, prod(rest)))
    out = normalise(
        parts,
        weight,
        bias,
        axes=(2, 3),
        affine=(1, num_groups, each, 1),
        eps=eps,
        centred=True,
        saved=[],
    )
    return reshape(out, (batch, channels, *rest))


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Zero mean and unit variance of each channel of (N, C, ...) over the batch.

    In training the batch's own statistics are used and the running ones moved towards them in
    place; otherwise the running ones are used. Source: Ioffe and Szegedy, "Batch Normalization",
    2015.

    Raises ArgumentError when training on one value for each channel, or for shapes that do not fit.
    """
    if input.ndim < 2:
        if 0 in input.shape:
            return input * 1
        raise ArgumentError(
            f"batch_norm(): argument 'input' must have shape (N, C) or (N, C, ...), got "
            f"{list(input.shape)}"
        )
    _require_floating("batch_norm", input)
    channels = input.shape[1]
    _per_channel(
        "batch_norm",
        channels,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if input.dtype != float16:
        same_dtype("batch_norm", input, weight=weight, bias=bias)
    affine = (1, channels, *(1,) * (input.ndim - 2))
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError(
                "batch_norm(): without training arguments 'running_mean' and 'running_var' must "
                "be given; pass them, or training=True"
            )
        return _by_running(input, running_mean, running_var, weight, bias, affine, eps)
    axes = (0, *range(2, input.ndim))
    count = prod(input.shape[axis] for axis in axes)
    if count == 1:
        raise ArgumentError(
            f"batch_norm(): training needs more than one value for each channel, got argument "
            f"'input' of shape {list(input.shape)}; use a larger batch, or training=False"
        )
    saved: list[Any] = []
    out = normalise(
        input, weight, bias, axes=axes, affine=affine, eps=eps, centred=True, saved=saved
    )
    if count:
        move_statistics("batch_norm", running_mean, running_var, saved, count, momentum)
    return out


def move_statistics(
    operation: str, mean: Any, variance: Any, saved: list[Any], count: int, momentum: float
) -> None:
    """Move the running mean and variance towards those of a batch of `count`, in place."""
    unbiased = saved[1].reshape(-1) * (count / (count - 1))
    move_statistic(operation, mean, saved[0].reshape(-1), momentum)
    move_statistic(operation, variance, unbiased, momentum)


def move_statistic(operation: str, running: Any, value: Any, momentum: float) -> None:
    """Move a running statistic towards a value, in place; not when computing once more."""
    if running is None or recomputing.get():
        return
    array = raw(running)
    if LEVELS and not isinstance(array, Lifted):
        value = readable(value, operation)
    array[...] = (1 - momentum) * array.astype(value.dtype, copy=False) + momentum * value
    mutation.touch(array, operation)


def _by_running(
    input: Any, mean: Any, variance: Any, weight: Any, bias: Any, affine: Size, eps: float
) -> Any:
    """The input normalised by given statistics: one product and one sum for each element."""
    mean, scale = running_scale(mean, variance, eps)
    if weight is not None:
        scale = convert(weight, scale.dtype) * scale
    shift = -(scale * mean)
    if bias is not None:
        shift = convert(bias, scale.dtype) + shift
    wide = convert(input, scale.dtype)
    return convert(wide * reshape(scale, affine) + reshape(shift, affine), input.dtype)


def running_scale(mean: Any, variance: Any, eps: float) -> tuple[Any, Any]:
    """A running mean and the inverse spread by a running variance, as raw arrays."""
    mean, variance = raw(mean), raw(variance)
    xp = namespace("batch_norm", running_mean=mean)
    mean, variance = kernels.in_single(xp, mean), kernels.in_single(xp, variance)
    return mean, 1 / xp.sqrt(variance + eps)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Zero mean and unit variance of each channel of each sample of (N, C, ...).

    With `use_input_stats` the running statistics, where given, are moved towards the batch's mean
    ones; without, they are used. Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization",
    2016.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    if input.ndim < 3:
        raise ArgumentError(
            f"instance_norm(): argument 'input' must have shape (N, C, ...), got "
            f"{list(input.shape)}"
        )
    _require_floating("instance_norm", input)
    channels = input.shape[1]
    _per_channel(
        "instance_norm",
        channels,
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    axes = tuple(range(2, input.ndim))
    count = prod(input.shape[2:])
    if count == 1:
        raise ArgumentError(
            f"instance_norm(): more than one value is needed for each channel, got argument "
            f"'input' of shape {list(input.shape)}"
        )
    affine = (1, channels, *(1,) * len(axes))
    saved: list[Any] = []
    out = normalise(
        input, weight, bias, axes=axes, affine=affine, eps=eps, centred=True, saved=saved
    )
    if count and input.shape[0]:
        move_by_samples("instance_norm", running_mean, running_var, saved, count, momentum)
    return out


def move_by_samples(
    operation: str, mean: Any, variance: Any, saved: list[Any], count: int, momentum: float
) -> None:
    """Move the running mean and variance towards the averages of each sample's, in place."""
    unbiased = saved[1] * (count / (count - 1))
    move_statistic(operation, mean, saved[0].mean(0).reshape(-1), momentum)
    move_statistic(operation, variance, unbiased.mean(0).reshape(-1), momentum)


def local_response_norm(
    input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """Divide each element by the local energy of `size` neighbouring channels of (N, C, ...).

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet Classification", 2012.
    """
    if input.ndim < 3:
        raise ArgumentError(
            f"local_response_norm(): argument 'input' must have shape (N, C, ...), got "
            f"{list(input.shape)}"
        )
    if not prod(input.shape):
        return input
    batch, channels, *rest = input.shape
    squares = reshape(input * input, (batch, 1, channels, prod(rest)))
    widths = ((0, 0), (0, 0), (size // 2, (size - 1) // 2), (0, 0))
    energy = avg_pool2d(pad_constant(squares, widths=widths, value=0), (size, 1), 1)
    return input / reshape(energy * alpha + k, tuple(input.shape)) ** beta
