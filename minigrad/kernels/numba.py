"""The compiled twins of `reference`, by Numba, for the CPU.

Each takes what its twin takes. A twin that has no loop for a layout returns None.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numba
import numpy

from minigrad.kernels.reference import Sizes

# Sums may be reordered, so that they run in vector registers; infinities and NaNs keep their rules.
_REORDERED = {"reassoc", "contract", "nsz", "arcp"}


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, compiled for each kind of arguments when it first meets it; kept on disk."""
    compiled: Callable[..., Any]
    try:
        compiled = numba.njit(cache=True, nogil=True, fastmath=_REORDERED)(function)
    except RuntimeError:
        # No folder to keep it in can be written to: every process compiles anew.
        compiled = numba.njit(nogil=True, fastmath=_REORDERED)(function)
    return compiled


@_compiled
def _add_rows(out: Any, index: Any, values: Any) -> None:
    for i in range(len(index)):
        row = index[i]
        for j in range(values.shape[1]):
            out[row, j] += values[i, j]


def add_rows(xp: Any, out: Any, index: Any, values: Any) -> bool:
    """Add each row of `values` to the row of `out` at its index, in place."""
    _add_rows(out, index, values)
    return True


@_compiled
def _normalise_rows(
    x: Any, w: Any, b: Any, eps: Any, centred: bool, out: Any, mean: Any, var: Any, inverse: Any
) -> None:
    rows, count = x.shape
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(rows):
        m = zero
        if centred:
            for j in range(count):
                m += x[i, j]
            m /= count
        v = zero
        for j in range(count):
            c = x[i, j] - m
            v += c * c
        v /= count
        r = one / numpy.sqrt(v + eps)
        mean[i], var[i], inverse[i] = m, v, r
        for j in range(count):
            out[i, j] = (x[i, j] - m) * r * w[j] + b[j]


@_compiled
def _normalise_rows_grad(
    g: Any, x: Any, w: Any, mean: Any, inverse: Any, centred: bool, out: Any
) -> None:
    rows, count = x.shape
    zero = x.dtype.type(0)
    for i in range(rows):
        m, r = mean[i], inverse[i]
        plain, along = zero, zero
        for j in range(count):
            h = g[i, j] * w[j]
            plain += h
            along += h * (x[i, j] - m)
        plain = plain / count if centred else zero
        along *= r * r / count
        for j in range(count):
            out[i, j] = r * (g[i, j] * w[j] - plain - (x[i, j] - m) * along)


@_compiled
def _weight_rows(g: Any, x: Any, mean: Any, inverse: Any, out: Any) -> None:
    rows, count = x.shape
    for i in range(rows):
        m, r = mean[i], inverse[i]
        for j in range(count):
            out[j] += g[i, j] * (x[i, j] - m) * r


