"""Normalisation: zero mean and unit variance over chosen dimensions, or unit root mean square.

Layer, group, instance and batch norm are one primitive, `normalise`, over different dimensions.
With y the normalised input and r the inverse of its spread, the derivative of y is the symmetric
A(g) = r (g - mean(g) - y mean(g y)); everything of higher order is made of A, y and r.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels, mutation
from minigrad.backend import namespace
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.ops.pad import pad_constant
from minigrad.ops.pool import avg_pool2d
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import sum_to
from minigrad.ops.shape import reshape
from minigrad.ops.windows import raw

__all__ = ["group_norm", "layer_norm", "rms_norm"]

Size = tuple[int, ...]


def _kept(shape: Size, axes: Size) -> Size:
    """The shape with size 1 in the normalised dimensions."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def _mean(value: Any, axes: Size) -> Any:
    """The mean over dimensions, kept; of a Tensor or an array."""
    count = prod(value.shape[axis] for axis in axes)
    return sum_to(value, size=_kept(value.shape, axes)) / count


@primitive(
    input=lambda g, input, weight, axes, affine, eps, centred, saved: normalise_grad(
        g, input, weight, axes=axes, affine=affine, eps=eps, centred=centred, saved=saved
    ),
    weight=lambda g, input, shape, axes, affine, eps, centred, saved: reshape(
        sum_to(g * _standard(input, axes, eps, centred, saved), size=affine), shape
    ),
    bias=lambda g, shape, affine: reshape(sum_to(g, size=affine), shape),
)
def normalise(
    xp: Any,
    input: Any,
    weight: Any = None,
    bias: Any = None,
    *,
    axes: Size,
    affine: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
) -> Any:
    """The input less its mean (if `centred`), over its spread, times weight, plus bias.

    Mean and spread are over `axes`; weight and bias have the shape `affine` beside the input.
    `saved` receives the mean, the variance and the inverse spread, or has them already.
    """
    dtype = input.dtype
    input = kernels.wide(xp, input)
    if saved:
        out = _from_saved(input, saved)
    else:
        count = prod(input.shape[axis] for axis in axes)
        mean = 0
        out = input
        if centred:
            mean = input.sum(axes, keepdims=True) / count
            out = input - mean
        variance = (out * out).sum(axes, keepdims=True) / count
        inverse = 1 / xp.sqrt(variance + eps)
        out = out * inverse if out is input else xp.multiply(out, inverse, out=out)
        saved += (mean, variance, inverse)
    if weight is not None:
        out = out * weight.reshape(affine) if len(saved) > 3 else _times(xp, out, weight, affine)
    if bias is not None:
        out += bias.reshape(affine)
    return out.astype(dtype, copy=False)


def _times(xp: Any, out: Any, weight: Any, affine: Size) -> Any:
    """The product with a weight, in place."""
    return xp.multiply(out, weight.reshape(affine), out=out)


def _from_saved(input: Any, saved: list[Any]) -> Any:
    """The input normalised by a mean and spread known already; kept for the next who asks."""
    if len(saved) == 3:
        mean, _, inverse = saved
        out = input - mean
        out *= inverse
        saved.append(out)
    return saved[3]


def _standard(input: Any, axes: Size, eps: float, centred: bool, saved: list[Any]) -> Any:
    """The input normalised, without weight and bias."""
    return normalise(input, axes=axes, affine=(), eps=eps, centred=centred, saved=saved)


def _curvature(
    g: Any, input: Any, array: Any, weight: Any, axes: Size, eps: float, centred: bool, saved: Any
) -> Any:
    """The derivative by the array of the product of g with A(input * weight)."""
    constants = {"axes": axes, "eps": eps, "centred": centred, "saved": saved}
    if weight is not None:
        input = input * weight
    count = prod(array.shape[axis] for axis in axes)
    y = normalise(array, affine=(), **constants)
    r = inverse_spread(array, axes=axes, eps=eps, centred=centred)
    a_of_g = normalise_grad(g, array, affine=(), **constants)
    a_of_input = normalise_grad(input, array, affine=(), **constants)
    product = sum_to(g * a_of_input, size=_kept(array.shape, axes))
    return -r * (
        y * product / count + _mean(input * y, axes) * a_of_g + _mean(g * y, axes) * a_of_input
    )


