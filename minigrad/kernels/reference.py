"""The fused functions in plain array operations.

They run on any backend, and are what the compiled ones are tested against.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import backend_of
from minigrad.kernels.windows import output_sizes, overlaps, padded, windows

Sizes = tuple[int, ...]

BLOCK_BYTES = 1 << 19
"""About how many bytes of unrolled windows a convolution holds at a time: what a cache holds."""


def wide(xp: Any, array: Any) -> Any:
    """The array in the dtype that it is computed with: half precision is computed in single."""
    return array.astype(xp.float32) if array.dtype.itemsize == 2 else array


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
) -> Any:
    """Cross-correlation: windows unrolled block by block, each block one matrix product."""
    dtype = input.dtype
    input, weight = wide(xp, input), wide(xp, weight)
    batch, channels = input.shape[:2]
    filters, kernel = weight.shape[0], weight.shape[2:]
    depth = prod(weight.shape[1:])
    matrix = weight.reshape(groups, filters // groups, depth)
    view = windows(xp, padded(xp, input, padding), kernel, out, stride, dilation)
    result = xp.empty((batch, groups, filters // groups, prod(out)), input.dtype)
    across = prod(out[1:])
    behind = (slice(None),) * len(kernel)
    bytes_of_row = channels * prod(kernel) * across * input.itemsize
    for images, rows in blocks(batch, out[0], bytes_of_row):
        part = view[(images, slice(None), *behind, rows)]
        columns = part.reshape(len(part), groups, depth, -1)
        target = result[images, :, :, rows.start * across : rows.stop * across]
        xp.matmul(matrix, columns, out=target)
    if bias is not None:
        result += bias.reshape(groups, -1, 1)
    return result.reshape(batch, filters, *out).astype(dtype, copy=False)


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
    """The transpose of `convolve` in its input: each product is added to where it came from."""
    dtype = grad.dtype
    grad, weight = wide(xp, grad), wide(xp, weight)
    batch, filters = grad.shape[:2]
    kernel, out = weight.shape[2:], grad.shape[2:]
    channels = weight.shape[1] * groups
    depth = prod(weight.shape[1:])
    matrix = weight.reshape(groups, filters // groups, depth).swapaxes(1, 2)
    flat = grad.reshape(batch, groups, filters // groups, prod(out))
    result = xp.zeros((batch, channels, *size), grad.dtype)
    across = prod(out[1:])
    bytes_of_row = channels * prod(kernel) * across * grad.itemsize
    for images, rows in blocks(batch, out[0], bytes_of_row):
        part = flat[images, :, :, rows.start * across : rows.stop * across]
        columns = xp.matmul(matrix, part)
        strip = (rows.stop - rows.start, *out[1:])
        columns = columns.reshape(len(part), channels, *kernel, *strip)
        shift = (padding[0] - rows.start * stride[0], *padding[1:])
        add_windows(result[images], columns, kernel, strip, stride, shift, dilation)
    if bias is not None:
        result += bias.reshape(-1, *(1,) * len(size))
    return result.astype(dtype, copy=False)


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
    grad, input = wide(xp, grad), wide(xp, input)
    batch, filters = grad.shape[:2]
    channels = input.shape[1]
    out = grad.shape[2:]
    depth = prod(size) * (channels // groups)
    view = windows(xp, padded(xp, input, padding), size, out, stride, dilation)
    flat = grad.reshape(batch, groups, filters // groups, prod(out))
    result = xp.zeros((groups, filters // groups, depth), grad.dtype)
    across = prod(out[1:])
    behind = (slice(None),) * len(size)
    bytes_of_row = channels * prod(size) * across * grad.itemsize
    for images, rows in blocks(batch, out[0], bytes_of_row):
        part = view[(images, slice(None), *behind, rows)]
        columns = part.reshape(len(part), groups, depth, -1).swapaxes(2, 3)
        strip = flat[images, :, :, rows.start * across : rows.stop * across]
        result += xp.matmul(strip, columns).sum(0)
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


def max_pool(
    xp: Any,
    input: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    count: Sizes,
) -> Any:
    """The largest element of each window, one dimension after the other."""
    lead = input.ndim - len(kernel)
    for axis, args in enumerate(zip(kernel, count, stride, padding, dilation), lead):
        before = (slice(None),) * axis
        size = input.shape[axis]
        places = overlaps((size,), *((value,) for value in args))
        whole = slice(0, args[1])
        result = None
        for (cells,), (met,), _ in sorted(places, key=lambda place: place[1] != (whole,)):
            view = input[(*before, cells)]
            if result is None:
                result = _first(xp, view, met, whole, axis)
            else:
                part = result[(*before, met)]
                xp.maximum(part, view, out=part)
        input = result
    return input


def _first(xp: Any, view: Any, met: slice, whole: slice, axis: int) -> Any:
    """A new array of all windows that holds `view` in those it meets, the least value elsewhere."""
    if met == whole:
        return view.copy()
    shape = (*view.shape[:axis], whole.stop, *view.shape[axis + 1 :])
    result = xp.full(shape, least(xp, view.dtype), view.dtype)
    result[(*(slice(None),) * axis, met)] = view
    return result


def least(xp: Any, dtype: Any) -> Any:
    """The least value of a dtype."""
    return -xp.inf if dtype.kind == "f" else xp.iinfo(dtype).min


def max_pool_winners(
    xp: Any,
    input: Any,
    out: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """Where in its flattened plane each window's largest element is: the first of equals.

    A window with NaNs is won by its last, as in torch.
    """
    lead = input.ndim - len(kernel)
    size, count = input.shape[lead:], out.shape[lead:]
    places = overlaps(size, kernel, count, stride, padding, dilation)
    index = xp.zeros(out.shape, xp.int64)
    flat = xp.arange(prod(size)).reshape(size)
    for cells, met, _ in reversed(places):
        hit = input[(..., *cells)] == out[(..., *met)]
        xp.copyto(index[(..., *met)], flat[cells], where=hit)
    if out.dtype.kind == "f" and bool(xp.isnan(out).any()):
        for cells, met, _ in places:
            hit = xp.isnan(input[(..., *cells)])
            xp.copyto(index[(..., *met)], flat[cells], where=hit)
    return index


def max_pool_grad(
    xp: Any,
    grad: Any,
    input: Any,
    out: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """Each window's cotangent at the place of the first of its largest elements, zero elsewhere."""
    lead = input.ndim - len(kernel)
    size, count = input.shape[lead:], out.shape[lead:]
    result = xp.zeros(input.shape, grad.dtype)
    undecided = xp.ones(out.shape, bool)
    spans = (dil * (k - 1) < step for k, step, dil in zip(kernel, stride, dilation))
    disjoint = all(spans)
    for cells, met, _ in overlaps(size, kernel, count, stride, padding, dilation):
        left = undecided[(..., *met)]
        hit = input[(..., *cells)] == out[(..., *met)]
        hit &= left
        left ^= hit
        target = result[(..., *cells)]
        if disjoint:
            xp.multiply(grad[(..., *met)], hit, out=target)
        else:
            target += grad[(..., *met)] * hit
    return result


