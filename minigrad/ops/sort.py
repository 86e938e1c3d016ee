"""Sorting and what rests on it: order, ranks, the k largest, unique elements, searching."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend import as_array, namespace
from minigrad.backend.levels import of_arrays
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, wrap
from minigrad.ops.dims import wrap_dim
from minigrad.ops.extremes import Selection, selection, take_along
from minigrad.ops.promotion import agree
from minigrad.ops.reduce import dimensions
from minigrad.ops.select import ordered

__all__ = [
    "argsort", "bucketize", "kthvalue", "median", "msort", "searchsorted", "sort", "topk", "unique",
]  # fmt: skip


def _raw(value: Any) -> Any:
    return value._array if isinstance(value, Traced) else value


def _like(value: Any, array: Any) -> Any:
    array = as_array(array)
    return wrap(value, array) if isinstance(value, Traced) else array


@of_arrays
def positions_in_order(operation: str, array: Any, axis: int, descending: bool = False) -> Any:
    """The positions that sort a raw array, equal elements in the order they had; NaN is largest."""
    xp = namespace(operation, input=ordered(operation, array))
    if not array.ndim:
        return xp.zeros((), dtypes.int64)
    if not descending:
        return xp.argsort(array, axis, kind="stable")
    # Turned round twice, so that equal elements keep their order.
    turned = (slice(None),) * axis + (slice(None, None, -1),)
    return array.shape[axis] - 1 - xp.argsort(array[turned], axis, kind="stable")[turned]


def sort(
    input: Any, dim: int = -1, descending: bool = False, stable: bool | None = False
) -> Selection:
    """The elements in order along a dimension, and where each was: fields `values` and `indices`.

    Equal elements keep their order, whatever `stable` says. NaN counts as the largest.

    >>> import minigrad
    >>> minigrad.sort(minigrad.tensor([3, 1, 2])).values
    tensor([1, 2, 3])
    """
    axis = wrap_dim("sort", dim, dimensions("sort", input))
    order = positions_in_order("sort", _raw(input), axis, descending)
    return Selection(take_along(input, indices=order, dim=axis), _like(input, order))


def argsort(
    input: Any, dim: int = -1, descending: bool = False, stable: bool | None = False
) -> Any:
    """The positions that sort the elements along a dimension."""
    axis = wrap_dim("argsort", dim, dimensions("argsort", input))
    return _like(input, positions_in_order("argsort", _raw(input), axis, descending))


def msort(input: Any) -> Any:
    """The elements in order along the first dimension."""
    return sort(input, 0).values


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Selection:
    """The k largest (or smallest) elements along a dimension, in order, and where they are."""
    axis = wrap_dim("topk", dim, dimensions("topk", input))
    array = ordered("topk", _raw(input))
    if array.dtype.kind == "b":
        raise DtypeError("topk(): argument 'input' is bool; convert it first, with input.int()")
    size = array.shape[axis] if array.ndim else 1
    if not 0 <= k <= size:
        raise ArgumentError(
            f"topk(): argument 'k' is {k}; dimension {dim} of 'input' of shape "
            f"{list(array.shape)} has {size} elements to take from"
        )
    order = _first("topk", array, axis, k, largest)
    return Selection(take_along(input, indices=order, dim=axis), _like(input, order))


@of_arrays
def _first(operation: str, array: Any, axis: int, k: int, largest: bool) -> Any:
    """The positions of the k largest or smallest elements of a raw array, in order."""
    if array.ndim == 0:
        return positions_in_order(operation, array, axis, largest)
    size = array.shape[axis]
    before = (slice(None),) * axis
    if k >= size // 8:
        return positions_in_order(operation, array, axis, largest)[(*before, slice(0, k))]
    # Of many elements the k are found first, and only they are sorted.
    first = array.argpartition(size - k if largest else k, axis)
    first = first[(*before, slice(size - k, None) if largest else slice(0, k))]
    first.sort(axis)
    within = positions_in_order(
        operation, take_along(array, indices=first, dim=axis), axis, largest
    )
    return take_along(first, indices=within, dim=axis)


def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Selection:
    """The k-th smallest element along a dimension, counted from 1, and where it is."""
    axis = wrap_dim("kthvalue", dim, dimensions("kthvalue", input))
    array = _raw(input)
    size = array.shape[axis] if array.ndim else 1
    if not 1 <= k <= size:
        raise ArgumentError(
            f"kthvalue(): argument 'k' is {k}; dimension {dim} of 'input' of shape "
            f"{list(array.shape)} has {size} elements, so k must be 1 to {size}"
        )
    return _ranked("kthvalue", input, axis, k - 1, keepdim)


def _ranked(operation: str, input: Any, axis: int, rank: int, keepdim: bool) -> Selection:
    return selection(input, _place(operation, _raw(input), axis, rank), axis, keepdim)


def _place(operation: str, array: Any, axis: int, rank: int) -> Any:
    """Where along a dimension of a raw array the element of a rank is."""
    order = positions_in_order(operation, array, axis, False)
    return as_array(order[(slice(None),) * axis + (rank,)] if order.ndim else order)


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle element, the lower of two; along `dim`, with its position.

    Where there is a NaN it is the result.
    """
    if dim is None:
        flat = input.reshape(-1)
        if not flat.shape[0]:
            raise ArgumentError("median(): argument 'input' has no elements")
        return median(flat, 0).values
    axis = wrap_dim("median", dim, dimensions("median", input))
    array = ordered("median", _raw(input))
    size = array.shape[axis] if array.ndim else 1
    if not size:
        raise IndexError(f"median(): dimension {dim} has size 0: there is nothing to choose from")
    return selection(input, _middle("median", array, axis), axis, keepdim)


