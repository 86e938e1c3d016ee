"""Running extremes and logarithms of sums, differences, and integrals by the trapezoidal rule."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend import backend_of
from minigrad.backend.levels import of_arrays
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive, wrap
from minigrad.ops.compare import logical_xor
from minigrad.ops.dims import shape_of, wrap_dim, wrap_dims
from minigrad.ops.elementwise import mul, sub
from minigrad.ops.extremes import Selection
from minigrad.ops.functions import exp
from minigrad.ops.gather import gather, raw_of
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.reduce import dimensions
from minigrad.ops.reduce import sum as total
from minigrad.ops.scan import cumsum, recurrence, shift
from minigrad.ops.select import ordered, where
from minigrad.ops.shape import reshape

__all__ = [
    "cummax", "cummin", "cumulative_trapezoid", "diff", "gradient", "logcumsumexp", "trapezoid",
    "trapz",
]  # fmt: skip


def _running(operation: str, input: Any, dim: int, larger: bool) -> Selection:
    axis = wrap_dim(operation, dim, dimensions(operation, input))
    array = ordered(operation, raw_of(input))
    places = _places(array, axis, larger)
    values = gather(input, axis, places)
    return Selection(values, wrap(input, places) if isinstance(input, Traced) else places)


@of_arrays
def _places(array: Any, axis: int, larger: bool) -> Any:
    """Where the largest element so far is, the last of equal ones; the last NaN once there is one.

    After k rounds each place knows of the 2 ** k elements up to it.
    """
    xp = backend_of(array).xp
    if not array.ndim:
        return xp.zeros((), dtypes.int64)
    size = array.shape[axis]
    along = (1,) * axis + (size,) + (1,) * (array.ndim - axis - 1)
    best = xp.broadcast_to(xp.arange(size).reshape(along), array.shape).copy()
    values = array.copy()
    before = (slice(None),) * axis
    step = 1
    while step < size:
        late, early = (*before, slice(step, None)), (*before, slice(0, size - step))
        new, old = values[late], values[early]
        kept = new >= old if larger else new <= old
        kept = (new != new) | (kept & (old == old))
        # Computed whole before any of it is written: the two parts overlap.
        chosen, places = xp.where(kept, new, old), xp.where(kept, best[late], best[early])
        values[late], best[late] = chosen, places
        step *= 2
    return best


def cummax(input: Any, dim: int) -> Selection:
    """The largest element so far along a dimension, and where it is, the last of equal ones.

    >>> import minigrad
    >>> minigrad.cummax(minigrad.tensor([1, 3, 2, 3]), 0).indices
    tensor([0, 1, 1, 3])
    """
    return _running("cummax", input, dim, True)


def cummin(input: Any, dim: int) -> Selection:
    """The smallest element so far along a dimension, and where it is, the last of equal ones."""
    return _running("cummin", input, dim, False)


def _logcumsumexp_rule(g: Any, out: Any, input: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Of the running sums that an element is part of, the next is a share of the one before."""
    nothing = out == -math.inf
    sums = where(nothing, 0, out)
    share = where(nothing, 0, exp(sums - shift(sums, by=-1, dim=dim, fill=math.inf)))
    terms = recurrence(g, share, shape[dim] if shape else 1, dim)
    return where(nothing, 0, exp(input - sums)) * terms


@primitive(input=_logcumsumexp_rule)
def _logcumsumexp(xp: Any, input: Any, *, dim: int) -> Any:
    out = input.copy()
    if not out.ndim:
        return out
    before, size, step = (slice(None),) * dim, input.shape[dim], 1
    if out.dtype.kind == "c":
        # One after the other: how often the angle has gone around depends on the order.
        for place in range(1, size):
            here, last = (*before, place), (*before, place - 1)
            out[here] = _added(xp, out[here], out[last])
        return out
    while step < size:
        late, early = out[(*before, slice(step, None))], out[(*before, slice(0, size - step))]
        out[(*before, slice(step, None))] = xp.logaddexp(late, early)
        step *= 2
    return out


