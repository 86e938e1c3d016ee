"""Differences, integrals, interpolation, convolution and polynomials."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.numpy.base import axes_of, axis_of, floating, lift, like_kinds, made, raw
from minigrad.numpy.elementwise import not_equal, subtract
from minigrad.numpy.indexing import where
from minigrad.numpy.joining import concatenate
from minigrad.numpy.manipulation import broadcast_to, flip, moveaxis, ravel
from minigrad.numpy.reductions import sum as total

__all__ = [
    "convolve", "correlate", "diff", "ediff1d", "gradient", "interp", "polyadd", "polyder",
    "polyint", "polymul", "polysub", "polyval", "trapezoid", "unwrap",
]  # fmt: skip


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, taken `n` times."""
    a = lift(a)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n!r}")
    if not a.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    if n == 0:
        return a
    axis = axis_of(axis, a.ndim)
    ends = [prepend, a, append]
    one = tuple(1 if place == axis else size for place, size in enumerate(a._array.shape))
    parts = [
        broadcast_to(part, one) if part is not None and lift(part).ndim == 0 else part
        for part in ends
    ]
    a = concatenate([part for part in parts if part is not None], axis)
    before = (slice(None),) * axis
    take = not_equal if a.dtype.kind == "b" else subtract
    for _ in range(n):
        a = take(a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours of the array made flat, between what is put at the ends."""
    parts = [None if to_begin is None else ravel(to_begin), diff(ravel(ary))]
    parts.append(None if to_end is None else ravel(to_end))
    return concatenate([part for part in parts if part is not None])


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """The slopes by central differences, one-sided at the edges, along each axis.

    A spacing is one number for all axes, one for each, or the coordinates along each.
    """
    f = floating(f)
    axes = axes_of(axis, f.ndim)
    steps = list(varargs) * (len(axes) if len(varargs) == 1 else 1) or [1.0] * len(axes)
    if len(steps) != len(axes):
        raise TypeError("invalid number of arguments")
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    found = [_slopes(f, step, n, edge_order) for step, n in zip(steps, axes)]
    return found[0] if len(axes) == 1 else tuple(found)


def _slopes(f: Any, step: Any, axis: int, edge_order: int) -> Any:
    f = moveaxis(f, axis, -1)
    size = f._array.shape[-1]
    if size < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least (edge_order + 1) "
            "elements are required."
        )
    step = lift(step)
    h = diff(step) * 1.0 if step.ndim else broadcast_to(step * 1.0, (size - 1,))
    if len(h) != size - 1:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    slopes = (f[..., 1:] - f[..., :-1]) / h
    left, right = h[:-1], h[1:]
    inner = (slopes[..., :-1] * right + slopes[..., 1:] * left) / (left + right)
    first, last = slopes[..., :1], slopes[..., -1:]
    if edge_order == 2:
        bend = (slopes[..., 1:] - slopes[..., :-1]) / (left + right)
        first, last = first - bend[..., :1] * h[0], last + bend[..., -1:] * h[-1]
    return moveaxis(concatenate((first, inner, last), -1), -1, axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule."""
    y = lift(y)
    axis = axis_of(axis, y.ndim)
    y = moveaxis(y, axis, -1)
    if x is None:
        step = dx
    else:
        x = lift(x)
        step = diff(x if x.ndim == 1 else moveaxis(x, axis, -1))
    return total(step * (y[..., 1:] + y[..., :-1]) / 2.0, -1)


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """The values at `x` on the lines between points of rising coordinates `xp`."""
    x, xp = (floating(v) for v in (x, xp))
    fp = floating(fp)
    if period is not None:
        period = abs(period)
        x, xp = x % period, xp % period
        order = raw(xp).argsort()
        xp, fp = xp[order], fp[order]
        xp = concatenate((xp[-1:] - period, xp, xp[:1] + period))
        fp = concatenate((fp[-1:], fp, fp[:1]))
    count = xp._array.shape[0]
    if not count:
        raise ValueError("array of sample points is empty")
    place = (numpy.searchsorted(raw(xp), raw(x), "right") - 1).clip(0, max(count - 2, 0))
    after = numpy.minimum(place + 1, count - 1)
    width = xp[after] - xp[place]
    share = (x - xp[place]) / where(width == 0, 1.0, width)
    result = fp[place] + (fp[after] - fp[place]) * share
    result = where(x == xp[after], fp[after], result)
    below, above = x < xp[0], x > xp[-1]
    if period is None:
        result = where(below, fp[0] if left is None else left, result)
        result = where(above, fp[-1] if right is None else right, result)
    return result


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """The convolution of two vectors: whole, as long as the longer, or where both overlap."""
    a, v = like_kinds(a, v)
    a, v = (ravel(x) if not x.ndim else x for x in (a, v))
    if not a._array.size or not v._array.size:
        raise ValueError("convolve(): an operand is empty")
    if v._array.shape[0] > a._array.shape[0]:
        a, v = v, a
    n, m = a._array.shape[0], v._array.shape[0]
    border = a[:1] * 0
    padded = concatenate([broadcast_to(border, (m - 1,)), a, broadcast_to(border, (m - 1,))])
    places = numpy.arange(n + m - 1)[:, None] + numpy.arange(m)[None, :]
    full = total(padded[places] * flip(v)[None, :], 1, dtype=a.dtype)
    if mode == "full":
        return full
    if mode == "same":
        start = (m - 1) // 2
        return full[start : start + n]
    if mode == "valid":
        return full[m - 1 : n]
    raise ValueError(f"convolve(): mode {mode!r} is not known; write 'full', 'same' or 'valid'")


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """The correlation of two vectors: the convolution with the second turned and conjugated."""
    a, v = like_kinds(a, v)
    a, v = (ravel(x) if not x.ndim else x for x in (a, v))
    full = convolve(a, flip(v.conj()), "full")
    n, m = a._array.shape[0], v._array.shape[0]
    if mode == "full":
        return full
    low, high = min(n, m), max(n, m)
    if mode == "valid":
        return full[low - 1 : high]
    if mode == "same":
        start = (low - 1) - (low - 1) // 2 if n < m else (low - 1) // 2
        return full[start : start + high]
    raise ValueError(f"correlate(): mode {mode!r} is not known; write 'full', 'same' or 'valid'")


def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: float = 2 * math.pi) -> Any:
    """Angles made continuous along an axis by whole turns."""
    p = floating(p)
    plain = raw(p)
    continuous = numpy.unwrap(plain, discont, axis, period=period)
    return p + made(numpy.round((continuous - plain) / period) * period)


