"""The primitive of all normalisations: zero mean and unit variance over chosen dimensions.

With y the normalised input and r the inverse of its spread, the derivative of y is the symmetric
A(g) = r (g - mean(g) - y mean(g y)); everything of higher order is made of A, y and r. An argument
`saved` is a memory, as in `minigrad.ops.fused`.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels
from minigrad.graph import Declaration, primitive
from minigrad.ops.reduce import broadcast_to, sum_to
from minigrad.ops.select import plus
from minigrad.ops.shape import reshape

Size = tuple[int, ...]


def _kept(shape: Size, axes: Size) -> Size:
    """The shape with size 1 in the normalised dimensions."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def _mean(value: Any, axes: Size) -> Any:
    """The mean over dimensions, kept; of a Tensor or an array."""
    count = prod(value.shape[axis] for axis in axes)
    return sum_to(value, size=_kept(value.shape, axes)) / count


def _rule(
    g: Any,
    input: Any,
    weight: Any,
    bias: Any,
    axes: Size,
    affine: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
    needed: Any,
) -> Any:
    constants: Any = {"axes": axes, "eps": eps, "centred": centred, "saved": saved}
    if not (needed[1] or needed[2]):
        return normalise_grad(_weighted(g, weight, affine), input, **constants), None, None
    found, *slopes = normalise_grads(g, input, weight, affine=affine, **constants)
    kept = zip(slopes, (weight, bias))
    return found, *(None if like is None else reshape(slope, like.shape) for slope, like in kept)


@Declaration()(joint=_rule)
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


def _standard(input: Any, axes: Size, eps: float, centred: bool, saved: list[Any]) -> Any:
    """The input normalised, without weight and bias."""
    return normalise(input, axes=axes, affine=(), eps=eps, centred=centred, saved=saved)


def _weighted(value: Any, weight: Any, affine: Size) -> Any:
    return value if weight is None else value * reshape(weight, affine)


def _curvature(
    g: Any, input: Any, array: Any, axes: Size, eps: float, centred: bool, saved: list[Any]
) -> Any:
    """The derivative by the array of the product of g with A(input)."""
    constants: Any = {"axes": axes, "eps": eps, "centred": centred, "saved": saved}
    count = prod(array.shape[axis] for axis in axes)
    y = normalise(array, affine=(), **constants)
    r = inverse_spread(array, axes=axes, eps=eps, centred=centred)
    a_of_g = normalise_grad(g, array, **constants)
    a_of_input = normalise_grad(input, array, **constants)
    product = sum_to(g * a_of_input, size=_kept(array.shape, axes))
    return -r * (
        y * product / count + _mean(input * y, axes) * a_of_g + _mean(g * y, axes) * a_of_input
    )


@primitive(
    input=lambda g, array, axes, eps, centred, saved: normalise_grad(
        g, array, axes=axes, eps=eps, centred=centred, saved=saved
    ),
    array=_curvature,
)
def normalise_grad(
    xp: Any,
    input: Any,
    array: Any,
    *,
    axes: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
) -> Any:
    """A(input): the cotangent of the array that was normalised, from that of its standard form."""
    dtype = input.dtype
    input, array = _in_single(xp, input, array)
    mean, _, inverse = saved
    out, *_ = kernels.normalise_grads(xp, input, array, None, mean, inverse, axes, (), centred)
    return out.astype(dtype, copy=False)


def _grads_rule(
    g: Any,
    input: Any,
    array: Any,
    weight: Any,
    axes: Size,
    affine: Size,
    eps: float,
    centred: bool,
    saved: list[Any],
) -> Any:
    """With input h and weight w the results are A(h w), the sum of h y, and that of h."""
    constants: Any = {"axes": axes, "eps": eps, "centred": centred, "saved": saved}
    of_input, of_weight, of_bias = g
    by_input, by_array, by_weight = None, None, None
    if of_input is not None:
        turned = normalise_grad(of_input, array, **constants)
        by_input = _weighted(turned, weight, affine)
        by_array = _curvature(of_input, _weighted(input, weight, affine), array, **constants)
        if weight is not None:
            by_weight = reshape(sum_to(input * turned, size=affine), weight.shape)
    if of_weight is not None:
        by_input = plus(by_input, of_weight * _standard(array, axes, eps, centred, saved))
        by_array = plus(by_array, normalise_grad(input * of_weight, array, **constants))
    if of_bias is not None:
        by_input = plus(by_input, broadcast_to(of_bias, size=input.shape))
    return by_input, by_array, by_weight


@Declaration(outputs=3)(joint=_grads_rule)
def normalise_grads(
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
    """The cotangents of all that `normalise` was given, from that of its result.

    Those of weight and bias have the shape `affine`.
    """
    dtype = input.dtype
    input, array, weight = _in_single(xp, input, array, weight)
    mean, _, inverse = saved
    found = kernels.normalise_grads(xp, input, array, weight, mean, inverse, axes, affine, centred)
    return tuple(part.astype(dtype, copy=False) for part in found)


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
