"""Convolution without unrolled windows: each place in the kernel shifts a whole image.

A padded image is held as one line of numbers; where windows move by more than one, each of the
cells between is a plane of its own in it. Then each place in the kernel meets all windows in one
run from its offset on, if the gaps between the rows of windows are carried along: sums of shifted
runs, for four filters at a time, are all there is to do.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.line_loops import correlate, meet
from minigrad.kernels.compiled.workers import in_pieces

Sizes = tuple[int, ...]


def _layout(kernel: Sizes, stride: Sizes, dilation: Sizes, out: Sizes) -> tuple[int, int, Any]:
    """The width of a row in a line, the length of the line, and where each place's run starts."""
    last = [(k - 1) * gap // step for k, gap, step in zip(kernel, dilation, stride)]
    height, width = out[0] + last[0], out[1] + last[1]
    offsets = []
    for i, j in product(*map(range, kernel)):
        y, x = i * dilation[0], j * dilation[1]
        plane = y % stride[0] * stride[1] + x % stride[1]
        offsets.append((plane * height + y // stride[0]) * width + x // stride[1])
    return width, prod(stride) * height * width, numpy.array(offsets)


def convolve(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    out: Sizes,
) -> Any:
    """Cross-correlate images (N, C, H, W) with filters (O, C / groups, KH, KW)."""
    batch, filters = len(input), len(weight)
    width, length, offsets = _layout(weight.shape[2:], stride, dilation, out)
    w = weight.reshape(groups, filters // groups, weight.shape[1], -1)
    shift = numpy.zeros(filters, input.dtype) if bias is None else bias
    result = numpy.empty((batch, filters, *out), input.dtype)
    line = (stride, padding, width, length)

    def piece(start: int, stop: int) -> None:
        images = slice(start, stop)
        places = ((0, 0), (1, 1), out)
        correlate(input[images], *line, w, shift, offsets, *places, result[images])

    in_pieces(piece, batch, weight.size * prod(out))
    return result


def input_grad(
    grad: Any,
    weight: Any,
    bias: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its input: for each cell between strides a convolution."""
    batch, filters = grad.shape[:2]
    channels, kernel = weight.shape[1] * groups, weight.shape[2:]
    # For each axis and each remainder: which places meet cells there, and from which window on.
    axes: list[list[list[tuple[int, int]]]] = [
        [
            [
                (at, (rest + pad - at * gap) // step)
                for at in range(k)
                if (rest + pad - at * gap) % step == 0
            ]
            for rest in range(min(step, n))
        ]
        for k, step, pad, gap, n in zip(kernel, stride, padding, dilation, size)
    ]
    before, total = [], []
    for rests, step, n in zip(axes, stride, size):
        shifts = [shift for places in rests for _, shift in places]
        before.append(max(0, -min(shifts, default=0)))
        ends = [
            shift + (n - rest - 1) // step + 1
            for rest, places in enumerate(rests)
            for _, shift in places
        ]
        total.append(before[-1] + max(ends, default=1))
    width, length = total[1], total[0] * total[1]
    shift = numpy.zeros(channels, grad.dtype) if bias is None else bias
    result = numpy.empty((batch, channels, *size), grad.dtype)
    turned = weight.reshape(groups, filters // groups, -1, prod(kernel)).swapaxes(1, 2)
    calls = []
    for (a, tall), (b, wide) in product(*map(enumerate, axes)):
        met = list(product(tall, wide))
        chosen = [i * kernel[1] + j for (i, _), (j, _) in met]
        starts = [(before[0] + y) * width + before[1] + x for (_, y), (_, x) in met]
        w = numpy.ascontiguousarray(turned[..., chosen])
        count = ((size[0] - a - 1) // stride[0] + 1, (size[1] - b - 1) // stride[1] + 1)
        calls.append((w, shift, numpy.array(starts, numpy.int64), (a, b), stride, count))

    def piece(start: int, stop: int) -> None:
        images = slice(start, stop)
        for call in calls:
            edges = (before[0], before[1])
            correlate(grad[images], (1, 1), edges, width, length, *call, result[images])

    in_pieces(piece, batch, weight.size * prod(size) // prod(stride))
    return result


def weight_grad(
    grad: Any,
    input: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its weight; None where a result is not finite."""
    batch, filters = grad.shape[:2]
    channels = input.shape[1] // groups
    out = grad.shape[2:]
    width, length, offsets = _layout(size, stride, dilation, out)
    line = (stride, padding, width, length)

    def piece(start: int, stop: int) -> Any:
        total = numpy.zeros((groups, filters // groups, channels, prod(size)), grad.dtype)
        images = slice(start, stop)
        meet(input[images], *line, grad[images], offsets, total)
        return total

    parts = in_pieces(piece, batch, filters * channels * prod(size) * prod(out))
    result = sum(parts[1:], parts[0]).reshape(filters, channels, *size)
    # In the gaps zeros meet numbers, which are not to be infinite.
    return result if numpy.isfinite(result).all() else None
