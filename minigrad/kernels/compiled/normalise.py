"""Normalisation and its gradients, compiled: layer, batch, group, instance."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled, whole_registers
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
    whole_registers()
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
def _rows_grad(
    g: Any,
    x: Any,
    w: Any,
    mean: Any,
    inverse: Any,
    centred: bool,
    block: int,
    out: Any,
    slopes: Any,
    sums: Any,
    start: int,
    stop: int,
) -> None:
    whole_registers()
    count = x.shape[1]
    zero = x.dtype.type(0)
    for part in range(start, stop):
        slope, total = slopes[part], sums[part]
        for i in range(part * block, min(len(x), (part + 1) * block)):
            m, r = mean[i], inverse[i]
            plain, along = zero, zero
            for j in range(count):
                h = g[i, j] * w[j]
                plain += h
                along += h * (x[i, j] - m)
            plain = plain / count if centred else zero
            along *= r * r / count
            # Two loops: in one there would be too many arrays to tell apart for vector registers.
            for j in range(count):
                out[i, j] = r * (g[i, j] * w[j] - plain - (x[i, j] - m) * along)
            for j in range(count):
                slope[j] += g[i, j] * ((x[i, j] - m) * r)
                total[j] += g[i, j]


@compiled
def _normalise_groups(
    x: Any,
    members: Any,
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
    count = members.shape[1] * x.shape[1]
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for group in range(start, stop):
        m = zero
        if centred:
            # The sums of runs are short; what they add up to need not be.
            total = 0.0
            for i in members[group]:
                part = zero
                for j in range(x.shape[1]):
                    part += x[i, j]
                total += part
            m = x.dtype.type(total / count)
        total = 0.0
        for i in members[group]:
            part = zero
            for j in range(x.shape[1]):
                c = x[i, j] - m
                part += c * c
            total += part
        v = x.dtype.type(total / count)
        r = one / numpy.sqrt(v + eps)
        mean[group], var[group], inverse[group] = m, v, r
        for i in members[group]:
            scale, shift = r * w[i], b[i]
            for j in range(x.shape[1]):
                out[i, j] = (x[i, j] - m) * scale + shift


@compiled
def _groups_grad(
    g: Any,
    x: Any,
    members: Any,
    w: Any,
    mean: Any,
    inverse: Any,
    centred: bool,
    out: Any,
    slopes: Any,
    sums: Any,
    start: int,
    stop: int,
) -> None:
    count = members.shape[1] * x.shape[1]
    zero = x.dtype.type(0)
    for group in range(start, stop):
        m, r = mean[group], inverse[group]
        plain, along = 0.0, 0.0
        for i in members[group]:
            p, a = zero, zero
            for j in range(x.shape[1]):
                p += g[i, j]
                a += g[i, j] * (x[i, j] - m)
            sums[i], slopes[i] = p, a * r
            plain += p * w[i]
            along += a * w[i]
        shift = x.dtype.type(plain / count) * r if centred else zero
        less = x.dtype.type(along / count) * r * r * r
        for i in members[group]:
            by = r * w[i]
            for j in range(x.shape[1]):
                out[i, j] = by * g[i, j] - (x[i, j] - m) * less - shift


_SHORTEST_RUN = 8
"""Shorter runs than this leave the vector registers empty: NumPy is as fast."""


class _Runs:
    """An array as rows along each of which mean, spread and weight are the same.

    `members` are the rows of each group that has one mean.
    """

    def __init__(self, shape: Sizes, axes: Sizes, affine: Sizes) -> None:
        split = len(shape)
        while split and split - 1 in axes and (not affine or affine[split - 1] == 1):
            split -= 1
        self.lead = shape[:split]
        self.length = prod(shape[split:])
        self.affine = affine
        within = [axis for axis in range(split) if axis in axes]
        beside = [axis for axis in range(split) if axis not in axes]
        rows = numpy.arange(prod(self.lead)).reshape(self.lead).transpose(*beside, *within)
        groups = prod(shape[axis] for axis in beside)
        self.members = numpy.ascontiguousarray(rows.reshape(groups, rows.size // groups))

    def rows(self, array: Any) -> Any:
        return numpy.ascontiguousarray(array).reshape(-1, self.length)

    def each(self, weight: Any) -> Any:
        """A weight for each row."""
        values = weight.reshape(self.affine[: len(self.lead)])
        # A copy is writable, which a view of one value is not: another type to compile for.
        return numpy.array(numpy.broadcast_to(values, self.lead)).reshape(-1)

    def total(self, values: Any) -> Any:
        """The sum of the rows' values in the shape of the weight."""
        axes = tuple(axis for axis in range(len(self.lead)) if self.affine[axis] == 1)
        return values.reshape(self.lead).sum(axes).reshape(self.affine)


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
    if not input.size or any(
        array is not None and array.dtype != dtype for array in (weight, bias)
    ):
        return None
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(input.shape))
    out = numpy.empty(input.shape, dtype)
    statistics = numpy.empty((3, prod(kept)), dtype)
    rest = (dtype.type(eps), centred)
    if _is_rows(axes, affine):
        count = prod(affine)
        w = numpy.ones(count, dtype) if weight is None else numpy.ascontiguousarray(weight)
        b = numpy.zeros(count, dtype) if bias is None else numpy.ascontiguousarray(bias)
        x = numpy.ascontiguousarray(input).reshape(-1, count)
        weights = (w.reshape(-1), b.reshape(-1))
        into = out.reshape(-1, count)
        spread(_normalise_rows, len(x), x.size, x, *weights, *rest, into, *statistics)
    else:
        runs = _Runs(input.shape, axes, affine)
        if runs.length < _SHORTEST_RUN:
            return None
        x = runs.rows(input)
        w = numpy.ones(len(x), dtype) if weight is None else runs.each(weight)
        b = numpy.zeros(len(x), dtype) if bias is None else runs.each(bias)
        groups = runs.members
        into = out.reshape(x.shape)
        spread(_normalise_groups, len(groups), x.size, x, groups, w, b, *rest, into, *statistics)
    mean, variance, inverse = (found.reshape(kept) for found in statistics)
    return out, mean, variance, inverse


