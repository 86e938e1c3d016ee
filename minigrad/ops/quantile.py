"""Quantiles, the median of numbers beside NaN, and the most frequent element."""

from __future__ import annotations

from typing import Any

from minigrad.backend import as_array, backend_of
from minigrad.backend.levels import of_arrays
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, wrap
from minigrad.ops.dims import wrap_dim
from minigrad.ops.elementwise import lerp
from minigrad.ops.extremes import Selection, selection
from minigrad.ops.gather import gather, raw_of
from minigrad.ops.operands import is_followed
from minigrad.ops.reduce import dimensions
from minigrad.ops.select import ordered
from minigrad.ops.shape import flatten, movedim, reshape, unsqueeze
from minigrad.ops.sort import positions_in_order, sort

__all__ = ["mode", "nanmedian", "nanquantile", "quantile"]

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """The elements below which the parts `q` of all elements, or of a dimension, lie.

    `q` is a number from 0 to 1, or a vector of them, which becomes the first dimension of the
    result. Between two elements `interpolation` decides: "linear", "lower", "higher", "midpoint"
    or "nearest". Where there is a NaN it is the result. Raises DtypeError unless the input is
    float32 or float64.

    >>> import minigrad
    >>> minigrad.quantile(minigrad.tensor([0.0, 1.0, 4.0]), 0.75)
    tensor(2.5000)
    """
    return _quantile("quantile", input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Any:
    """As `quantile`, of the elements that are not NaN."""
    return _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)


def _quantile(
    operation: str,
    input: Any,
    q: Any,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
    without_nan: bool,
) -> Any:
    count = dimensions(operation, input)
    array = raw_of(input)
    if array.dtype.kind != "f" or array.dtype.itemsize < 4:
        raise DtypeError(
            f"{operation}(): argument 'input' has dtype {array.dtype}; it must be float32 or "
            f"float64, for example input.float()"
        )
    if not array.size:
        raise ArgumentError(f"{operation}(): argument 'input' has no elements")
    if interpolation not in _INTERPOLATIONS:
        raise ArgumentError(
            f"{operation}(): argument 'interpolation' is {interpolation!r}; it must be one of "
            f"{list(_INTERPOLATIONS)}"
        )
    parts = _parts(operation, array, q)
    if dim is None:
        kept: tuple[int, ...] = (1,) * count
        rows = flatten(input)
    else:
        axis = wrap_dim(operation, dim, count)
        kept = (*array.shape[:axis], 1, *array.shape[axis + 1 :]) if count else ()
        rows = movedim(input, axis, -1) if count else reshape(input, (1,))
    found = _interpolated(sort(rows).values, parts, interpolation, without_nan)
    found = movedim(found, -1, 0)
    rest = tuple(rows.shape[:-1])
    several = getattr(raw_of(q), "ndim", 0)
    lead = (raw_of(parts).size,) if several else ()
    return reshape(found, (*lead, *(kept if keepdim else rest)))


def _parts(operation: str, array: Any, q: Any) -> Any:
    """The argument `q` as a vector of the input's dtype."""
    raw = raw_of(q)
    if not hasattr(raw, "dtype"):
        if not isinstance(raw, (int, float)):
            raise TypeError(
                f"{operation}(): argument 'q' must be a number or a tensor, not {type(q).__name__}"
            )
        raw = q = backend_of(array).xp.full(1, raw, array.dtype)
    if raw.dtype != array.dtype:
        raise DtypeError(
            f"{operation}(): argument 'q' has dtype {raw.dtype} and 'input' {array.dtype}; convert "
            f"it, for example q.to(input.dtype)"
        )
    if raw.ndim > 1:
        raise ArgumentError(
            f"{operation}(): argument 'q' must be a number or a vector, it has shape "
            f"{list(raw.shape)}"
        )
    if raw.size and not bool(((raw >= 0) & (raw <= 1)).all()):
        raise ArgumentError(f"{operation}(): argument 'q' must hold numbers from 0 to 1")
    return reshape(q, (-1,))


