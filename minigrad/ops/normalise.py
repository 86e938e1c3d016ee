"""The primitive of all normalisations: zero mean and unit variance over chosen dimensions.

With y the normalised input and r the inverse of its spread, the derivative of y is the symmetric
A(g) = r (g - mean(g) - y mean(g y)); everything of higher order is made of A, y and r. An argument
`saved` is a memory, as in `minigrad.ops.fused`.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels
from minigrad.graph import primitive
from minigrad.ops.reduce import sum_to
from minigrad.ops.shape import reshape

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
    weight=lambda g, input, shape, axes, affine, eps, centred, saved: normalise_weight_grad(
        g,
        input,
        axes=axes,
        affine=affine,
        eps=eps,
        centred=centred,
        saved=saved,
        size=shape,
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
    input, weight, bias = _in_single(xp, input, weight, bias)
    if saved and weight is None:
        mean, _, inverse = saved
        out = input - mean
        out *= inverse
    else:
        out, *statistics = kernels.normalise(xp, input, weight, bias, axes, affine, eps, centred)
        saved[:] = statistics
    return out.astype(dtype, copy=False)


def _in_single(xp: Any, *arrays: Any) -> Any:
    """The arrays in the dtype that they are computed with; None stays None."""
    return (None if array is None else kernels.in_single(xp, array) for array in arrays)


@primitive(
    input=lambda g, array, axes, affine, eps, centred, saved: (
        reshape(g, affine) * _standard(array, axes, eps, centred, saved)
    ),
    array=lambda g, input, array, axes, affine, eps, centred, saved: normalise_grad(
        input * reshape(g, affine),
        array,
        axes=axes,
        affine=(),
        eps=eps,
        centred=centred,
        saved=saved,
    ),
)
def normalise_weight_grad(
    xp: Any,
    input: Any,
    array: Any,
    *,
    axes: Size,
    affine: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
    size: Size,
) -> Any:
    """The cotangent of the weight, of shape `size`: that of the result times the normalised."""
    dtype = input.dtype
    input, array = _in_single(xp, input, array)
    mean, _, inverse = saved
    out = kernels.normalise_weight_grad(xp, input, array, mean, inverse, affine)
    return out.reshape(size).astype(dtype, copy=False)


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
        normalise_grad(g, array, axes=axes, affine=affine, eps=eps, centred=centred, saved=saved),
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
    input, array, weight = _in_single(xp, input, array, weight)
    mean, _, inverse = saved
    out = kernels.normalise_grad(xp, input, array, weight, mean, inverse, axes, affine, centred)
    return out.astype(dtype, copy=False)


def _weighted(value: Any, weight: Any, affine: Size) -> Any:
    return value if weight is None else value * reshape(weight, affine)


@primitive(
    input=lambda g, input, out, shape, axes, eps, centred: (
        -(g * out * out * _standard(input, axes, eps, centred, []))
        / prod(shape[axis] for axis in axes)
    )
)
def inverse_spread(xp: Any, input: Any, *, axes: Size, eps: float, centred: bool) -> Any:
    """One over the root of the variance (the mean square unless `centred`) plus `eps`."""
    count = prod(input.shape[axis] for axis in axes)
    if centred:
        input = input - input.sum(axes, keepdims=True) / count
    return 1 / xp.sqrt((input * input).sum(axes, keepdims=True) / count + eps)