# Sums over rows are made of partial ones, of so many rows at least, and so many of them at most:
# by their number alone, not by that of the threads.
_ROWS_OF_A_SUM, _MOST_SUMS = 32, 32


def normalise_grads(
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
    """The cotangents of the array, of the weight and of the bias, from that of the result."""
    dtype = array.dtype
    if grad.dtype != dtype or array.shape != grad.shape or not array.size:
        return None
    out = numpy.empty(array.shape, dtype)
    centre = numpy.ascontiguousarray(numpy.broadcast_to(mean, inverse.shape))
    statistics = (centre.reshape(-1), inverse.reshape(-1), centred)
    if _is_rows(axes, affine):
        count = prod(affine)
        w = numpy.ones(count, dtype) if weight is None else numpy.ascontiguousarray(weight)
        x = numpy.ascontiguousarray(array).reshape(-1, count)
        g = numpy.ascontiguousarray(grad).reshape(-1, count)
        block = max(_ROWS_OF_A_SUM, -(-len(x) // _MOST_SUMS))
        sums = numpy.zeros((2, -(-len(x) // block), count), dtype)
        rest = (*statistics, block, out.reshape(x.shape), *sums)
        spread(_rows_grad, sums.shape[1], x.size, g, x, w.reshape(-1), *rest)
        return out, *sums.sum(1).reshape(2, *affine)
    runs = _Runs(array.shape, axes, affine)
    if runs.length < _SHORTEST_RUN:
        return None
    x, g = runs.rows(array), runs.rows(grad)
    sums = numpy.empty((2, len(x)), dtype)
    w = numpy.ones(len(x), dtype) if weight is None else runs.each(weight)
    rest = (*statistics, out.reshape(x.shape), *sums)
    spread(_groups_grad, len(runs.members), x.size, g, x, runs.members, w, *rest)
    if not affine:
        return out, None, None
    return out, *(runs.total(part) for part in sums)