def window_sum(
    xp: Any, input: Any, kernel: Sizes, stride: Sizes, padding: Sizes, count: Sizes
) -> Any:
    """The sum of each window, one dimension after the other."""
    lead = input.ndim - len(kernel)
    for axis, args in enumerate(zip(kernel, count, stride, padding), lead):
        before = (slice(None),) * axis
        places = overlaps((input.shape[axis],), *((value,) for value in args), (1,))
        shape = (*input.shape[:axis], args[1], *input.shape[axis + 1 :])
        result = xp.zeros(shape, input.dtype)
        if args[1] == 1 and places:
            first, last = places[0][0][0].start, places[-1][0][0].stop
            input[(*before, slice(first, last))].sum(axis, out=result[(*before, 0)])
        else:
            for (cells,), (met,), _ in places:
                result[(*before, met)] += input[(*before, cells)]
        input = result
    return input


def window_spread(
    xp: Any, grad: Any, size: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes
) -> Any:
    """The transpose of `window_sum`: each window's cotangent in each of its cells."""
    lead = grad.ndim - len(kernel)
    for axis, args in enumerate(zip(size, kernel, stride, padding), lead):
        before = (slice(None),) * axis
        length, width, step, pad = args
        places = overlaps((length,), (width,), (grad.shape[axis],), (step,), (pad,), (1,))
        shape = (*grad.shape[:axis], length, *grad.shape[axis + 1 :])
        result = xp.zeros(shape, grad.dtype)
        if grad.shape[axis] == 1 and places:
            first, last = places[0][0][0].start, places[-1][0][0].stop
            result[(*before, slice(first, last))] = grad
        else:
            for (cells,), (met,), _ in places:
                result[(*before, cells)] += grad[(*before, met)]
        grad = result
    return grad


def add_rows(xp: Any, out: Any, index: Any, values: Any) -> None:
    """Add each row of `values` to the row of `out` at its index, in place; repeats add up."""
    width = out.shape[1]
    # One flat index for each element: much faster in NumPy than indexing by rows.
    place = index[:, None] * width + xp.arange(width)
    backend_of(out).scatter_add(out.reshape(-1), place.reshape(-1), values.reshape(-1))
