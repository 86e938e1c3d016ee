"""Convolution in any number of dimensions, as one closed family.

`convolution` is linear in its input and in its weight, so that its two gradients and their
gradients are again the same three operations.
"""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.graph import primitive

Sizes = tuple[int, ...]


@primitive(input=lambda g, shape: spread_channels(g, size=shape))
def sum_channels(xp: Any, input: Any) -> Any:
    """The sum over everything but dimension 1."""
    return input.sum((0, *range(2, input.ndim)), dtype=input.dtype)


@primitive(input=lambda g: sum_channels(g))
def spread_channels(xp: Any, input: Any, *, size: Sizes) -> Any:
    """One value for each index of dimension 1, seen at a larger shape."""
    return xp.broadcast_to(input.reshape(-1, *(1,) * (len(size) - 2)), size)


@primitive(
    input=lambda g, weight, shape, stride, padding, dilation, groups: convolution_input_grad(
        g, weight, size=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    weight=lambda g, input, shape, stride, padding, dilation, groups: convolution_weight_grad(
        g, input, size=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    bias=lambda g: sum_channels(g),
)
def convolution(
    xp: Any,
    input: Any,
    weight: Any,
    bias: Any = None,
    *,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    count: Sizes,
) -> Any:
    """Cross-correlate each image with each filter; (N, C, *sizes) becomes (N, filters, *count).

    The sizes `count` may be smaller than would fit: a transposed convolution leaves the choice.
    """
    return kernels.convolve(xp, input, weight, bias, stride, padding, dilation, groups, count)


@primitive(
    input=lambda g, weight, shape, stride, padding, dilation, groups: convolution(
        g,
        weight,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        count=shape[2:],
    ),
    weight=lambda g, input, shape, stride, padding, dilation, groups: convolution_weight_grad(
        input, g, size=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
    bias=lambda g: sum_channels(g),
)
def convolution_input_grad(
    xp: Any,
    input: Any,
    weight: Any,
    bias: Any = None,
    *,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolution` in its input, onto images of `size`."""
    return kernels.convolve_input_grad(
        xp, input, weight, bias, size, stride, padding, dilation, groups
    )


@primitive(
    input=lambda g, other, shape, stride, padding, dilation, groups: convolution(
        other,
        g,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        count=shape[2:],
    ),
    other=lambda g, input, shape, stride, padding, dilation, groups: convolution_input_grad(
        input, g, size=shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups
    ),
)
def convolution_weight_grad(
    xp: Any,
    input: Any,
    other: Any,
    *,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolution` in its weight: cotangents `input` meet images `other`."""
    return kernels.convolve_weight_grad(xp, input, other, size, stride, padding, dilation, groups)
