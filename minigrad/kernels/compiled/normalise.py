"""Normalisation and its gradients, compiled: layer, batch, group, instance."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.reference import Sizes


@compiled
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


@compiled
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


@compiled
def _weight_rows(g: Any, x: Any, mean: Any, inverse: Any, out: Any) -> None:
    rows, count = x.shape
    for i in range(rows):
        m, r = mean[i], inverse[i]
        for j in range(count):
            out[j] += g[i, j] * (x[i, j] - m) * r


@compiled
def _sums(x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        for j in range(x.shape[1]):
            total += x[i, j]
        out[i] = total


@compiled
def _squares(x: Any, mean: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        total = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            c = x[i, j] - m
            total += c * c
        out[i] = total


@compiled
def _scaled(x: Any, mean: Any, scale: Any, shift: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        m, r, b = mean[i], scale[i], shift[i]
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - m) * r + b


@compiled
def _products(g: Any, x: Any, mean: Any, plain: Any, along: Any) -> None:
    for i in range(x.shape[0]):
        p = x.dtype.type(0)
        a = x.dtype.type(0)
        m = mean[i]
        for j in range(x.shape[1]):
            p += g[i, j]
            a += g[i, j] * (x[i, j] - m)
        plain[i], along[i] = p, a


@compiled
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
