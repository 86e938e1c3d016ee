"""The largest element of each window of images and signals, and where its cotangent goes.

Windows of 2 by 2, side by side, have loops of their own.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.pieces import spread
from minigrad.kernels.reference import Sizes


@compiled
def _pool_pairs(x: Any, out: Any, start: int, stop: int) -> None:
    for n in range(start, stop):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                a, b = x[n, 2 * i, 2 * j], x[n, 2 * i, 2 * j + 1]
                c, d = x[n, 2 * i + 1, 2 * j], x[n, 2 * i + 1, 2 * j + 1]
                # A value that differs from itself is NaN, which wins.
                upper = a if a >= b or a != a else b
                lower = c if c >= d or c != c else d
                out[n, i, j] = upper if upper >= lower or upper != upper else lower


@compiled
def _pool_pairs_grad(g: Any, x: Any, out: Any, start: int, stop: int) -> None:
    zero = g.dtype.type(0)
    for n in range(start, stop):
        for i in range(g.shape[1]):
            for j in range(g.shape[2]):
                a, b = x[n, 2 * i, 2 * j], x[n, 2 * i, 2 * j + 1]
                c, d = x[n, 2 * i + 1, 2 * j], x[n, 2 * i + 1, 2 * j + 1]
                upper = a if a >= b else b
                lower = c if c >= d else d
                # No branches, so that it runs in vector registers: who loses gets zero.
                above = g[n, i, j] if upper >= lower else zero
                below = g[n, i, j] - above
                left = above if a >= b else zero
                out[n, 2 * i, 2 * j] = left
                out[n, 2 * i, 2 * j + 1] = above - left
                left = below if c >= d else zero
                out[n, 2 * i + 1, 2 * j] = left
                out[n, 2 * i + 1, 2 * j + 1] = below - left


@compiled
def _pool(
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    out: Any,
    begin: int,
    end: int,
) -> None:
    """The largest of each window of the planes x (planes, H, W) from `begin` to `end`."""
    _, height, width = x.shape
    # The largest of each column, with the padding on both sides; a row may end before it does.
    span = (out.shape[2] - 1) * stride[1] + (kernel[1] - 1) * dilation[1] + 1
    held = numpy.empty(max(span, padding[1] + width), x.dtype)
    least = x.dtype.type(-numpy.inf)
    for n in range(begin, end):
        for i in range(out.shape[1]):
            held[:] = least
            columns = held[padding[1] : padding[1] + width]
            for k in range(kernel[0]):
                row = i * stride[0] + k * dilation[0] - padding[0]
                if row < 0 or row >= height:
                    continue
                source = x[n, row]
                for j in range(width):
                    a, b = columns[j], source[j]
                    # A value that differs from itself is NaN, which wins.
                    columns[j] = b if b > a or b != b else a
            target = out[n, i]
            for j in range(len(target)):
                a = held[j * stride[1]]
                for k in range(1, kernel[1]):
                    b = held[j * stride[1] + k * dilation[1]]
                    a = b if b > a or b != b else a
                target[j] = a


@compiled
def _pool_grad(
    g: Any,
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    out: Any,
    begin: int,
    end: int,
) -> None:
    """Add each window's cotangent where the first of its largest elements is; without NaNs."""
    _, height, width = x.shape
    starts = (g.shape[2] - 1) * stride[1] + 1
    span = starts + (kernel[1] - 1) * dilation[1]
    held = numpy.empty(max(span, padding[1] + width), x.dtype)
    places = numpy.empty(len(held), numpy.int32)
    best, winner = numpy.empty(starts, x.dtype), numpy.empty(starts, numpy.int32)
    least = x.dtype.type(-numpy.inf)
    # What lies outside comes after all that is inside.
    outside = numpy.int32(height * width)
    for n in range(begin, end):
        plane = out[n].reshape(-1)
        for i in range(g.shape[1]):
            held[:] = least
            places[:] = outside
            columns = held[padding[1] : padding[1] + width]
            where = places[padding[1] : padding[1] + width]
            where[:] = height
            for k in range(kernel[0] - 1, -1, -1):
                row = i * stride[0] + k * dilation[0] - padding[0]
                if row < 0 or row >= height:
                    continue
                source = x[n, row]
                this = numpy.int32(row)
                for j in range(width):
                    a, b = columns[j], source[j]
                    columns[j] = b if b >= a else a
                    where[j] = this if b >= a else where[j]
            for j in range(width):
                where[j] = where[j] * width + j
            # All starts, not only those of windows: neighbours fit vector registers.
            best[:], winner[:] = held[:starts], places[:starts]
            for k in range(1, kernel[1]):
                others, elsewhere = held[k * dilation[1] :], places[k * dilation[1] :]
                for j in range(starts):
                    a, b, at, other = best[j], others[j], winner[j], elsewhere[j]
                    better = (b > a) | ((b == a) & (other < at))
                    best[j] = b if better else a
                    winner[j] = other if better else at
            for j in range(g.shape[2]):
                at = winner[j * stride[1]]
                if at < outside:
                    plane[at] += g[n, i, j]


def _is_pairs(*sizes: Sizes) -> bool:
    """Whether windows are 2 by 2, side by side."""
    return sizes == ((2, 2), (2, 2), (0, 0), (1, 1))


def _planes(array: Any, dims: int) -> Any:
    """Images, or signals as images of one row, without the dimensions before: (planes, H, W)."""
    sizes = array.shape[array.ndim - dims :]
    return numpy.ascontiguousarray(array).reshape(-1, *(1,) * (2 - dims), *sizes)


def _pairs(*sizes: Sizes) -> tuple[Sizes, ...]:
    """The kernel, stride, padding and dilation of signals as those of images of one row."""
    if len(sizes[0]) == 2:
        return sizes
    return tuple((first, *size) for first, size in zip((1, 1, 0, 1), sizes))


def max_pool(
    xp: Any,
    input: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    count: Sizes,
) -> Any:
    """The largest element of each window of images and signals; None for volumes."""
    dims = len(kernel)
    if dims > 2:
        return None
    x = _planes(input, dims)
    out = numpy.empty((*input.shape[: input.ndim - dims], *count), input.dtype)
    planes = out.reshape(-1, *(1,) * (2 - dims), *count)
    fits = all(2 * n <= size for n, size in zip(planes.shape[1:], x.shape[1:]))
    if _is_pairs(kernel, stride, padding, dilation) and fits:
        spread(_pool_pairs, len(x), x.size, x, planes)
    else:
        windows = _pairs(kernel, stride, padding, dilation)
        spread(_pool, len(x), x.size * kernel[0], x, *windows, planes)
    return out


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
    """Each window's cotangent at the first of its largest elements; None for volumes."""
    dims = len(kernel)
    # The reference knows where NaNs send it.
    if dims > 2 or grad.dtype != input.dtype or numpy.isnan(out).any():
        return None
    g, x = _planes(grad, dims), _planes(input, dims)
    if x[0].size >= 1 << 31:
        return None
    pairs = [2 * n == size for n, size in zip(g.shape[1:], x.shape[1:])]
    fits = all(2 * n <= size for n, size in zip(g.shape[1:], x.shape[1:]))
    beside = _is_pairs(kernel, stride, padding, dilation) and fits
    result = (numpy.empty if beside and all(pairs) else numpy.zeros)(x.shape, grad.dtype)
    if beside:
        spread(_pool_pairs_grad, len(x), x.size, g, x, result)
    else:
        windows = _pairs(kernel, stride, padding, dilation)
        spread(_pool_grad, len(x), x.size * kernel[0], g, x, *windows, result)
    return result.reshape(input.shape)