def polyval(p: Any, x: Any) -> Any:
    """The value of a polynomial whose coefficients are given from the highest power down."""
    p, x = lift(p), lift(x)
    result = x * 0
    for coefficient in p:
        result = result * x + coefficient
    return result


def polyadd(a1: Any, a2: Any) -> Any:
    """The sum of two polynomials."""
    a1, a2 = like_kinds(a1, a2)
    a1, a2 = ravel(a1), ravel(a2)
    size = max(len(a1), len(a2))
    a1, a2 = (concatenate((broadcast_to(a[:1] * 0, (size - len(a),)), a)) for a in (a1, a2))
    return a1 + a2


def polysub(a1: Any, a2: Any) -> Any:
    """The difference of two polynomials."""
    return polyadd(a1, -lift(a2))


def polymul(a1: Any, a2: Any) -> Any:
    """The product of two polynomials."""
    return convolve(a1, a2)


def polyder(p: Any, m: int = 1) -> Any:
    """The derivative of a polynomial, taken `m` times."""
    p = lift(p)
    for _ in range(m):
        p = p[:-1] * made(numpy.arange(len(p) - 1, 0, -1))
    return p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The integral of a polynomial, taken `m` times, with constants `k`."""
    p = lift(p)
    constants = ravel(0.0 if k is None else k)
    for n in range(m):
        constant = constants[n if len(constants) > 1 else 0]
        p = concatenate((p / made(numpy.arange(len(p), 0, -1)), constant[None]))
    return p
