"""How often numbers occur: counts of integers, and histograms in one and several dimensions."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from minigrad import dtypes
from minigrad.backend import backend_of
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, wrap
from minigrad.ops.gather import raw_of
from minigrad.ops.ranges import linspace
from minigrad.ops.select import ordered

__all__ = ["bincount", "histc", "histogram", "histogramdd"]


class Histogram(NamedTuple):
    """Counts, or densities, and the edges of the bins that they were made in."""

    hist: Any
    bin_edges: Any


def _like(value: Any, array: Any) -> Any:
    return wrap(value, array) if isinstance(value, Traced) else array


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer from 0 on occurs in a vector, or the sum of its weights.

    int64; with weights float32 where these are, else float64. No gradient goes to the weights.
    Raises ArgumentError for a negative number, or weights of another shape.

    >>> import minigrad
    >>> minigrad.bincount(minigrad.tensor([1, 3, 1]))
    tensor([0, 2, 0, 1])
    """
    raw, given = raw_of(input), raw_of(weights)
    if raw.dtype.kind not in "iu":
        raise DtypeError(f"bincount(): argument 'input' must hold integers, it has {raw.dtype}")
    if raw.ndim != 1 or (raw.size and int(raw.min()) < 0):
        raise ArgumentError(
            f"bincount(): argument 'input' must be a vector without negative numbers, it has shape "
            f"{list(raw.shape)}"
        )
    if given is not None and given.shape != raw.shape:
        raise ArgumentError(
            f"bincount(): argument 'weights' has shape {list(given.shape)} and 'input' "
            f"{list(raw.shape)}; they must be equal"
        )
    if minlength < 0:
        raise ArgumentError(f"bincount(): argument 'minlength' is {minlength}, below zero")
    if not raw.size:
        return _like(input, backend_of(raw).xp.zeros(minlength, "int64"))
    length = max(minlength, int(raw.max()) + 1)
    if given is None:
        return _like(input, _sums(raw, None, length, dtypes.int64))
    kind = dtypes.float32 if given.dtype == dtypes.float32 else dtypes.float64
    return _like(input, _sums(raw, given.astype(kind), length, kind))


def _sums(places: Any, weights: Any, length: int, dtype: Any) -> Any:
    """The sums of the weights, or the counts, at each of `length` places."""
    backend = backend_of(places)
    out = backend.xp.zeros(length, dtype)
    if weights is None:
        weights = backend.xp.ones(places.shape, dtype)
    backend.scatter_add(out, (places,), weights)
    return out


