"""Convolution of any stride, dilation and groups: windows unrolled in a cache, then one product."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.workers import in_pieces

Sizes = tuple[int, ...]

BLOCK = 1 << 16
"""How many unrolled numbers are held at a time: what a core's own cache holds."""

FEW_WINDOWS = 64
"""Images with fewer windows share one matrix product: one for each would be too small."""


@compiled
def _unroll(
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    first: int,
    rows: int,
    across: int,
    step_image: int,
    step_place: int,
    out: Any,
) -> None:
    """Copy `rows` rows of windows: x (N, C, H, W) to out, each place of each window at
    image * step_image + place * step_place + window.
    """
    images, channels, height, width = x.shape
    zero = x.dtype.type(0)
    sy, sx = stride
    for n in range(images):
        for c in range(channels):
            for i in range(kernel[0]):
                for j in range(kernel[1]):
                    place = (c * kernel[0] + i) * kernel[1] + j
                    start = n * step_image + place * step_place
                    shift = j * dilation[1] - padding[1]
                    low = min(across, max(0, -(shift // sx)))
                    high = max(low, min(across, (width - 1 - shift) // sx + 1))
                    for r in range(rows):
                        y = (first + r) * sy + i * dilation[0] - padding[0]
                        target = out[start + r * across : start + r * across + across]
                        if y < 0 or y >= height:
                            target[:] = zero
                            continue
                        for t in range(low):
                            target[t] = zero
                        for t in range(high, across):
                            target[t] = zero
                        inner = target[low:high]
                        source = x[n, c, y, shift + low * sx :]
                        if sx == 1:
                            for t in range(high - low):
                                inner[t] = source[t]
                        else:
                            for t in range(high - low):
                                inner[t] = source[t * sx]


@compiled
def _fold(
    columns: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    first: int,
    rows: int,
    across: int,
    step_image: int,
    step_place: int,
    out: Any,
) -> None:
    """The transpose of `_unroll`: add each place of each window to its cell in out (N, C, H, W)."""
    images, channels, height, width = out.shape
    sy, sx = stride
    for n in range(images):
        for c in range(channels):
            for i in range(kernel[0]):
                for j in range(kernel[1]):
                    place = (c * kernel[0] + i) * kernel[1] + j
                    start = n * step_image + place * step_place
                    shift = j * dilation[1] - padding[1]
                    low = min(across, max(0, -(shift // sx)))
                    high = max(low, min(across, (width - 1 - shift) // sx + 1))
                    for r in range(rows):
                        y = (first + r) * sy + i * dilation[0] - padding[0]
                        if y < 0 or y >= height:
                            continue
                        inner = columns[start + r * across + low : start + r * across + high]
                        target = out[n, c, y, shift + low * sx :]
                        if sx == 1:
                            for t in range(high - low):
                                target[t] += inner[t]
                        else:
                            for t in range(high - low):
                                target[t * sx] += inner[t]


class Windows:
    """What the three functions share: sizes, and how the work is cut into blocks."""

    def __init__(
        self,
        batch: int,
        channels: int,
        groups: int,
        kernel: Sizes,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        out: Sizes,
    ) -> None:
        self.batch = batch
        self.groups = groups
        self.depth = channels // groups * prod(kernel)
        self.places = channels * prod(kernel)
        self.rows, self.across = out
        self.area = self.rows * self.across
        self.geometry = (kernel, stride, padding, dilation)
        self.plain = kernel == stride == (1, 1) and padding == (0, 0)
        self.merged = self.area < FEW_WINDOWS

    def cuts(self) -> list[tuple[int, int]]:
        """Rows of windows that are unrolled together: (first, count)."""
        step = self.rows
        if not self.merged and not self.plain:
            step = min(step, max(1, BLOCK // (self.places * self.across)))
        return [(row, min(step, self.rows - row)) for row in range(0, self.rows, step)]

    def images(self, start: int, stop: int) -> list[slice]:
        """Images of a piece that are unrolled together."""
        step = max(1, BLOCK // max(1, self.places * self.area))
        return [slice(i, min(i + step, stop)) for i in range(start, stop, step)]

    def shape(self, count: int, rows: int) -> Sizes:
        """The unrolled windows of so many images and rows, as a matrix for each group."""
        windows = rows * self.across
        if self.merged:
            return (self.groups, self.depth, count * windows)
        return (count, self.groups, self.depth, windows)

    def steps(self, count: int, rows: int) -> tuple[int, int]:
        """How far apart images and places are in the unrolled windows."""
        windows = rows * self.across
        return (windows, count * windows) if self.merged else (self.places * windows, windows)

    def buffer(self, dtype: Any, images: list[slice], cuts: list[tuple[int, int]]) -> Any:
        """Room for the largest block of a piece."""
        count, rows = images[0].stop - images[0].start, cuts[0][1]
        return numpy.empty(count * self.places * rows * self.across, dtype)

    def unrolled(self, x: Any, first: int, rows: int, buffer: Any) -> Any:
        """The windows of some rows of some images, as matrices."""
        shape = self.shape(len(x), rows)
        if self.plain and not self.merged:
            return x.reshape(shape)
        steps = self.steps(len(x), rows)
        _unroll(x, *self.geometry, first, rows, self.across, *steps, buffer)
        return buffer[: prod(shape)].reshape(shape)


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
    kernel = weight.shape[2:]
    work = Windows(batch, input.shape[1], groups, kernel, stride, padding, dilation, out)
    matrix = weight.reshape(groups, filters // groups, work.depth)
    result = numpy.empty((batch, groups, filters // groups, work.area), input.dtype)
    cuts = work.cuts()
    shift = None if bias is None else bias.reshape(groups, -1, 1)

    def piece(start: int, stop: int) -> None:
        blocks = work.images(start, stop)
        buffer = None if work.plain and not work.merged else work.buffer(input.dtype, blocks, cuts)
        for images in blocks:
            for first, rows in cuts:
                columns = work.unrolled(input[images], first, rows, buffer)
                if work.merged:
                    product = numpy.matmul(matrix, columns)
                    count = images.stop - images.start
                    product = product.reshape(groups, filters // groups, count, work.area)
                    result[images] = numpy.moveaxis(product, 2, 0)
                else:
                    part = slice(first * work.across, (first + rows) * work.across)
                    numpy.matmul(matrix, columns, out=result[images, :, :, part])
            if shift is not None:
                block = result[images]
                block += shift

    in_pieces(piece, batch, work.depth * filters * work.area)
    return result.reshape(batch, filters, *out)


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
    """The transpose of `convolve` in its input, onto images of `size`."""
    batch, filters = grad.shape[:2]
    channels, kernel, out = weight.shape[1] * groups, weight.shape[2:], grad.shape[2:]
    work = Windows(batch, channels, groups, kernel, stride, padding, dilation, out)
    matrix = weight.reshape(groups, filters // groups, work.depth).swapaxes(1, 2)
    flat = grad.reshape(batch, groups, filters // groups, work.area)
    plain = work.plain and not work.merged and size == out
    result = (numpy.empty if plain else numpy.zeros)((batch, channels, *size), grad.dtype)
    cuts = work.cuts()
    shift = None if bias is None else bias.reshape(-1, 1, 1)

    def piece(start: int, stop: int) -> None:
        blocks = work.images(start, stop)
        buffer: Any = None if plain else work.buffer(grad.dtype, blocks, cuts)
        for images in blocks:
            target = result[images]
            count = len(target)
            for first, rows in cuts:
                part = flat[images, :, :, first * work.across : (first + rows) * work.across]
                if plain:
                    numpy.matmul(matrix, part, out=target.reshape(work.shape(count, rows)))
                    continue
                if work.merged:
                    part = numpy.moveaxis(part, 0, 2).reshape(groups, filters // groups, -1)
                shape = work.shape(count, rows)
                columns = buffer[: prod(shape)]
                numpy.matmul(matrix, part, out=columns.reshape(shape))
                steps = work.steps(count, rows)
                _fold(columns, *work.geometry, first, rows, work.across, *steps, target)
            if shift is not None:
                target += shift

    in_pieces(piece, batch, work.depth * filters * work.area)
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
    """The transpose of `convolve` in its weight, for kernels of `size`."""
    batch, filters = grad.shape[:2]
    channels, out = input.shape[1], grad.shape[2:]
    work = Windows(batch, channels, groups, size, stride, padding, dilation, out)
    flat = grad.reshape(batch, groups, filters // groups, work.area)
    cuts = work.cuts()

    def piece(start: int, stop: int) -> Any:
        blocks = work.images(start, stop)
        buffer = None if work.plain and not work.merged else work.buffer(input.dtype, blocks, cuts)
        total = numpy.zeros((groups, filters // groups, work.depth), grad.dtype)
        for images in blocks:
            for first, rows in cuts:
                columns = work.unrolled(input[images], first, rows, buffer)
                part = flat[images, :, :, first * work.across : (first + rows) * work.across]
                if work.merged:
                    part = numpy.moveaxis(part, 0, 2).reshape(groups, filters // groups, -1)
                    total += numpy.matmul(part, columns.swapaxes(1, 2))
                else:
                    products = numpy.matmul(part, columns.swapaxes(2, 3))
                    total += products[0] if len(products) == 1 else products.sum(0)
        return total

    parts = in_pieces(piece, batch, work.depth * filters * work.area)
    return sum(parts[1:], parts[0]).reshape(filters, channels // groups, *size)
