"""Convolution and its two transposes: which way is taken for which shape.

All are written for volumes; signals and images are volumes of one row and of one plane.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled import abreast, lines, unrolled, winograd, winograd_batches
from minigrad.kernels.convolution import FEW_WINDOWS

Sizes = tuple[int, ...]

LEAST_CHANNELS = 16
LEAST_PAIRS = 2048
"""From so many channels, and pairs of a channel and a filter, on Winograd's transforms cost less
than they save,
"""

SMALL_PAIRS = 8192
"""or so many in images of fewer tiles than `winograd.TILES`, if the batch fills registers."""

GRADIENT_PAIRS = 36864
"""From so many on the gradient of the filters is taken by tiles of such images, too."""

LEAST_TILES, SMALL_TILES = 128, 32
"""A batch with fewer tiles, of large images and of small ones, does not earn the transform of the
filters.
"""

FEW = 16
DEEP = 2048
"""Images with so few windows, or a few more and so many places, are met in one matrix product."""

WASTE = 5
"""Where a line has more than so many numbers to a window, windows are unrolled instead."""


def _tiles(out: Sizes) -> int:
    """How many tiles Winograd's transform cuts an image of outputs into."""
    return -(-out[1] // winograd.SIDE) * -(-out[2] // winograd.SIDE)


def way(
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
    """The fastest for a shape: one of four modules, or None for the reference.

    `channels` and `filters` are those of one group. The numbers that decide were measured.
    """
    by_one = stride == dilation == (1, 1, 1)
    if dtype.char == "f" and kernel == (1, 3, 3) and by_one and groups == out[0] == 1:
        tiles = _tiles(out)
        small = winograd.takes_batches(batch, tiles)
        pairs, least = (SMALL_PAIRS, SMALL_TILES) if small else (LEAST_PAIRS, LEAST_TILES)
        many = channels * filters >= pairs and min(channels, filters) >= LEAST_CHANNELS
        near = padding[0] == 0 <= min(padding) <= max(padding) <= 2
        enough = (small or tiles >= winograd.TILES) and batch * tiles >= least
        if many and near and enough:
            return winograd
    return plain_way(dtype, batch, channels, filters, kernel, stride, dilation, out)


def gradient_way(
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
    """As `way`, for the gradient of the filters."""
    if channels * filters >= GRADIENT_PAIRS:
        described = (channels, filters, kernel, stride, padding, dilation, groups, out)
        found = way(dtype, batch, *described)
        if found is winograd and winograd.takes_batches(batch, _tiles(out)):
            return winograd
    if _many(dtype, batch, channels, filters, kernel, out):
        return abreast
    return narrow_way(channels, kernel, stride, dilation, out)


def _many(dtype: Any, batch: int, channels: int, filters: int, kernel: Sizes, out: Sizes) -> bool:
    """Whether filters fill registers, and windows repay that they are rearranged."""
    few = batch * prod(out) < FEW_WINDOWS and channels * prod(kernel) >= DEEP
    return not few and abreast.takes(filters, dtype.itemsize)


def plain_way(
    dtype: Any,
    batch: int,
    channels: int,
    filters: int,
    kernel: Sizes,
    stride: Sizes,
    dilation: Sizes,
    out: Sizes,
) -> Any:
    """The fastest of those that take plain sums."""
    apart = all(k <= step for k, step in zip(kernel, stride))
    if not apart and _many(dtype, batch, channels, filters, kernel, out):
        return abreast
    return narrow_way(channels, kernel, stride, dilation, out)


def narrow_way(channels: int, kernel: Sizes, stride: Sizes, dilation: Sizes, out: Sizes) -> Any:
    """The fastest of those that take few filters as well."""
    depth, area = channels * prod(kernel), prod(out)
    apart = all(k <= step for k, step in zip(kernel, stride))
    if apart or area <= FEW or (area < FEW_WINDOWS and depth >= DEEP):
        return unrolled
    row = prod(n + (k - 1) * gap // step for n, k, gap, step in zip(out, kernel, dilation, stride))
    return lines if row <= WASTE * prod(out) else None


def _volumes(array: Any) -> Any:
    """A batch of signals or images as volumes, in C order."""
    array = numpy.ascontiguousarray(array)
    return array.reshape(*array.shape[:2], *(1,) * (5 - array.ndim), *array.shape[2:])


def _triples(first: int, *sizes: Sizes) -> tuple[Sizes, ...]:
    """The sizes of signals and images as those of volumes."""
    return tuple((first,) * (3 - len(size)) + tuple(size) for size in sizes)


def _fits(*arrays: Any) -> bool:
    """Whether there are loops for these arrays."""
    known = [array for array in arrays if array is not None]
    same = len({array.dtype for array in known}) == 1
    return same and 3 <= known[0].ndim <= 5 and all(array.size for array in known)


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
    input, weight = _volumes(input), _volumes(weight)
    bias = None if bias is None else numpy.ascontiguousarray(bias)
    stride, dilation, out = _triples(1, stride, dilation, out)
    (padding,) = _triples(0, padding)
    sizes = (stride, padding, dilation, groups, out)
    filters, channels, *kernel = weight.shape
    found = way(input.dtype, len(input), channels, filters // groups, tuple(kernel), *sizes)
    result = None
    if found is winograd:
        result = winograd.convolve(input[:, :, 0], weight[:, :, 0], bias, padding[1:], out[1:])
    if result is None and found is not None:
        result = (lines if found is winograd else found).convolve(input, weight, bias, *sizes)
    return None if result is None else result.reshape(shape)


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
    grad, weight = _volumes(grad), _volumes(weight)
    bias = None if bias is None else numpy.ascontiguousarray(bias)
    stride, dilation, size = _triples(1, stride, dilation, size)
    (padding,) = _triples(0, padding)
    filters, channels, *kernel = weight.shape
    # Where windows move by one it is itself a convolution, with the filters turned round.
    edges = tuple(k - 1 - pad for k, pad in zip(kernel, padding))
    described = (len(grad), filters // groups, channels, tuple(kernel), stride, edges)
    found = way(grad.dtype, *described, dilation, groups, size)
    if found is abreast and stride != (1, 1, 1):
        # Numbers that go to every second cell cost more than is saved.
        found = narrow_way(filters // groups, tuple(kernel), stride, dilation, size)
    result = None
    if found is winograd:
        filters = weight[:, :, 0]
        result = winograd.convolve(grad[:, :, 0], filters, bias, edges[1:], size[1:], True)
    if result is None and found is not None:
        sizes = (size, stride, padding, dilation, groups)
        result = (lines if found is winograd else found).input_grad(grad, weight, bias, *sizes)
    return None if result is None else result.reshape(shape)


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
    grad, input = _volumes(grad), _volumes(input)
    stride, dilation, size = _triples(1, stride, dilation, size)
    (padding,) = _triples(0, padding)
    sizes = (size, stride, padding, dilation, groups)
    described = (len(grad), channels, filters // groups, *sizes, grad.shape[2:])
    found = gradient_way(grad.dtype, *described)
    result = None
    if found is winograd:
        result = winograd_batches.weight_grad(grad[:, :, 0], input[:, :, 0], padding[1:])
    if result is None and found is not None:
        result = (lines if found is winograd else found).weight_grad(grad, input, *sizes)
    return None if result is None else result.reshape(shape)
