"""Normalisation and its gradients, compiled: layer, batch, group, instance."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.pieces import spread
from minigrad.kernels.reference import Sizes


@compiled
def _normalise_rows(
    x: Any,
    w: Any,
    b: Any,
    eps: Any,
    centred: bool,
    out: Any,
    mean: Any,
    var: Any,
    inverse: Any,
    start: int,
    stop: int,
) -> None:
    count = x.shape[1]
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in range(start, stop):
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


@compiled
def _normalise_rows_grad(
    g: Any,
    x: Any,
    w: Any,
    mean: Any,
    inverse: Any,
    centred: bool,
    out: Any,
    start: int,
    stop: int,
) -> None:
    count = x.shape[1]
    zero = x.dtype.type(0)
    for i in range(start, stop):
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


@compiled
def _weight_rows(
    g: Any, x: Any, mean: Any, inverse: Any, block: int, out: Any, start: int, stop: int
) -> None:
    for part in range(start, stop):
        into = out[part]
        for i in range(part * block, min(len(x), (part + 1) * block)):
            m, r = mean[i], inverse[i]
            slope, value = g[i], x[i]
            for j in range(len(into)):
                into[j] += slope[j] * (value[j] - m) * r


@compiled
def _sums(x: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        total = x.dtype.type(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total


@compiled
def _squares(x: Any, mean: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        total = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            c = x[i, j] - m
            total += c * c
        out[i] = total


@compiled
def _scaled(x: Any, mean: Any, scale: Any, shift: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        m, r, b = mean[i], scale[i], shift[i]
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - m) * r + b


@compiled
def _products(g: Any, x: Any, mean: Any, plain: Any, along: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        p = x.dtype.type(0)
        a = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            p += g[i, j]
            a += g[i, j] * (x[i, j] - m)
        plain[i], along[i] = p, a


@compiled
def _mixed(
    g: Any, x: Any, mean: Any, by: Any, less: Any, shift: Any, out: Any, start: int, stop: int
) -> None:
    for i in range(start, stop):
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
        weights = (w.reshape(-1), b.reshape(-1), dtype.type(eps), centred)
        spread(_normalise_rows, len(x), x.size, x, *weights, flat, mean, variance, inverse)
        return out, mean.reshape(kept), variance.reshape(kept), inverse.reshape(kept)
    runs = _Runs(input.shape, axes, affine)
    if runs.run < _SHORTEST_RUN:
        return None
    x = runs.rows(input)
    sums = numpy.empty(len(x), dtype)
    mean = numpy.zeros((1,) * len(runs.lead), dtype)
    if centred:
        spread(_sums, len(x), x.size, x, sums)
        mean = runs.total(sums) / runs.count
    centre = runs.each(mean)
    spread(_squares, len(x), x.size, x, centre, sums)
    variance = runs.total(sums) / runs.count
    inverse = 1 / numpy.sqrt(variance + eps)
    scale = inverse if weight is None else inverse * weight.reshape(runs.affine)
    shift = dtype.type(0) if bias is None else bias.reshape(runs.affine)
    factors = (runs.each(scale), runs.each(shift))
    spread(_scaled, len(x), x.size, x, centre, *factors, out.reshape(x.shape))
    return (
        out,
        mean.reshape(kept if centred else (1,) * len(kept)),
        variance.reshape(kept),
        inverse.reshape(kept),
    )


# Sums over rows are made of partial ones, of so many rows at least, and so many of them at most.
_ROWS_OF_A_SUM, _MOST_SUMS = 32, 32

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
        statistics = (centre.reshape(-1), inverse.reshape(-1), centred)
        spread(_normalise_rows_grad, len(x), x.size, g, x, w.reshape(-1), *statistics, flat)
        return out
    runs = _Runs(array.shape, axes, affine)
    if runs.run < _SHORTEST_RUN:
        return None
    x, g = runs.rows(array), runs.rows(grad)
    centre = runs.each(runs.statistic(numpy.broadcast_to(mean, inverse.shape)))
    tightness = runs.statistic(inverse)
    plain, along = numpy.empty((2, len(x)), dtype)
    spread(_products, len(x), x.size, g, x, centre, plain, along)
    by = numpy.ones_like(tightness) if weight is None else weight.reshape(runs.affine)
    if weight is not None:
        rows = runs.each(by)
        plain *= rows
        along *= rows
    less = runs.total(along) * tightness**3 / runs.count
    shift = runs.total(plain) * tightness / runs.count if centred else tightness * 0
    flat = out.reshape(x.shape)
    weights = (runs.each(by * tightness), runs.each(less), runs.each(shift))
    spread(_mixed, len(x), x.size, g, x, centre, *weights, flat)
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
        x = numpy.ascontiguousarray(array).reshape(-1, count)
        g = numpy.ascontiguousarray(grad).reshape(-1, count)
        centre = numpy.ascontiguousarray(numpy.broadcast_to(mean, inverse.shape))
        # The rows of a partial sum depend on their number alone, not on the threads.
        block = max(_ROWS_OF_A_SUM, -(-len(x) // _MOST_SUMS))
        sums = numpy.zeros((-(-len(x) // block), count), dtype)
        statistics = (centre.reshape(-1), inverse.reshape(-1))
        spread(_weight_rows, len(sums), x.size, g, x, *statistics, block, sums)
        return sums.sum(0).reshape(affine)
    axes = tuple(axis for axis, size in enumerate(affine) if size == 1)
    runs = _Runs(array.shape, axes, affine)
    if lead or runs.run < _SHORTEST_RUN or prod(inverse.shape[len(runs.lead) :]) != 1:
        return None
    x, g = runs.rows(array), runs.rows(grad)
    head = inverse.shape[: len(runs.lead)]
    centre = runs.each(numpy.broadcast_to(mean, inverse.shape).reshape(head))
    plain, along = numpy.empty((2, len(x)), dtype)
    spread(_products, len(x), x.size, g, x, centre, plain, along)
    along *= runs.each(inverse.reshape(head))
    return runs.total(along).reshape(affine)
