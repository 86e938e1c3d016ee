"""Sums, means, extremes and running results along axes, with NumPy's arguments and dtypes."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy

from minigrad.numpy.base import (
    as_type,
    axes_of,
    axis_of,
    delivered,
    dtype_of,
    floating,
    lift,
    made,
)
from minigrad.numpy.elementwise import add, maximum, minimum, multiply
from minigrad.ops import extremes, moments, reduce, scan
from minigrad.ops.expand import broadcast_to
from minigrad.ops.join import cat
from minigrad.ops.promotion import convert
from minigrad.ops.select import where as choose
from minigrad.ops.shape import reshape

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "cumprod",
    "cumsum", "cumulative_prod", "cumulative_sum", "max", "mean", "min", "prod", "ptp", "std",
    "sum", "var",
]  # fmt: skip

_NONE: Any = object()


def _accumulator(dtype: Any) -> Any:
    """The dtype that sums and products of integers are made in: NumPy's, of 64 bits."""
    if dtype.kind in "bi":
        return dtype_of("int64")
    return dtype_of("uint64") if dtype.kind == "u" else dtype


def _masked(a: Any, where: Any, other: Any) -> Any:
    """The array with `other` where a mask of the same shape does not hold."""
    if where is True:
        return a
    mask = broadcast_to(lift(where), numpy.broadcast_shapes(lift(where).shape, a._array.shape))
    return choose(mask, a, convert(lift(other), a.dtype))


def _folded(
    operation: Callable[[Any, tuple[int, ...], bool], Any], a: Any, axis: Any, keepdims: Any
) -> Any:
    """A reduction over axes; over none of them, as `axis=()` asks, the array itself."""
    axes = axes_of(axis, a.ndim)
    return operation(a, axes, builtins.bool(keepdims)) if axes else a


def sum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = _NONE, where: Any = True,
) -> Any:  # fmt: skip
    """The sum of the elements, over all axes or some; small integers add up in 64 bits."""
    a = lift(a)
    a = as_type(a, _accumulator(a.dtype) if dtype is None else dtype)
    a = _masked(a, where, 0)
    wanted = a.dtype
    result = convert(_folded(reduce.sum, a, axis, keepdims), wanted)
    result = result if initial is _NONE else add(result, initial)
    return delivered(result, out, True, "sum")


def prod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = _NONE, where: Any = True,
) -> Any:  # fmt: skip
    """The product of the elements, over all axes or some; small integers in 64 bits."""
    a = lift(a)
    a = as_type(a, _accumulator(a.dtype) if dtype is None else dtype)
    a = _masked(a, where, 1)
    wanted = a.dtype
    result = convert(_folded(_product, a, axis, keepdims), wanted)
    result = result if initial is _NONE else multiply(result, initial)
    return delivered(result, out, True, "prod")