def _added(xp: Any, one: Any, other: Any) -> Any:
    """The logarithm of the sum of the exponentials of two complex arrays."""
    first = one.real >= other.real
    larger, smaller = xp.where(first, one, other), xp.where(first, other, one)
    # Two infinities make none.
    gap = xp.where(larger == smaller, 0, smaller - larger)
    return larger + xp.log1p(xp.exp(gap))


def logcumsumexp(input: Any, dim: int) -> Any:
    """The logarithm of the running sum of the exponentials along a dimension, without overflow."""
    dim = wrap_dim("logcumsumexp", dim, dimensions("logcumsumexp", input))
    if input.dtype.kind not in "fc":
        raise DtypeError(
            f"logcumsumexp(): argument 'input' must be floating or complex, got "
            f"{input.dtype.name}; convert it first, for example input.float()"
        )
    return _logcumsumexp(input, dim=dim)


def _from(input: Any, dim: int, start: int | None, stop: int | None) -> Any:
    return getitem(input, index=(slice(None),) * dim + (slice(start, stop),))


def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th differences of neighbours along a dimension; of bools, whether they differ.

    `prepend` and `append` are tensors put before and behind the input first.

    >>> import minigrad
    >>> minigrad.diff(minigrad.tensor([1, 4, 9, 16]), n=2)
    tensor([2, 2])
    """
    ndim = dimensions("diff", input)
    if not ndim:
        raise ArgumentError("diff(): argument 'input' has no dimensions; give at least a vector")
    if n < 0:
        raise ArgumentError(f"diff(): argument 'n' must be 0 or more, got {n}")
    dim = wrap_dim("diff", dim, ndim)
    for name, part in (("prepend", prepend), ("append", append)):
        if part is not None and dimensions("diff", part) != ndim:
            raise ArgumentError(
                f"diff(): argument '{name}' of shape {list(shape_of(part))} must have as many "
                f"dimensions as 'input' of shape {list(shape_of(input))}"
            )
    if not n:
        return _from(input, dim, None, None)
    parts = [part for part in (prepend, input, append) if part is not None]
    values = cat(parts, dim) if len(parts) > 1 else input
    apart = logical_xor if values.dtype.kind == "b" else sub
    for _ in range(min(n, shape_of(values)[dim])):
        values = apart(_from(values, dim, 1, None), _from(values, dim, None, -1))
    return values


# Derivatives and integrals on a grid.


def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> list[Any]:
    """The derivatives along dimensions of a function known at points, one tensor for each.

    Inside by the points on both sides, to second order; at the ends to first order, or to second
    with `edge_order=2`. `spacing` is the distance of points, one for all dimensions or one for
    each, or the coordinates of the points, a vector for each; 1 unless given. Raises ArgumentError
    for too few points.

    B. Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids",
    Mathematics of Computation 51, 1988.
    """
    ndim = dimensions("gradient", input)
    several = isinstance(spacing, (tuple, list))
    if dim is not None:
        dims = wrap_dims("gradient", dim, ndim)
    elif several and len(spacing) == 1 and ndim > 1:
        raise ArgumentError(
            "gradient(): argument 'spacing' is for one dimension; name it with 'dim'"
        )
    else:
        dims = tuple(range(ndim))
    steps = list(spacing) if several else [1 if spacing is None else spacing] * len(dims)
    if len(steps) != len(dims):
        raise ArgumentError(
            f"gradient(): argument 'spacing' has {len(steps)} entries for {len(dims)} dimensions; "
            f"give one for each"
        )
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient(): argument 'edge_order' must be 1 or 2, got {edge_order}")
    for axis in dims:
        if shape_of(input)[axis] <= edge_order:
            raise ArgumentError(
                f"gradient(): argument 'input' has {shape_of(input)[axis]} points along dimension "
                f"{axis}; 'edge_order' {edge_order} needs at least {edge_order + 1}"
            )
    return [_slope(input, axis, step, edge_order) for axis, step in zip(dims, steps, strict=True)]


def _slope(input: Any, dim: int, step: Any, edge_order: int) -> Any:
    size = shape_of(input)[dim]
    if getattr(step, "ndim", 0):
        if shape_of(step) != (size,):
            raise ArgumentError(
                f"gradient(): argument 'spacing' has coordinates of shape {list(shape_of(step))} "
                f"for the {size} points along dimension {dim}"
            )
        along = (size - 1,) + (1,) * (len(shape_of(input)) - dim - 1)
        gaps = reshape(sub(_from(step, 0, 1, None), _from(step, 0, None, -1)), along)
        left, right = _from(gaps, 0, None, -1), _from(gaps, 0, 1, None)
        first = (_from(gaps, 0, None, 1), _from(gaps, 0, 1, 2))
        last = (_from(gaps, 0, -1, None), _from(gaps, 0, -2, -1))
    else:
        left = right = step
        first = last = (step, step)

    def at(start: int | None, stop: int | None) -> Any:
        return _from(input, dim, start, stop)

    parts = []
    if size > 2:
        middle = at(2, None) * (left / (right * (left + right)))
        middle = middle + at(1, -1) * ((right - left) / (left * right))
        parts = [middle - at(None, -2) * (right / (left * (left + right)))]
    begins = _edge(at(None, 1), at(1, 2), at(2, 3), first, edge_order)
    ends = _edge(at(-1, None), at(-2, -1), at(-3, -2), last, edge_order) * -1
    return cat([begins, *parts, ends], dim)


def _edge(one: Any, two: Any, three: Any, gaps: tuple[Any, Any], order: int) -> Any:
    """The derivative at the first of three points, from the first two or from all."""
    near, far = gaps
    if order == 1:
        return (two - one) / near
    both = near + far
    found = one * (-(near + both) / (near * both)) + two * (both / (near * far))
    return found - three * (near / (far * both))


def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral along a dimension by the trapezoidal rule; points are `dx` apart, or at `x`.

    >>> import minigrad
    >>> minigrad.trapezoid(minigrad.tensor([1.0, 2.0, 3.0]))
    tensor(4.)
    """
    areas, dim = _trapezoids("trapezoid", y, x, dx, dim)
    return total(areas, dim=dim)


