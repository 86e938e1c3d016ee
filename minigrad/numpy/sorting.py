"""Order: sorting, searching, ranks and quantiles, sets of unique elements, counts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from minigrad.numpy.base import (  # fmt: skip
    as_type,
    axes_of,
    axis_of,
    delivered,
    floating,
    lift,
    like_kinds,
    made,
    raw,
)
from minigrad.numpy.elementwise import isnan
from minigrad.numpy.indexing import along, where
from minigrad.numpy.joining import concatenate
from minigrad.numpy.manipulation import moveaxis, ravel, reshape
from minigrad.numpy.reductions import mean

__all__ = [
    "argpartition", "argsort", "bincount", "digitize", "histogram", "histogram_bin_edges",
    "intersect1d", "isin", "lexsort", "median", "nanmedian", "nanpercentile", "nanquantile",
    "partition", "percentile", "quantile", "searchsorted", "setdiff1d", "setxor1d", "sort",
    "sort_complex", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
]  # fmt: skip


def argsort(
    a: Any, /, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None,
    descending: bool = False,
) -> Any:  # fmt: skip
    """The positions that sort the elements along an axis; equal ones keep their order."""
    a = lift(a)
    if axis is None:
        a, axis = ravel(a), 0
    if not a.ndim:
        return made(numpy.argsort(raw(a).reshape(1)))
    return made(_places(a._array, axis_of(axis, a.ndim), descending))


def _places(array: Any, axis: int, descending: bool = False) -> Any:
    """The positions that sort a raw array; NumPy's order, in which NaN is the largest."""
    if not descending:
        return array.argsort(axis, kind="stable")
    turned = (slice(None),) * axis + (slice(None, None, -1),)
    return array.shape[axis] - 1 - array[turned].argsort(axis, kind="stable")[turned]


def sort(
    a: Any, /, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: Any = None,
    descending: bool = False,
) -> Any:  # fmt: skip
    """The elements in order along an axis, NaN last."""
    a = lift(a)
    if axis is None:
        a, axis = ravel(a), 0
    axis = axis_of(axis, a.ndim)
    return along(a, _places(a._array, axis, descending), axis)


def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None) -> Any:
    """The elements with the k-th smallest in its place, smaller ones before it: sorted here."""
    return sort(a, axis)


def argpartition(
    a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: Any = None
) -> Any:
    """The positions of `partition`: those of `argsort`."""
    return argsort(a, axis)


