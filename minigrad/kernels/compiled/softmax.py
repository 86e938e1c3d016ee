"""The softmax along rows, its logarithm and the loss of a classifier, a row at a time.

A row is read again while it is still in the cache; what a row gets depends on that row alone.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.exponential import decay
from minigrad.kernels.compiled.pieces import spread
from minigrad.kernels.compiled.registers import largest


@compiled
def _softmax(x: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        row, into = x[i], out[i]
        most = largest(row)
        total = x.dtype.type(0)
        for j in range(len(row)):
            power = decay(row[j] - most)
            into[j] = power
            total += power
        factor = x.dtype.type(1) / total
        for j in range(len(row)):
            into[j] *= factor


@compiled
def _softmax_grad(g: Any, values: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        slope, value, into = g[i], values[i], out[i]
        total = g.dtype.type(0)
        for j in range(len(slope)):
            total += slope[j] * value[j]
        for j in range(len(slope)):
            into[j] = (slope[j] - total) * value[j]


@compiled
def _log_softmax(x: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        row, into = x[i], out[i]
        most = largest(row)
        total = x.dtype.type(0)
        for j in range(len(row)):
            total += decay(row[j] - most)
        shift = numpy.log(total)
        for j in range(len(row)):
            into[j] = (row[j] - most) - shift


@compiled
def _log_softmax_grad(g: Any, values: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        slope, value, into = g[i], values[i], out[i]
        total = g.dtype.type(0)
        for j in range(len(slope)):
            total += slope[j]
        for j in range(len(slope)):
            into[j] = slope[j] - decay(value[j]) * total


@compiled
def _losses(
    x: Any, target: Any, losses: Any, totals: Any, shifts: Any, start: int, stop: int
) -> None:
    for i in range(start, stop):
        row = x[i]
        most = largest(row)
        total = x.dtype.type(0)
        for j in range(len(row)):
            total += decay(row[j] - most)
        totals[i] = total
        shifts[i] = most
        losses[i] = numpy.log(total) - (row[target[i]] - most)


@compiled
def _losses_grad(
    x: Any, target: Any, totals: Any, shifts: Any, scale: float, out: Any, start: int, stop: int
) -> None:
    whole = x.dtype.type(scale)
    for i in range(start, stop):
        row, into = x[i], out[i]
        most = shifts[i]
        factor = whole / totals[i]
        for j in range(len(row)):
            into[j] = decay(row[j] - most) * factor
        into[target[i]] -= whole


def _rows(array: Any) -> Any:
    return numpy.ascontiguousarray(array).reshape(-1, array.shape[-1])


def _of_one(loop: Any, array: Any, dim: int) -> Any:
    """What a loop makes of the rows of an array."""
    if dim != array.ndim - 1 or not array.size:
        return None
    out = numpy.empty(array.shape, array.dtype)
    rows = _rows(array)
    spread(loop, len(rows), 2 * array.size, rows, out.reshape(rows.shape))
    return out


def _of_two(loop: Any, grad: Any, values: Any, dim: int) -> Any:
    """What a loop makes of the rows of a cotangent and of the values it belongs to."""
    if dim != values.ndim - 1 or not values.size:
        return None
    if grad.shape != values.shape or grad.dtype is not values.dtype:
        return None
    out = numpy.empty(values.shape, values.dtype)
    rows = _rows(values)
    spread(loop, len(rows), values.size, _rows(grad), rows, out.reshape(rows.shape))
    return out


def softmax(xp: Any, input: Any, dim: int) -> Any:
    """exp(input) over its sum along the last dimension."""
    return _of_one(_softmax, input, dim)


def softmax_grad(xp: Any, grad: Any, values: Any, dim: int) -> Any:
    """The cotangent of softmax's input, given that of its output `values`."""
    return _of_two(_softmax_grad, grad, values, dim)


def log_softmax(xp: Any, input: Any, dim: int) -> Any:
    """The logarithm of the softmax along the last dimension."""
    return _of_one(_log_softmax, input, dim)


def log_softmax_grad(xp: Any, grad: Any, values: Any, dim: int) -> Any:
    """The cotangent of log_softmax's input, given that of its output `values`."""
    return _of_two(_log_softmax_grad, grad, values, dim)


def class_losses(xp: Any, logits: Any, target: Any) -> Any:
    """The negative log-likelihood of one class for each row; the exponentials are made again."""
    if not logits.size:
        return None
    losses, totals, shifts = numpy.empty((3, len(logits), 1), logits.dtype)
    target = numpy.ascontiguousarray(target)
    flat = (losses.reshape(-1), totals.reshape(-1), shifts.reshape(-1))
    spread(_losses, len(logits), 2 * logits.size, _rows(logits), target, *flat)
    return losses, (None, totals, shifts)


def class_losses_grad(xp: Any, logits: Any, target: Any, saved: Any, scale: Any) -> Any:
    """The cotangent of the logits for `scale` times the sum of the losses."""
    powers, totals, shifts = saved
    if powers is not None:
        return None
    out = numpy.empty(logits.shape, logits.dtype)
    target = numpy.ascontiguousarray(target)
    rest = (totals.reshape(-1), shifts.reshape(-1), float(scale), out)
    spread(_losses_grad, len(logits), 2 * logits.size, _rows(logits), target, *rest)
    return out
