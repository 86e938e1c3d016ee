"""Convolution and its two transposes as matrix products over unrolled windows."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.kernels.windows import Lines, in_single, output_sizes, overlaps, padded, windows

Sizes = tuple[int, ...]

BLOCK_BYTES = 1 << 19
"""About how many bytes of unrolled windows a convolution holds at a time: what a cache holds."""

FEW_WINDOWS = 64
"""Images with fewer windows share one matrix product: one for each would be too small."""


def blocks(batch: int, rows: int, bytes_of_row: int) -> list[tuple[slice, slice]]:
    """Cut images, and a large image's output rows, into blocks of about BLOCK_BYTES."""
    bytes_of_image = rows * bytes_of_row
    if bytes_of_image <= BLOCK_BYTES or rows == 1:
        images = max(1, BLOCK_BYTES // max(1, bytes_of_image))
        return [(slice(i, i + images), slice(0, rows)) for i in range(0, batch, images)]
    step = max(1, BLOCK_BYTES // bytes_of_row)
    cuts = [slice(row, min(row + step, rows)) for row in range(0, rows, step)]
    return [(slice(i, i + 1), cut) for i in range(batch) for cut in cuts]


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
    into: Any = None,
) -> Any:
    """Cross-correlation: windows unrolled block by block, each block one matrix product.

    `into` is a contiguous array of the result's shape that takes it; by default a new one does.
    """
    dtype = input.dtype
    input, weight = in_single(xp, input), in_single(xp, weight)
    batch = len(input)
    filters, kernel = weight.shape[0], weight.shape[2:]
    depth, area = prod(weight.shape[1:]), prod(out)
    matrix = weight.reshape(groups, filters // groups, depth)
    view = windows(xp, padded(xp, input, padding), kernel, out, stride, dilation)
    result = xp.empty((batch, filters, *out), input.dtype) if into is None else into
    result = result.reshape(batch, groups, filters // groups, area)
    across = prod(out[1:])
    if area < FEW_WINDOWS:
        columns = _merged_columns(view, groups, depth)
        product = xp.matmul(matrix, columns).reshape(groups, filters // groups, batch, area)
        result[...] = xp.moveaxis(product, 2, 0)
    else:
        columns = Columns(xp, view, groups, depth)
        for images, rows in blocks(batch, out[0], depth * groups * across * input.itemsize):
            part = slice(rows.start * across, rows.stop * across)
            xp.matmul(matrix, columns(images, rows), out=result[images, :, :, part])
    if bias is not None:
        result += bias.reshape(groups, -1, 1)
    return result.reshape(batch, filters, *out).astype(dtype, copy=False)


class Columns:
    """Windows copied block by block into one buffer: (images, groups, depth, windows)."""

    def __init__(self, xp: Any, view: Any, groups: int, depth: int) -> None:
        self.xp = xp
        self.view = view
        self.groups = groups
        self.depth = depth
        self.dims = (view.ndim - 1) // 2
        self.buffer: Any = None
        # A kernel of one cell that moves by one sees the image itself: nothing to copy.
        self.plain = view.flags.c_contiguous

    def __call__(self, images: slice, rows: slice) -> Any:
        part = self.view[(images, slice(None), *(slice(None),) * self.dims, rows)]
        shape = (len(part), self.groups, self.depth, -1)
        if self.plain:
            return part.reshape(shape)
        if self.buffer is None or self.buffer.shape != part.shape:
            self.buffer = self.xp.empty(part.shape, part.dtype)
        self.xp.copyto(self.buffer, part)
        return self.buffer.reshape(shape)


def _merged_columns(view: Any, groups: int, depth: int) -> Any:
    """All windows of all images side by side: (groups, depth, images * windows)."""
    dims = (view.ndim - 2) // 2
    order = (*range(1, 2 + dims), 0, *range(2 + dims, view.ndim))
    return view.transpose(order).reshape(groups, depth, -1)


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
    into: Any = None,
) -> Any:
    """The transpose of `convolve` in its input: each product is added to where it came from.

    `into` is a contiguous array of the result's shape that takes it; by default a new one does.
    """
    dtype = grad.dtype
    grad, weight = in_single(xp, grad), in_single(xp, weight)
    batch, filters = grad.shape[:2]
    kernel, out = weight.shape[2:], grad.shape[2:]
    channels, depth, area = weight.shape[1] * groups, prod(weight.shape[1:]), prod(out)
    matrix = weight.reshape(groups, filters // groups, depth).swapaxes(1, 2)
    flat = grad.reshape(batch, groups, filters // groups, area)
    result = xp.empty((batch, channels, *size), grad.dtype) if into is None else into
    across = prod(out[1:])
    lines = Lines(size, kernel, out, padding, dilation) if set(stride) == {1} else None
    if set(kernel) == set(stride) == {1} and not any(padding):
        xp.matmul(matrix, flat, out=result.reshape(batch, groups, channels // groups, area))
    elif area < FEW_WINDOWS:
        result[...] = 0
        side = xp.moveaxis(flat, 0, 2).reshape(groups, filters // groups, batch * area)
        columns = xp.matmul(matrix, side).reshape(channels, *kernel, batch, *out)
        columns = xp.moveaxis(columns, 1 + len(kernel), 0)
        add_windows(result, columns, kernel, out, stride, padding, dilation)
    elif lines is not None and lines.length * depth * groups * grad.itemsize <= 8 * BLOCK_BYTES:
        _add_lines(xp, result, grad, matrix, lines)
    else:
        result[...] = 0
        for images, rows in blocks(batch, out[0], channels * prod(kernel) * across * grad.itemsize):
            part = flat[images, :, :, rows.start * across : rows.stop * across]
            strip = (rows.stop - rows.start, *out[1:])
            columns = xp.matmul(matrix, part).reshape(len(part), channels, *kernel, *strip)
            shift = (padding[0] - rows.start * stride[0], *padding[1:])
            add_windows(result[images], columns, kernel, strip, stride, shift, dilation)
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    return result.astype(dtype, copy=False)


def _add_lines(xp: Any, result: Any, grad: Any, matrix: Any, lines: Lines) -> None:
    """The input's gradient for stride 1: each place in the kernel shifts whole images."""
    batch, channels = result.shape[:2]
    groups, depth, filters = matrix.shape
    bytes_of_image = lines.length * groups * depth * grad.itemsize
    images = max(1, min(batch, BLOCK_BYTES // bytes_of_image))
    # With one filter to a group the product is an outer one, for which matmul is slow.
    outer = xp.multiply if filters == 1 else xp.matmul
    # One set of buffers serves all blocks: fresh memory would cost more than the arithmetic.
    spaced = xp.zeros((images, groups * filters, *lines.rows), grad.dtype)
    columns = xp.empty((images, groups, depth, lines.length), grad.dtype)
    total = xp.empty((images, channels, lines.cells), grad.dtype)
    for start in range(0, batch, images):
        count = min(images, batch - start)
        spaced[(slice(0, count), slice(None), *lines.corner)] = grad[start : start + count]
        strip = spaced[:count].reshape(count, groups, filters, lines.length)
        outer(matrix, strip, out=columns[:count])
        places = columns[:count].reshape(count, channels, *lines.kernel, lines.length)
        total[...] = 0
        for place, shift in lines.shifts():
            target = total[:count, :, shift : shift + lines.run]
            target += places[(slice(None), slice(None), *place, slice(0, lines.run))]
        whole = total[:count].reshape(count, channels, *lines.sizes)
        result[start : start + count] = whole[(..., *lines.inner)]


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
    """The transpose of `convolve` in its weight: windows times cotangents, summed over images."""
    dtype = grad.dtype
    grad, input = in_single(xp, grad), in_single(xp, input)
    batch, filters = grad.shape[:2]
    channels, out = input.shape[1], grad.shape[2:]
    depth, area = prod(size) * (channels // groups), prod(out)
    view = windows(xp, padded(xp, input, padding), size, out, stride, dilation)
    flat = grad.reshape(batch, groups, filters // groups, area)
    across = prod(out[1:])
    if area < FEW_WINDOWS:
        side = xp.moveaxis(flat, 0, 2).reshape(groups, filters // groups, batch * area)
        result = xp.matmul(side, _merged_columns(view, groups, depth).swapaxes(1, 2))
    else:
        result = xp.zeros((groups, filters // groups, depth), grad.dtype)
        columns = Columns(xp, view, groups, depth)
        for images, rows in blocks(batch, out[0], depth * groups * across * grad.itemsize):
            strip = flat[images, :, :, rows.start * across : rows.stop * across]
            products = xp.matmul(strip, columns(images, rows).swapaxes(2, 3))
            result += products[0] if len(products) == 1 else products.sum(0)
    return result.reshape(filters, channels // groups, *size).astype(dtype, copy=False)


def add_windows(
    result: Any,
    columns: Any,
    kernel: Sizes,
    out: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> None:
    """Add unrolled windows of shape (..., *kernel, *out) to the cells that they came from.

    One addition for each place in the kernel, or for each window where these are fewer.
    """
    size = result.shape[result.ndim - len(kernel) :]
    if prod(kernel) <= prod(out):
        for cells, met, place in overlaps(size, kernel, out, stride, padding, dilation):
            result[(..., *cells)] += columns[(..., *place, *met)]
    else:
        for cells, met, place in overlaps(size, out, kernel, dilation, padding, stride):
            result[(..., *cells)] += columns[(..., *met, *place)]


def unfold(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """The windows of a batch of images, unrolled into columns."""
    out = output_sizes(input.shape[2:], kernel, stride, padding, dilation)
    view = windows(xp, padded(xp, input, padding), kernel, out, stride, dilation)
    return view.reshape(len(input), input.shape[1] * prod(kernel), prod(out))


def fold(
    xp: Any,
    columns: Any,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """The transpose of `unfold`: columns added up where their windows were."""
    out = output_sizes(size, kernel, stride, padding, dilation)
    channels = columns.shape[1] // prod(kernel)
    result = xp.zeros((len(columns), channels, *size), columns.dtype)
    columns = columns.reshape(len(columns), channels, *kernel, *out)
    add_windows(result, columns, kernel, out, stride, padding, dilation)
    return result