def sort_complex(a: Any) -> Any:
    """The elements as complex numbers, in order of the real and then the imaginary part."""
    a = lift(a)
    return sort(a if a.dtype.kind == "c" else a + 0j, -1)


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The positions that sort by several keys, the last of them first."""
    return made(numpy.lexsort(numpy.stack([raw(key) for key in keys]), axis))


def searchsorted(a: Any, v: Any, /, side: Any = "left", sorter: Any = None) -> Any:
    """Where each element would go in a sorted vector so that it stays sorted."""
    sorter = None if sorter is None else raw(sorter)
    found = numpy.searchsorted(raw(a), raw(v), side, sorter)
    return made(numpy.asarray(found))


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """The number of the bin that each element falls into."""
    return made(numpy.asarray(numpy.digitize(raw(x), raw(bins), right)))


def _ranked(operation: str, a: Any, axis: Any) -> tuple[Any, tuple[int, ...], int]:
    """The elements sorted along one last axis, which stands for those to be reduced."""
    a = floating(a)
    if a.dtype.kind == "c":
        raise TypeError(f"{operation}(): complex numbers have no order")
    axes = axes_of(axis, a.ndim)
    kept = tuple(size for n, size in enumerate(a._array.shape) if n not in axes)
    a = moveaxis(a, axes, tuple(range(a.ndim - len(axes), a.ndim)))
    a = reshape(a, (*kept, int(numpy.prod([1, *a._array.shape[len(kept) :]]))))
    return sort(a), axes, len(kept)


def _restored(result: Any, shape: Any, axes: tuple[int, ...], keepdims: Any, lead: int) -> Any:
    """The result with the reduced axes kept at size 1, behind `lead` new ones in front."""
    if not keepdims:
        return result
    sizes = [1 if n in axes else size for n, size in enumerate(shape)]
    return reshape(result, (*result._array.shape[:lead], *sizes))


def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    """The middle element, or the mean of the two in the middle."""
    given = lift(a)
    ranks, axes, _ = _ranked("median", given, axis)
    count = ranks._array.shape[-1]
    if not count:
        return delivered(mean(given, axis, keepdims=keepdims), out, True, "median")
    middle = mean(ranks[..., (count - 1) // 2 : count // 2 + 1], -1)
    result = where(isnan(ranks[..., -1]), ranks[..., -1], middle)
    return delivered(_restored(result, given._array.shape, axes, keepdims, 0), out, True, "median")


# Hyndman and Fan, "Sample quantiles in statistical packages", 1996: (alpha, beta) of the
# continuous definitions.
_PLOTTING = {
    "interpolated_inverted_cdf": (0.0, 1.0), "hazen": (0.5, 0.5), "weibull": (0.0, 0.0),
    "linear": (1.0, 1.0), "median_unbiased": (1 / 3, 1 / 3), "normal_unbiased": (3 / 8, 3 / 8),
}  # fmt: skip


def _rank(q: Any, count: int, method: str) -> Any:
    """The rank, counted from 0, of each quantile among `count` elements, perhaps between two."""
    if method in _PLOTTING:
        alpha, beta = _PLOTTING[method]
        return (count * q + (alpha + q * (1 - alpha - beta)) - 1).clip(0, count - 1)
    rank = (count - 1) * q
    if method == "lower":
        return numpy.floor(rank)
    if method == "higher":
        return numpy.ceil(rank)
    if method == "nearest":
        return numpy.rint(rank)
    if method == "midpoint":
        return (numpy.floor(rank) + numpy.ceil(rank)) / 2
    if method == "inverted_cdf":
        return (numpy.ceil(count * q) - 1).clip(0, count - 1)
    known = ", ".join([*_PLOTTING, "lower", "higher", "nearest", "midpoint", "inverted_cdf"])
    raise ValueError(f"quantile(): method {method!r} is not available; known are: {known}")


def quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The elements below which the parts `q` of all lie; between two, as `method` says."""
    if weights is not None:
        raise TypeError("quantile(): weights= is not available; repeat the elements instead")
    given, wanted = lift(a), raw(q).astype(float)
    if wanted.size and not ((wanted >= 0) & (wanted <= 1)).all():
        raise ValueError("Quantiles must be in the range [0, 1]")
    ranks, axes, _ = _ranked("quantile", given, axis)
    rank = _rank(wanted, ranks._array.shape[-1], method)
    low = numpy.floor(rank).astype(numpy.int64)
    part = as_type(made(numpy.asarray(rank - low)), ranks.dtype)
    high = numpy.minimum(low + 1, ranks._array.shape[-1] - 1)
    below, above = ranks[..., low], ranks[..., high]
    result = where(part == 0, below, below + (above - below) * part)
    last = ranks[..., -1:] if wanted.ndim else ranks[..., -1]
    last = reshape(last, (*last._array.shape, *(1,) * (wanted.ndim - 1))) if wanted.ndim else last
    result = where(isnan(last), last, result)
    if wanted.ndim:
        behind = tuple(range(result.ndim - wanted.ndim, result.ndim))
        result = moveaxis(result, behind, tuple(range(wanted.ndim)))
    result = _restored(result, given._array.shape, axes, keepdims, wanted.ndim)
    return delivered(result, out, True, "quantile")


def percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False, *, weights: Any = None,
) -> Any:  # fmt: skip
    """The elements below which `q` hundredths of all lie (see `quantile`)."""
    return quantile(a, raw(q) / 100, axis, out, overwrite_input, method, keepdims, weights=weights)


class UniqueAllResult(NamedTuple):
    """The unique elements, where each was first, where each element is among them, how often."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCountsResult(NamedTuple):
    """The unique elements and how often each occurs."""

    values: Any
    counts: Any


class UniqueInverseResult(NamedTuple):
    """The unique elements and where each element of the input is among them."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAllResult:
    """The unique elements in order; every NaN is one of its own."""
    x = lift(x)
    _, indices, inverse, counts = numpy.unique_all(raw(x))
    return UniqueAllResult(ravel(x)[indices], *map(made, (indices, inverse, counts)))