def _interpolated(rows: Any, parts: Any, interpolation: str, without_nan: bool) -> Any:
    """The quantiles of rows in order, along the last dimension; NaN stands at their ends."""
    array = raw_of(rows)
    xp = backend_of(array).xp
    size = array.shape[-1]
    numbers = (array == array).sum(-1, keepdims=True)
    most = xp.maximum(numbers - 1, 0).astype(array.dtype)
    ranks = raw_of(parts) * (most if without_nan else size - 1)
    ranks = xp.broadcast_to(ranks, (*array.shape[:-1], ranks.shape[-1]))
    if not without_nan:
        ranks = xp.where(numbers < size, array.dtype.type(size - 1), ranks)
    if interpolation in ("lower", "higher", "nearest"):
        rounded = {"lower": xp.floor, "higher": xp.ceil, "nearest": xp.rint}[interpolation](ranks)
        return gather(rows, -1, _beside(rows, rounded.astype("int64")))
    low = xp.floor(ranks)
    below = gather(rows, -1, _beside(rows, low.astype("int64")))
    above = gather(rows, -1, _beside(rows, xp.ceil(ranks).astype("int64")))
    weight = xp.full(ranks.shape, 0.5, array.dtype) if interpolation == "midpoint" else ranks - low
    if interpolation == "linear" and is_followed(parts):
        # The value is the one above; the graph goes to `q`.
        slope = most if without_nan else xp.where(numbers < size, 0, most)
        weight = parts * slope.astype(array.dtype) + (weight - raw_of(parts) * slope)
    return lerp(below, above, weight if isinstance(weight, Traced) else _beside(rows, weight))


def _beside(value: Any, array: Any) -> Any:
    return wrap(value, as_array(array)) if isinstance(value, Traced) else array


def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle of the elements that are not NaN, the lower of two; along `dim`, with its place.

    NaN where there are no others.
    """
    if dim is None:
        flat = flatten(input)
        if not flat.shape[0]:
            raise ArgumentError("nanmedian(): argument 'input' has no elements")
        return nanmedian(flat, 0).values
    axis = wrap_dim("nanmedian", dim, dimensions("nanmedian", input))
    array = ordered("nanmedian", raw_of(input))
    if not array.ndim:
        return selection(input, positions_in_order("nanmedian", array, 0), 0, keepdim)
    if not array.shape[axis]:
        raise IndexError(
            f"nanmedian(): dimension {axis} has size 0: there is nothing to choose from"
        )
    order = positions_in_order("nanmedian", array, axis)
    numbers = (array == array).sum(axis, keepdims=True)
    rank = backend_of(array).xp.maximum(numbers - 1, 0) // 2
    return selection(input, gather(order, axis, rank).squeeze(axis), axis, keepdim)


def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Selection:
    """The most frequent element along a dimension, the smallest of several, and its last place.

    >>> import minigrad
    >>> minigrad.mode(minigrad.tensor([3, 1, 3, 1, 2])).values
    tensor(1)
    """
    axis = wrap_dim("mode", dim, dimensions("mode", input))
    array = ordered("mode", raw_of(input))
    if not array.ndim:
        return selection(input, positions_in_order("mode", array, 0), 0, keepdim)
    if not array.shape[axis]:
        raise IndexError(f"mode(): dimension {axis} has size 0: there is nothing to choose from")
    return selection(input, _most_frequent(array, axis), axis, keepdim)


@of_arrays
def _most_frequent(array: Any, axis: int) -> Any:
    """The last place of the most frequent element along a dimension of a raw array."""
    xp = backend_of(array).xp
    order = raw_of(movedim(positions_in_order("mode", array, axis), axis, -1))
    ranked = gather(raw_of(movedim(array, axis, -1)), -1, order)
    places = xp.broadcast_to(xp.arange(ranked.shape[-1]), ranked.shape)
    starts = xp.ones(ranked.shape, bool)
    starts[..., 1:] = ranked[..., 1:] != ranked[..., :-1]
    # How long the run of equals is up to each place: it is longest at a run's end.
    runs = places - _running_largest(xp, xp.where(starts, places, 0))
    best = unsqueeze(as_array(runs.argmax(-1)), -1)
    return gather(order, -1, best).squeeze(-1)


def _running_largest(xp: Any, values: Any) -> Any:
    """The largest so far along the last dimension, by doubling."""
    step = 1
    while step < values.shape[-1]:
        moved = values.copy()
        moved[..., step:] = values[..., :-step]
        values = xp.maximum(values, moved)
        step *= 2
    return values