def _product(a: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    shape = a._array.shape
    if len(axes) == a.ndim:
        result = scan.prod(a)
        return reshape(result, (1,) * len(shape)) if keepdims else result
    for axis in sorted(axes, reverse=True):
        a = scan.prod(a, axis, keepdims)
    return a


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    """The mean of the elements, over all axes or some; of integers in float64."""
    a = floating(a, dtype)
    if where is not True:
        total = sum(a, axis, keepdims=keepdims, where=where)
        return delivered(total / _count(a, axis, keepdims, where), out, True, "mean")
    return delivered(_folded(reduce.mean, a, axis, keepdims), out, True, "mean")


def _count(a: Any, axis: Any, keepdims: Any, where: Any) -> Any:
    """How many elements a mask leaves for each result, as floats like `a`."""
    mask = numpy.broadcast_to(lift(where)._array, a._array.shape)
    found = numpy.sum(mask, axis=axis, keepdims=keepdims)
    return made(numpy.asarray(found, a.real.dtype))


def var(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    """The mean of the squared distances from the mean, over n - `correction` (or `ddof`)."""
    a = floating(a, dtype)
    correction = ddof if correction is _NONE else correction
    if where is not True or mean is not _NONE:
        result = _var_around(a, axis, correction, keepdims, where, mean)
    else:
        axes = axes_of(axis, a.ndim)
        if axes or not a.ndim:
            result = moments.var(a, axes or None, None, keepdims, correction=correction)
        else:
            result = (a - a).real
    return delivered(result, out, True, "var")


def _var_around(a: Any, axis: Any, correction: Any, keepdims: Any, where: Any, given: Any) -> Any:
    """A variance of the elements that a mask leaves, or around a mean that is given."""
    center = mean(a, axis, keepdims=True, where=where) if given is _NONE else lift(given)
    off = a - center
    squares = (off * off.conj()).real
    mask = numpy.broadcast_to(lift(where)._array, a._array.shape)
    count = numpy.asarray(numpy.sum(mask, axis=axis, keepdims=keepdims)) - correction
    total = sum(squares, axis, keepdims=keepdims, where=where)
    return total / made(numpy.maximum(count, 0).astype(squares.dtype))


def std(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    """The square root of the variance (see `var`); its gradient is 0 where nothing varies."""
    a = floating(a, dtype)
    correction = ddof if correction is _NONE else correction
    axes = axes_of(axis, a.ndim)
    if where is True and mean is _NONE and (axes or not a.ndim):
        result = moments.std(a, axes or None, None, keepdims, correction=correction)
    else:
        result = _root(var(a, axis, None, None, correction, keepdims, where=where, mean=mean))
    return delivered(result, out, True, "std")


def _root(variance: Any) -> Any:
    """The square root; where nothing varies its gradient is taken as 0."""
    flat = variance == 0
    return choose(flat, variance, choose(flat, variance + 1, variance) ** 0.5)


def _extreme(
    operation: Any, binary: Any, a: Any, axis: Any, keepdims: Any, initial: Any, where: Any
) -> Any:
    a = lift(a)
    if where is not True:
        if initial is _NONE:
            raise ValueError("where= needs initial= beside it, for where the mask leaves nothing")
        a = _masked(a, where, initial)
    if initial is not _NONE:
        axes = axes_of(axis, a.ndim)
        shape = tuple(1 if n in axes else size for n, size in enumerate(a._array.shape))
        start = broadcast_to(convert(lift(initial), a.dtype), shape)
        if axes:
            a = cat((a, start), axes[0]) if len(axes) == 1 else binary(
                _folded(operation, a, axis, True), start
            ) if a._array.size else start  # fmt: skip
    if not a._array.size and math.prod(
        size for n, size in enumerate(a._array.shape) if n in axes_of(axis, a.ndim)
    ) == 0:  # fmt: skip
        raise ValueError("zero-size array to reduction operation which has no identity")
    return _folded(operation, a, axis, keepdims)


def max(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = _NONE,
    where: Any = True,
) -> Any:  # fmt: skip
    """The largest elements, over all axes or some; equal ones share the gradient evenly."""
    result = _extreme(extremes.amax, maximum, a, axis, keepdims, initial, where)
    return delivered(result, out, True, "max")


def min(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = _NONE,
    where: Any = True,
) -> Any:  # fmt: skip
    """The smallest elements, over all axes or some; equal ones share the gradient evenly."""
    result = _extreme(extremes.amin, minimum, a, axis, keepdims, initial, where)
    return delivered(result, out, True, "min")


amax = max
amin = min


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The largest less the smallest element."""
    return delivered(max(a, axis, None, keepdims) - min(a, axis, None, keepdims), out, True, "ptp")


def _position(operation: Any, a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    a = lift(a)
    a = convert(a, dtype_of("uint8")) if a.dtype.kind == "b" else a
    axis = None if axis is None else axis_of(axis, a.ndim)
    if not (a._array.size if axis is None else a._array.shape[axis]):
        raise ValueError("attempt to get the position of an extreme of an empty sequence")
    result = operation(a, axis, builtins.bool(keepdims))
    return delivered(result, out, True, "argmax")


def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """The position of the largest element, the first of equal ones: in all, or along an axis."""
    return _position(extremes.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """The position of the smallest element, the first of equal ones: in all, or along an axis."""
    return _position(extremes.argmin, a, axis, out, keepdims)


def _tested(
    operation: Any, a: Any, axis: Any, out: Any, keepdims: Any, where: Any, neutral: bool
) -> Any:
    a = as_type(a, bool)
    result = _folded(operation, _masked(a, where, neutral), axis, keepdims)
    return delivered(result, out, True, operation.__name__)


def all(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """Whether all elements are not zero, over all axes or some."""
    return _tested(reduce.all, a, axis, out, keepdims, where, True)


def any(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Any:
    """Whether any element is not zero, over all axes or some."""
    return _tested(reduce.any, a, axis, out, keepdims, where, False)


def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    """How many elements are not zero, over all axes or some."""
    return sum(as_type(a, bool), axis, keepdims=keepdims)


def _running(operation: Any, a: Any, axis: Any, dtype: Any, out: Any) -> Any:
    a = lift(a)
    if axis is None:
        a, axis = reshape(a, (-1,)), 0
    a = as_type(a, _accumulator(a.dtype) if dtype is None else dtype)
    result = convert(operation(a, axis_of(axis, a.ndim)), a.dtype)
    return delivered(result, out, True, operation.__name__)


def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sums along an axis, or of all elements in a row."""
    return _running(scan.cumsum, a, axis, dtype, out)


def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running products along an axis, or of all elements in a row."""
    return _running(scan.cumprod, a, axis, dtype, out)


def _cumulative(
    operation: Any, first: int, x: Any, axis: Any, dtype: Any, out: Any, include_initial: bool
) -> Any:
    x = lift(x)
    if axis is None:
        if x.ndim != 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` is required.")
        axis = 0
    axis = axis_of(axis, x.ndim)
    result = operation(x, axis, dtype)
    if include_initial:
        shape = tuple(1 if n == axis else size for n, size in enumerate(result._array.shape))
        result = cat((made(numpy.full(shape, first, result.dtype)), result), axis)
    return delivered(result, out, True, operation.__name__)


def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
    include_initial: bool = False,
) -> Any:  # fmt: skip
    """The running sums along an axis; `include_initial` puts the 0 before them."""
    return _cumulative(cumsum, 0, x, axis, dtype, out, include_initial)


def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None,
    include_initial: bool = False,
) -> Any:  # fmt: skip
    """The running products along an axis; `include_initial` puts the 1 before them."""
    return _cumulative(cumprod, 1, x, axis, dtype, out, include_initial)


def average(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    """The mean, weighted if weights are given; with `returned` also the sum of the weights."""
    a = lift(a)
    if weights is None:
        result = mean(a, axis, keepdims=keepdims)
        count = a._array.size // builtins.max(result._array.size, 1)
        total = made(numpy.full(result._array.shape, float(count), result.dtype))
        return (result, total) if returned else result
    weights = lift(weights)
    if weights._array.shape != a._array.shape:
        axes = axes_of(axis, a.ndim)
        if axis is None:
            raise TypeError("Axis must be specified when shapes of a and weights differ.")
        if weights._array.shape != tuple(a._array.shape[n] for n in axes):
            raise ValueError("Shape of weights must be consistent with shape of a along axis.")
        order = sorted(range(len(axes)), key=lambda n: axes[n])
        sizes = [a._array.shape[n] if n in axes else 1 for n in range(a.ndim)]
        weights = weights.transpose(order).reshape(sizes)
    weights = broadcast_to(weights, a._array.shape)
    total = sum(weights * 1.0 if weights.dtype.kind in "biu" else weights, axis, keepdims=keepdims)
    result = sum(a * weights, axis, keepdims=keepdims) / total
    return (result, broadcast_to(total, result._array.shape)) if returned else result


add.methods.update(reduce=sum, accumulate=cumsum)
multiply.methods.update(reduce=prod, accumulate=cumprod)