trapz = trapezoid


def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integrals up to each point but the first, by the trapezoidal rule; see `trapezoid`."""
    areas, dim = _trapezoids("cumulative_trapezoid", y, x, dx, dim)
    return cumsum(areas, dim)


def _trapezoids(operation: str, y: Any, x: Any, dx: Any, dim: int) -> tuple[Any, int]:
    """The areas between neighbouring points, and the dimension that they lie along."""
    if x is not None and dx is not None:
        raise TypeError(f"{operation}(): give the points with 'x' or their distance with 'dx'")
    dim = wrap_dim(operation, dim, dimensions(operation, y))
    if not shape_of(y):
        raise IndexError(f"{operation}(): argument 'y' has no dimensions to integrate along")
    if y.dtype.kind == "b" or (x is not None and x.dtype.kind == "b"):
        raise DtypeError(f"{operation}(): arguments 'y' and 'x' must be numbers, not bool")
    heights = _from(y, dim, 1, None) + _from(y, dim, None, -1)
    if x is None:
        step = 1 if dx is None else dx
        return mul(heights, step / 2 if y.dtype.kind in "fc" else 0.5 * step), dim
    shape, points = shape_of(y), shape_of(x)
    if len(points) == 1 and points[0] == shape[dim]:
        x = reshape(x, points + (1,) * (len(shape) - dim - 1))
        along = 0
    else:
        along = len(points) - len(shape) + dim
    if along < 0 or shape_of(x)[along] != shape[dim]:
        raise ArgumentError(
            f"{operation}(): argument 'x' of shape {list(points)} must have a point for each of "
            f"the {shape[dim]} along dimension {dim} of 'y' of shape {list(shape)}"
        )
    gaps = sub(_from(x, along, 1, None), _from(x, along, None, -1))
    return mul(heights, gaps) / 2, dim