@primitive(
    input=lambda g, array, weight, axes, affine, eps, centred, saved: _weighted(
        normalise_grad(
            g, array, axes=axes, affine=affine, eps=eps, centred=centred, saved=saved
        ),
        weight,
        affine,
    ),
    array=lambda g, input, array, weight, axes, affine, eps, centred, saved: _curvature(
        g,
        input,
        array,
        None if weight is None else reshape(weight, affine),
        axes,
        eps,
        centred,
        saved,
    ),
    weight=lambda g, input, array, shape, axes, affine, eps, centred, saved: reshape(
        sum_to(
            input
            * normalise_grad(
                g, array, axes=axes, affine=affine, eps=eps, centred=centred, saved=saved
            ),
            size=affine,
        ),
        shape,
    ),
)
def normalise_grad(
    xp: Any,
    input: Any,
    array: Any,
    weight: Any = None,
    *,
    axes: Size,
    affine: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
) -> Any:
    """The cotangent of the array that `normalise` was given, from that of its result: A(g w)."""
    dtype = input.dtype
    input, array = kernels.wide(xp, input), kernels.wide(xp, array)
    count = prod(array.shape[axis] for axis in axes)
    y = _from_saved(array, saved)
    if weight is not None:
        input = input * weight.reshape(affine)
    out = input * y
    share = out.sum(axes, keepdims=True)
    share /= -count
    xp.multiply(y, share, out=out)
    out += input
    if centred:
        out -= input.sum(axes, keepdims=True) / count
    out *= saved[2]
    return out.astype(dtype, copy=False)


def _weighted(value: Any, weight: Any, affine: Size) -> Any:
    return value if weight is None else value * reshape(weight, affine)


@primitive(
    input=lambda g, input, out, shape, axes, eps, centred: -(
        g * out * out * _standard(input, axes, eps, centred, [])
    )
    / prod(shape[axis] for axis in axes)
)
def inverse_spread(xp: Any, input: Any, *, axes: Size, eps: float, centred: bool) -> Any:
    """One over the root of the variance (the mean square unless `centred`) plus `eps`."""
    count = prod(input.shape[axis] for axis in axes)
    if centred:
        input = input - input.sum(axes, keepdims=True) / count
    return 1 / xp.sqrt((input * input).sum(axes, keepdims=True) / count + eps)


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Zero mean and unit variance over the last dimensions, which have `normalized_shape`.

    Then times `weight`, plus `bias`, both of that shape. Source: Ba, Kiros and Hinton, "Layer
    Normalization", 2016.
    """
    sizes = _trailing("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    axes = tuple(range(input.ndim - len(sizes), input.ndim))
    return normalise(
        input, weight, bias, axes=axes, affine=sizes, eps=eps, centred=True, saved=[]
    )


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
    return normalise(
        input, weight, axes=axes, affine=sizes, eps=eps, centred=False, saved=[]
    )


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
        mean, variance, _ = saved[:3]
        _move("batch_norm", running_mean, mean.reshape(-1), momentum)
        _move("batch_norm", running_var, variance.reshape(-1) * (count / (count - 1)), momentum)
    return out


def _move(operation: str, running: Any, value: Any, momentum: float) -> None:
    """Move a running statistic towards a value, in place."""
    if running is None:
        return
    array = raw(running)
    array *= 1 - momentum
    array += momentum * value.astype(array.dtype, copy=False)
    mutation.touch(array, operation)


def _by_running(
    input: Any, mean: Any, variance: Any, weight: Any, bias: Any, affine: Size, eps: float
) -> Any:
    """The input normalised by given statistics: one product and one sum for each element."""
    mean, variance = raw(mean), raw(variance)
    xp = namespace("batch_norm", running_mean=mean)
    mean, variance = kernels.wide(xp, mean), kernels.wide(xp, variance)
    scale = 1 / xp.sqrt(variance + eps)
    if weight is not None:
        scale = convert(weight, scale.dtype) * scale
    shift = -(scale * mean)
    if bias is not None:
        shift = convert(bias, scale.dtype) + shift
    wide = convert(input, scale.dtype)
    return convert(wide * reshape(scale, affine) + reshape(shift, affine), input.dtype)


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
        mean, variance, _ = saved[:3]
        unbiased = variance * (count / (count - 1))
        _move("instance_norm", running_mean, mean.mean(0).reshape(-1), momentum)
        _move("instance_norm", running_var, unbiased.mean(0).reshape(-1), momentum)
    return out


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
