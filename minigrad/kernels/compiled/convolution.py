"""Convolution and its two transposes: which way is taken for which shape.

All are written for images; signals are images of one row. Volumes have no compiled twin.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled import line_loops, lines, unrolled, winograd

Sizes = tuple[int, ...]

LINES = {"convolve": 100, "convolve_input_grad": 0, "convolve_weight_grad": 512}
"""Up to how many pairs of a channel and a filter shifted lines beat unrolled windows."""

LINES_IN_GROUPS = 256
LINES_IN_STEPS = 4
"""The same for each of several groups, and where windows of groups move by more than one."""

LEAST_CHANNELS = 8
LEAST_PAIRS = 256
"""From so many channels, and pairs of a channel and a filter, on Winograd's transforms cost less
than they save; large images need half the pairs.
"""

LEAST_TILES = 128
"""A batch with fewer tiles does not earn the transform of the filters."""


def way(
    operation: str,
    dtype: Any,
    batch: int,
    channels: int,
    filters: int,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    out: Sizes,
) -> Any:
    """The fastest of three for a shape: the module `winograd`, `lines` or `unrolled`.

    `channels` and `filters` are those of one group. The numbers that decide were measured.
    """
    pairs = channels * filters
    by_one = stride == (1, 1)
    if dtype.char == "f" and kernel == (3, 3) and by_one and dilation == (1, 1) and groups == 1:
        tiles = -(-out[0] // winograd.SIDE) * -(-out[1] // winograd.SIDE)
        enough = LEAST_PAIRS if tiles < 64 else LEAST_PAIRS // 2
        many = pairs >= enough and min(channels, filters) >= LEAST_CHANNELS
        near = 0 <= min(padding) <= max(padding) <= 2
        if many and near and min(out) > winograd.SIDE and batch * tiles >= LEAST_TILES:
            return winograd
    if kernel == (1, 1) or out[1] + (kernel[1] - 1) * dilation[1] > line_loops.STRIP:
        return unrolled
    if groups > 1:
        most = LINES_IN_GROUPS if by_one else LINES_IN_STEPS
    else:
        most = LINES[operation] if by_one or operation == "convolve_weight_grad" else 0
    return lines if pairs <= most else unrolled


def _image(array: Any) -> Any:
    """A batch of signals as images of one row; images as they are, in C order."""
    array = numpy.ascontiguousarray(array)
    return array.reshape(*array.shape[:2], 1, -1) if array.ndim == 3 else array


def _pairs(first: int, *sizes: Sizes) -> tuple[Sizes, ...]:
    """The sizes of signals as those of images of one row."""
    return tuple((first, *size) if len(size) == 1 else size for size in sizes)


def _fits(*arrays: Any) -> bool:
    """Whether there are loops for these arrays."""
    known = [array for array in arrays if array is not None]
    same = len({array.dtype for array in known}) == 1
    return same and 3 <= known[0].ndim <= 4 and all(array.size for array in known)


def convolve(
    xp: Any,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    out: Sizes,
) -> Any:
    """Cross-correlate images with filters."""
    if not _fits(input, weight, bias):
        return None
    shape = (len(input), len(weight), *out)
    input, weight = _image(input), _image(weight)
    bias = None if bias is None else numpy.ascontiguousarray(bias)
    stride, dilation, out = _pairs(1, stride, dilation, out)
    (padding,) = _pairs(0, padding)
    sizes = (stride, padding, dilation, groups, out)
    filters, channels, *kernel = weight.shape
    described = (len(input), channels, filters // groups, tuple(kernel), *sizes)
    found = way("convolve", input.dtype, *described)
    result = None
    if found is winograd:
        result = winograd.convolve(input, weight, bias, padding, out)
    elif found is lines:
        result = lines.convolve(input, weight, bias, *sizes)
    if result is None:
        result = unrolled.convolve(input, weight, bias, *sizes)
    return result.reshape(shape)


def convolve_input_grad(
    xp: Any,
    grad: Any,
    weight: Any,
    bias: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its input."""
    if not _fits(grad, weight, bias):
        return None
    shape = (len(grad), weight.shape[1] * groups, *size)
    grad, weight = _image(grad), _image(weight)
    bias = None if bias is None else numpy.ascontiguousarray(bias)
    stride, dilation, size = _pairs(1, stride, dilation, size)
    (padding,) = _pairs(0, padding)
    filters, channels, *kernel = weight.shape
    # Where windows move by one it is itself a convolution, with the filters turned round.
    edges = tuple(k - 1 - pad for k, pad in zip(kernel, padding))
    described = (len(grad), filters // groups, channels, tuple(kernel), stride, edges)
    found = way("convolve_input_grad", grad.dtype, *described, dilation, groups, size)
    sizes = (size, stride, padding, dilation, groups)
    result = None
    if found is winograd:
        turned = weight.swapaxes(0, 1)[:, :, ::-1, ::-1]
        result = winograd.convolve(grad, turned, bias, edges, size)
    elif found is lines:
        result = lines.input_grad(grad, weight, bias, *sizes)
    if result is None:
        result = unrolled.input_grad(grad, weight, bias, *sizes)
    return result.reshape(shape)


def convolve_weight_grad(
    xp: Any,
    grad: Any,
    input: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its weight."""
    if not _fits(grad, input):
        return None
    channels, filters = input.shape[1] // groups, grad.shape[1]
    shape = (filters, channels, *size)
    grad, input = _image(grad), _image(input)
    stride, dilation, size = _pairs(1, stride, dilation, size)
    (padding,) = _pairs(0, padding)
    sizes = (size, stride, padding, dilation, groups)
    described = (len(grad), channels, filters // groups, *sizes, grad.shape[2:])
    found = way("convolve_weight_grad", grad.dtype, *described)
    result = None
    if found is winograd:
        result = winograd.weight_grad(grad, input, padding)
    elif found is lines:
        result = lines.weight_grad(grad, input, *sizes)
    if result is None:
        result = unrolled.weight_grad(grad, input, *sizes)
    return result.reshape(shape)