def unique_counts(x: Any, /) -> UniqueCountsResult:
    """The unique elements in order and how often each occurs."""
    found = unique_all(x)
    return UniqueCountsResult(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverseResult:
    """The unique elements in order and where each element of the input is among them."""
    found = unique_all(x)
    return UniqueInverseResult(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Any:
    """The unique elements in order."""
    return unique_all(x).values


def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False,
    return_counts: bool = False, axis: int | None = None, *, equal_nan: bool = True,
    sorted: bool = True,
) -> Any:  # fmt: skip
    """The unique elements, or slices along an axis, in order; behind them what is asked for."""
    ar = lift(ar)
    _, first, inverse, counts = numpy.unique(raw(ar), True, True, True, axis, equal_nan=equal_nan)
    flat = ravel(ar) if axis is None else ar
    values = flat[(*(slice(None),) * (axis_of(axis, ar.ndim) if axis is not None else 0), first)]
    asked = zip((return_index, return_inverse, return_counts), (first, inverse, counts))
    rest = [made(found) for wanted, found in asked if wanted]
    return (values, *rest) if rest else values


def union1d(ar1: Any, ar2: Any) -> Any:
    """The elements of either of two arrays, in order."""
    return unique(concatenate((ar1, ar2), axis=None))


def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    """The elements of both of two arrays, in order."""
    one, other = like_kinds(ar1, ar2)
    found, first, second = numpy.intersect1d(raw(one), raw(other), assume_unique, True)
    values = ravel(one)[first]
    return (values, made(first), made(second)) if return_indices else values


def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The elements of one array that are not in another."""
    ar1 = ravel(ar1) if assume_unique else unique(ar1)
    return ar1[numpy.isin(raw(ar1), raw(ar2), invert=True)]


def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    """The elements of exactly one of two arrays, in order."""
    parts = [ravel(a) if assume_unique else unique(a) for a in (ar1, ar2)]
    both = sort(concatenate(parts))
    array = raw(both)
    differs = numpy.concatenate(([True], array[1:] != array[:-1], [True]))
    return both[differs[1:] & differs[:-1]]


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *,
    kind: Any = None,
) -> Any:  # fmt: skip
    """Which elements are among those of another array."""
    return made(numpy.isin(raw(element), raw(test_elements), assume_unique, invert, kind=kind))


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer from 0 on occurs, or the sum of the weights that stand by it."""
    places = raw(x)
    if weights is None:
        return made(numpy.bincount(places, None, minlength))
    counts = numpy.bincount(places, None, minlength)
    result = made(numpy.zeros(counts.shape))
    weights = as_type(weights, float)
    return result.index_add(0, made(places.astype(numpy.int64)), weights)


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins of a histogram."""
    return made(numpy.histogram_bin_edges(raw(a), _bins(bins), range))


def _bins(bins: Any) -> Any:
    return bins if isinstance(bins, (int, str)) else raw(bins)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any]:
    """How many elements fall into each bin, or the sum of their weights; and the edges."""
    values = raw(a)
    edges = numpy.histogram_bin_edges(values, _bins(bins), range)
    if weights is None:
        return tuple(map(made, numpy.histogram(values, edges, density=density)))
    flat, weights = values.ravel(), ravel(weights)
    place = numpy.searchsorted(edges, flat, "right") - 1
    place = numpy.where(flat == edges[-1], len(edges) - 2, place)
    inside = (place >= 0) & (place < len(edges) - 1)
    total = bincount(place[inside], weights[inside], len(edges) - 1)
    if density:
        total = total / (total.sum() * numpy.diff(edges))
    return total, made(edges)


def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: Any = False
) -> Any:
    """The middle of the elements that are not NaN."""
    return nanquantile(a, 0.5, axis, out, keepdims=keepdims)


def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False,
) -> Any:  # fmt: skip
    """The elements below which `q` hundredths of those that are not NaN lie."""
    return nanquantile(a, raw(q) / 100, axis, out, overwrite_input, method, keepdims)


def nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False,
) -> Any:  # fmt: skip
    """The elements below which the parts `q` of those that are not NaN lie, row by row."""
    given, wanted = lift(a), raw(q).astype(float)
    ranks, axes, _ = _ranked("nanquantile", given, axis)
    lead = ranks._array.shape[:-1]
    rows = reshape(ranks, (-1, ranks._array.shape[-1]))
    found = []
    for number, count in enumerate((~numpy.isnan(raw(rows))).sum(-1).tolist()):
        row = rows[number, :count] if count else rows[number, :1]
        found.append(quantile(row, wanted, method=method))
    result = concatenate([part[None] for part in found]) if found else rows[:, :1]
    result = moveaxis(reshape(result, (*lead, *wanted.shape)), tuple(range(len(lead))),
                      tuple(range(wanted.ndim, wanted.ndim + len(lead))))  # fmt: skip
    result = _restored(result, given._array.shape, axes, keepdims, wanted.ndim)
    return delivered(result, out, True, "nanquantile")