@_compiled
def _sums(x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total


@_compiled
def _squares(x: Any, mean: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            c = x[i, j] - m
            total += c * c
        out[i] = total


@_compiled
def _scaled(x: Any, mean: Any, scale: Any, shift: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        m, r, b = mean[i], scale[i], shift[i]
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - m) * r + b


@_compiled
def _products(g: Any, x: Any, mean: Any, plain: Any, along: Any) -> None:
    for i in range(x.shape[0]):
        p = x.dtype.type(0)
        a = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            p += g[i, j]
            a += g[i, j] * (x[i, j] - m)
        plain[i], along[i] = p, a


@_compiled
def _mixed(g: Any, x: Any, mean: Any, by: Any, less: Any, shift: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        m, a, b, c = mean[i], by[i], less[i], shift[i]
        for j in range(x.shape[1]):
            out[i, j] = a * g[i, j] - b * (x[i, j] - m) - c


class _Runs:
    """An array as rows, along each of which mean, spread and weight are the same.

    `lead` is the shape of the rows and `axes` those of its dimensions that are normalised.
    """

    def __init__(self, shape: Sizes, axes: Sizes, affine: Sizes) -> None:
        split = len(shape)
        while split and split - 1 in axes and (not affine or affine[split - 1] == 1):
            split -= 1
        self.shape = shape
        self.lead = shape[:split]
        self.run = prod(shape[split:])
        self.axes = tuple(axis for axis in axes if axis < split)
        self.affine = affine[:split] if affine else (1,) * split
        self.kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        self.count = prod(shape[axis] for axis in axes)

    def rows(self, array: Any) -> Any:
        return numpy.ascontiguousarray(array).reshape(-1, self.run)

    def each(self, values: Any) -> Any:
        """One value for each row, from statistics or weights."""
        # A copy is writable, which a view of one value is not: another type to compile for.
        return numpy.array(numpy.broadcast_to(values, self.lead)).reshape(-1)

    def total(self, values: Any) -> Any:
        """The sum of the rows' values over the normalised dimensions."""
        return values.reshape(self.lead).sum(self.axes, keepdims=True)

    def statistic(self, array: Any) -> Any:
        """A statistic in the shape of the rows."""
        return array.reshape(self.kept[: len(self.lead)])


def _is_rows(axes: Sizes, affine: Sizes) -> bool:
    """Whether weights lie along the normalised dimensions, the last ones."""
    return 0 < len(affine) == len(axes)


def normalise(
    xp: Any,
    input: Any,
    weight: Any,
    bias: Any,
    axes: Sizes,
    affine: Sizes,
    eps: float,
    centred: bool,
) -> tuple[Any, Any, Any, Any] | None:
    """The input normalised over `axes`, times weight, plus bias; its mean, variance, 1 / spread."""
    dtype = input.dtype
    if any(array is not None and array.dtype != dtype for array in (weight, bias)):
        return None
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(input.shape))
    out = numpy.empty(input.shape, dtype)
    if _is_rows(axes, affine):
        count = prod(affine)
        mean, variance, inverse = numpy.empty((3, prod(kept)), dtype)
        w = numpy.ones(count, dtype) if weight is None else numpy.ascontiguousarray(weight)
        b = numpy.zeros(count, dtype) if bias is None else numpy.ascontiguousarray(bias)
        x = numpy.ascontiguousarray(input).reshape(-1, count)
        flat = out.reshape(-1, count)
        _normalise_rows(
            x, w.reshape(-1), b.reshape(-1), dtype.type(eps), centred, flat, mean, variance, inverse
        )
        return out, mean.reshape(kept), variance.reshape(kept), inverse.reshape(kept)
    runs = _Runs(input.shape, axes, affine)
    if runs.run < _SHORTEST_RUN:
        return None
    x = runs.rows(input)
    sums = numpy.empty(len(x), dtype)
    mean = numpy.zeros((1,) * len(runs.lead), dtype)
    if centred:
        _sums(x, sums)
        mean = runs.total(sums) / runs.count
    centre = runs.each(mean)
    _squares(x, centre, sums)
    variance = runs.total(sums) / runs.count
    inverse = 1 / numpy.sqrt(variance + eps)
    scale = inverse if weight is None else inverse * weight.reshape(runs.affine)
    shift = dtype.type(0) if bias is None else bias.reshape(runs.affine)
    _scaled(x, centre, runs.each(scale), runs.each(shift), out.reshape(x.shape))
    return (
        out,
        mean.reshape(kept if centred else (1,) * len(kept)),
        variance.reshape(kept),
        inverse.reshape(kept),
    )


_SHORTEST_RUN = 8
"""Shorter runs than this leave the vector registers empty: NumPy is as fast."""


def normalise_grad(
    xp: Any,
    grad: Any,
    array: Any,
    weight: Any,
    mean: Any,
    inverse: Any,
    axes: Sizes,
    affine: Sizes,
    centred: bool,
) -> Any:
    """The cotangent of the array that was normalised, from that of the result."""
    dtype = array.dtype
    if grad.dtype != dtype or array.shape != grad.shape:
        return None
    out = numpy.empty(array.shape, dtype)
    if _is_rows(axes, affine):
        count = prod(affine)
        w = numpy.ones(count, dtype) if weight is None else numpy.ascontiguousarray(weight)
        x = numpy.ascontiguousarray(array).reshape(-1, count)
        g = numpy.ascontiguousarray(grad).reshape(-1, count)
        centre = numpy.ascontiguousarray(numpy.broadcast_to(mean, inverse.shape))
        flat = out.reshape(-1, count)
        _normalise_rows_grad(
            g, x, w.reshape(-1), centre.reshape(-1), inverse.reshape(-1), centred, flat
        )
        return out
    runs = _Runs(array.shape, axes, affine)
    if runs.run < _SHORTEST_RUN:
        return None
    x, g = runs.rows(array), runs.rows(grad)
    centre = runs.each(runs.statistic(numpy.broadcast_to(mean, inverse.shape)))
    spread = runs.statistic(inverse)
    plain, along = numpy.empty((2, len(x)), dtype)
    _products(g, x, centre, plain, along)
    by = numpy.ones_like(spread) if weight is None else weight.reshape(runs.affine)
    if weight is not None:
        rows = runs.each(by)
        plain *= rows
        along *= rows
    less = runs.total(along) * spread**3 / runs.count
    shift = runs.total(plain) * spread / runs.count if centred else spread * 0
    flat = out.reshape(x.shape)
    _mixed(g, x, centre, runs.each(by * spread), runs.each(less), runs.each(shift), flat)
    return out


def normalise_weight_grad(
    xp: Any, grad: Any, array: Any, mean: Any, inverse: Any, affine: Sizes
) -> Any:
    """The cotangent of the weight, in the shape `affine`: the result's times the normalised."""
    dtype = array.dtype
    if grad.dtype != dtype or array.shape != grad.shape:
        return None
    lead = array.ndim - len(affine)
    count = prod(affine)
    if prod(inverse.shape[lead:]) == 1 and inverse.size * count == array.size:
        out = numpy.zeros(count, dtype)
        x = numpy.ascontiguousarray(array).reshape(-1, count)
        g = numpy.ascontiguousarray(grad).reshape(-1, count)
        centre = numpy.ascontiguousarray(numpy.broadcast_to(mean, inverse.shape))
        _weight_rows(g, x, centre.reshape(-1), inverse.reshape(-1), out)
        return out.reshape(affine)
    axes = tuple(axis for axis, size in enumerate(affine) if size == 1)
    runs = _Runs(array.shape, axes, affine)
    if lead or runs.run < _SHORTEST_RUN or prod(inverse.shape[len(runs.lead) :]) != 1:
        return None
    x, g = runs.rows(array), runs.rows(grad)
    head = inverse.shape[: len(runs.lead)]
    centre = runs.each(numpy.broadcast_to(mean, inverse.shape).reshape(head))
    plain, along = numpy.empty((2, len(x)), dtype)
    _products(g, x, centre, plain, along)
    along *= runs.each(inverse.reshape(head))
    return runs.total(along).reshape(affine)


@_compiled
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


@_compiled
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