def _limits(operation: str, array: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The range of a histogram: that of the data where none is given."""
    if low > high:
        raise ArgumentError(f"{operation}(): the range's end {high} is below its start {low}")
    if low == high and array.size:
        low, high = array.min().item(), array.max().item()
    if not abs(low) < float("inf") or not abs(high) < float("inf"):
        raise ArgumentError(f"{operation}(): the range from {low} to {high} is not finite")
    return (low - 1, high + 1) if low == high else (low, high)


def histc(input: Any, bins: int = 100, min: Any = 0, max: Any = 0) -> Any:
    """How many elements fall into each of `bins` equal parts of the range from `min` to `max`.

    Where both are equal the range is that of the data. Elements outside are not counted. The
    counts have the input's dtype. Raises ArgumentError for no bins, or a range that is not finite.
    """
    array = ordered("histc", raw_of(input))
    if array.dtype.kind == "b":
        raise DtypeError("histc(): argument 'input' is bool; convert it first, with input.int()")
    if bins < 1:
        raise ArgumentError(f"histc(): argument 'bins' is {bins}; it must be above zero")
    low, high = _limits("histc", array, raw_of(min), raw_of(max))
    xp = backend_of(array).xp
    flat = array.reshape(-1)
    flat = flat[(flat >= low) & (flat <= high)]
    wide = flat.astype("float64") if flat.dtype.kind != "f" else flat
    places = ((wide - low) * (bins / (high - low))).astype("int64")
    return _like(input, _sums(xp.minimum(places, bins - 1), None, bins, array.dtype))


def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Histogram:
    """A histogram of all elements: the fields `hist` and `bin_edges`.

    `bins` is a number of equal bins, over `range` or that of the data, or the vector of their
    edges. A bin holds its left edge, the last one its right edge too. With `density` the sums of
    the weights are divided by their total and by the bins' widths.

    >>> import minigrad
    >>> minigrad.histogram(minigrad.tensor([1.0, 2.0, 1.0]), 2).hist
    tensor([2., 1.])
    """
    array = _floats("histogram", input)
    column = array.reshape(-1, 1)
    many = isinstance(bins, int)
    hist, edges = _histogram(
        "histogram", column, [bins], range, raw_of(weight), array.shape, density
    )
    if not many and raw_of(bins).ndim != 1:
        raise ArgumentError("histogram(): argument 'bins' must be a number or a vector of edges")
    return Histogram(_like(input, hist), _like(input, edges[0]))


def histogramdd(
    input: Any, bins: Any, range: Any = None, weight: Any = None, density: bool = False
) -> Histogram:
    """A histogram of points, whose coordinates are the last dimension: `hist` and `bin_edges`.

    `bins` is one number of bins, or one for each coordinate, or the edges for each; `range` the
    least and the largest of each coordinate, one after the other.
    """
    array = _floats("histogramdd", input)
    if array.ndim < 2:
        raise ArgumentError(
            f"histogramdd(): argument 'input' must have at least 2 dimensions, it has {array.ndim}"
        )
    count = array.shape[-1]
    each = [bins] * count if isinstance(bins, int) else list(bins)
    if len(each) != count:
        raise ArgumentError(
            f"histogramdd(): argument 'bins' has {len(each)} entries, the points have {count} "
            f"coordinates"
        )
    points = array.reshape(-1, count) if array.size else array.reshape(0, count)
    hist, edges = _histogram(
        "histogramdd", points, each, range, raw_of(weight), array.shape[:-1], density
    )
    return Histogram(_like(input, hist), tuple(_like(input, edge) for edge in edges))


def _floats(operation: str, input: Any) -> Any:
    array = raw_of(input)
    if array.dtype.kind != "f":
        raise DtypeError(
            f"{operation}(): argument 'input' has dtype {array.dtype}; it must be floating, for "
            f"example input.float()"
        )
    return array


def _histogram(
    operation: str,
    points: Any,
    bins: list[Any],
    range: Any,
    weight: Any,
    shape: tuple[int, ...],
    density: bool,
) -> tuple[Any, list[Any]]:
    """The histogram of points, one a row, and the edges along each coordinate."""
    xp = backend_of(points).xp
    if weight is not None and (weight.shape != shape or weight.dtype != points.dtype):
        raise ArgumentError(
            f"{operation}(): argument 'weight' is {weight.dtype}{list(weight.shape)}; it must be "
            f"{points.dtype}{list(shape)}"
        )
    if range is not None and len(range) != 2 * len(bins):
        raise ArgumentError(
            f"{operation}(): argument 'range' has {len(range)} entries; {2 * len(bins)} are needed"
        )
    edges = []
    inside = xp.ones(len(points), bool)
    place = xp.zeros(len(points), "int64")
    for axis, wanted in enumerate(bins):
        column = points[:, axis]
        low, high = (0, 0) if range is None else range[2 * axis : 2 * axis + 2]
        edge = _edges(operation, points, column, wanted, low, high, range is not None)
        found = xp.searchsorted(edge, column, "right") - 1
        found = xp.where(column == edge[-1], edge.size - 2, found)
        # Edges that are not in order are not refused, as in torch.
        inside &= (column >= edge[0]) & (column <= edge[-1])
        found = xp.minimum(xp.maximum(found, 0), edge.size - 2)
        place = place * (edge.size - 1) + found
        edges.append(edge)
    sizes = tuple(edge.size - 1 for edge in edges)
    weights = None if weight is None else weight.reshape(-1)[inside]
    hist = _sums(place[inside], weights, prod(sizes), points.dtype).reshape(sizes)
    if density:
        hist = hist / hist.sum()
        for axis, edge in enumerate(edges):
            behind = (1,) * (len(edges) - axis - 1)
            hist = hist / (edge[1:] - edge[:-1]).reshape(-1, *behind)
    return hist, edges


def _edges(
    operation: str, like: Any, column: Any, bins: Any, low: Any, high: Any, given: bool
) -> Any:
    """The edges of the bins along one coordinate."""
    if not isinstance(bins, int):
        edges = raw_of(bins)
        if edges.dtype != like.dtype:
            raise DtypeError(
                f"{operation}(): argument 'bins' has dtype {edges.dtype} and 'input' {like.dtype}"
            )
        return edges.reshape(-1)
    if bins < 1:
        raise ArgumentError(f"{operation}(): argument 'bins' is {bins}; it must be above zero")
    if not given and not column.size:
        low, high = 0.0, 1.0
    if given:
        if low > high or not abs(low) < float("inf") or not abs(high) < float("inf"):
            raise ArgumentError(
                f"{operation}(): argument 'range' is from {low} to {high}; it must be finite and "
                f"in order"
            )
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    elif column.size:
        low, high = column.min().item(), column.max().item()
        low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    backend = backend_of(like)
    made = linspace(low, high, bins + 1, dtype=like.dtype)._array
    return backend.from_numpy(made, backend.device_of(like))