def _middle(operation: str, array: Any, axis: int) -> Any:
    """Where along a dimension of a raw array the lower middle is, or the first NaN."""
    index = _place(operation, array, axis, (array.shape[axis] - 1) // 2 if array.ndim else 0)
    if array.dtype.kind == "f" and array.ndim:
        missing = array != array
        index = (missing.argmax(axis) * missing.any(axis)) + index * ~missing.any(axis)
    return as_array(index)


def unique(
    input: Any,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The different elements in order, or the different slices along `dim`.

    With `return_inverse` also where each element of the input is among them, with `return_counts`
    how often each occurs.
    """
    array = ordered("unique", _raw(input))
    if dim is None:
        flat = array.reshape(-1)
        order = positions_in_order("unique", flat, 0, False)
        ranked = flat[order]
        starts = _starts(ranked[1:] != ranked[:-1], order)
        found = ranked[starts]
    else:
        axis = wrap_dim("unique", dim, dimensions("unique", input))
        forward = (axis, *(other for other in range(array.ndim) if other != axis))
        sizes = [array.shape[other] for other in forward]
        rows = array.transpose(forward).reshape(sizes[0], math.prod(sizes[1:]))
        order = _lexicographic(rows)
        ranked = rows[order]
        starts = _starts((ranked[1:] != ranked[:-1]).any(1), order)
        found = array.take(order[starts], axis)
    results = [_like(input, found)]
    if return_inverse:
        inverse = order * 0
        inverse[order] = starts.cumsum() - 1
        results.append(_like(input, inverse.reshape(array.shape) if dim is None else inverse))
    if return_counts:
        places = starts.nonzero()[0]
        counts = places * 0 + len(order)
        counts[:-1] = places[1:]
        results.append(_like(input, counts - places))
    return results[0] if len(results) == 1 else tuple(results)


def _starts(differs: Any, order: Any) -> Any:
    """Where in the sorted elements a new one starts."""
    starts = order == order
    starts[1:] = differs
    return starts


def _lexicographic(rows: Any) -> Any:
    """The positions that sort rows, their first elements first."""
    xp = namespace("unique", input=rows)
    return xp.lexsort(rows.T[::-1]) if rows.shape[1] else xp.arange(len(rows))


def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each element would go in a sorted sequence so that it stays sorted.

    The sequence is one vector, or has a row for each row of the input. `right` (or `side`)
    places an element after those that equal it.
    """
    if side not in (None, "left", "right") or (side == "left" and right):
        raise ArgumentError(
            f"searchsorted(): argument 'side' must be 'left' or 'right' and agree with 'right'; "
            f"got side={side!r}, right={right}"
        )
    given = input
    if isinstance(sorted_sequence, Traced) and not hasattr(input, "dtype"):
        sequence, values = agree(
            "searchsorted", {"sorted_sequence": sorted_sequence, "input": input}
        )
        input = _raw(sequence).dtype.type(input) if not hasattr(values, "dtype") else _raw(values)
    sequence, values = _raw(sorted_sequence), _raw(input)
    if sorter is not None:
        sequence = take_along(sequence, indices=_raw(sorter), dim=sequence.ndim - 1)
    if sequence.ndim != 1 and sequence.shape[:-1] != values.shape[:-1]:
        raise ArgumentError(
            f"searchsorted(): argument 'sorted_sequence' of shape {list(sequence.shape)} must be a "
            f"vector, or have the leading dimensions of 'input' of shape {list(values.shape)}"
        )
    place = "right" if right or side == "right" else "left"
    found = as_array(_search(sequence, values, place))
    like = given if isinstance(given, Traced) else sorted_sequence
    return _like(like, found.astype(dtypes.int32 if out_int32 else dtypes.int64))


def _search(sequence: Any, values: Any, side: str) -> Any:
    xp = namespace("searchsorted", input=sequence)
    if sequence.ndim == 1:
        return xp.searchsorted(sequence, values, side)
    count = math.prod(sequence.shape[:-1])
    rows = sequence.reshape(count, sequence.shape[-1])
    wanted = values.reshape(count, values.shape[-1])
    found = wanted.astype(dtypes.int64)
    for row in range(len(rows)):
        found[row] = xp.searchsorted(rows[row], wanted[row], side)
    return found.reshape(values.shape)


def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the bucket between sorted boundaries that each element falls into."""
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
