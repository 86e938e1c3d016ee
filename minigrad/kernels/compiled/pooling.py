"""Pooling, compiled: windows of 2 by 2, side by side."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.reference import Sizes


@compiled
def _pool_pairs(x: Any, out: Any) -> None:
    for n in range(out.shape[0]):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                a, b = x[n, 2 * i, 2 * j], x[n, 2 * i, 2 * j + 1]
                c, d = x[n, 2 * i + 1, 2 * j], x[n, 2 * i + 1, 2 * j + 1]
                # A value that differs from itself is NaN, which wins.
                upper = a if a >= b or a != a else b
                lower = c if c >= d or c != c else d
                out[n, i, j] = upper if upper >= lower or upper != upper else lower


@compiled
def _pool_pairs_grad(g: Any, x: Any, out: Any) -> None:
    zero = g.dtype.type(0)
    for n in range(g.shape[0]):
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


def _is_pairs(*sizes: Sizes) -> bool:
    """Whether windows are 2 by 2, side by side."""
    return sizes == ((2, 2), (2, 2), (0, 0), (1, 1))


def max_pool(
    xp: Any,
    input: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    count: Sizes,
) -> Any:
    """The largest element of each window, for windows of 2 by 2."""
    fits = all(2 * n <= size for n, size in zip(count, input.shape[input.ndim - len(count) :]))
    if not _is_pairs(kernel, stride, padding, dilation) or not fits:
        return None
    lead = input.shape[:-2]
    out = numpy.empty((*lead, *count), input.dtype)
    x = numpy.ascontiguousarray(input).reshape(-1, *input.shape[-2:])
    _pool_pairs(x, out.reshape(-1, *count))
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
    """Each window's cotangent at the first of its largest elements, for windows of 2 by 2."""
    if not _is_pairs(kernel, stride, padding, dilation) or grad.dtype != input.dtype:
        return None
    sizes, count = input.shape[-2:], grad.shape[-2:]
    # The reference knows where NaNs send it, and windows that reach over the edge.
    if any(2 * n > size for n, size in zip(count, sizes)) or numpy.isnan(out).any():
        return None
    even = tuple(2 * n == size for n, size in zip(count, sizes))
    result = (numpy.empty if all(even) else numpy.zeros)(input.shape, grad.dtype)
    g = numpy.ascontiguousarray(grad).reshape(-1, *count)
    x = numpy.ascontiguousarray(input).reshape(-1, *sizes)
    _pool_pairs_grad(g, x, result.reshape(x.shape))
    return result
