"""Sums, means and maxima of the rows of a table that bags of indices name."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops import extremes
from minigrad.ops.elementwise import mul
from minigrad.ops.embedding import embedding
from minigrad.ops.half import in_single
from minigrad.ops.index import getitem, getitem_grad
from minigrad.ops.reduce import mean, sum
from minigrad.ops.select import where
from minigrad.ops.shape import reshape
from minigrad.ops.windows import raw

__all__: list[str] = []

_OPERATION = "embedding_bag"


def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or largest of the rows of `weight` that each bag names.

    The bags are the rows of a 2-d `input`; those of a 1-d one start at `offsets`, which with
    `include_last_offset` end with the length. Rows `padding_idx` do not count and get no gradient;
    a bag of none gives zeros. `per_sample_weights`, shaped as the input, weigh the rows of a sum.

    Raises ArgumentError for a mode, offsets or weights that do not fit, IndexError for an index
    that is no row.
    """
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(
            f"{_OPERATION}(): argument 'mode' must be 'sum', 'mean' or 'max', got {mode!r}"
        )
    if mode == "max" and scale_grad_by_freq:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'scale_grad_by_freq' has no meaning in mode 'max'"
        )
    _check_sample_weights(input, weight, per_sample_weights, mode)
    if padding_idx is not None and not -len(weight) <= padding_idx < len(weight):
        raise ArgumentError(
            f"{_OPERATION}(): argument 'padding_idx' is {padding_idx}, but argument 'weight' has "
            f"only {len(weight)} rows"
        )
    if input.ndim == 2 and offsets is None:
        bags, longest = input.shape
    elif input.ndim == 1 and offsets is not None:
        bags, longest = len(offsets) - bool(include_last_offset), None
    else:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'input' must be 2-d, or 1-d with argument 'offsets', got "
            f"shape {list(input.shape)} {'without' if offsets is None else 'with'} 'offsets'"
        )
    flat = reshape(input, (-1,))
    rows = embedding(flat, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    counted = None
    if padding_idx is not None:
        counted = which_count(raw(flat), padding_idx % len(weight))
    if longest is not None and counted is None and bags and longest:
        return _of_rows(rows, per_sample_weights, bags, mode)
    if longest is None:
        check_offsets(raw(offsets), flat.shape[0], include_last_offset)
        bag_of, place_in = bags_by_offsets(raw(flat), raw(offsets), bags)
    else:
        bag_of, place_in = bags_by_rows(raw(flat), bags)
    if per_sample_weights is not None:
        per_sample_weights = reshape(per_sample_weights, (-1, 1))
    return _pooled(rows, per_sample_weights, bags, bag_of, place_in, counted, mode)


def _check_sample_weights(input: Any, weight: Any, per_sample_weights: Any, mode: str) -> None:
    if per_sample_weights is None:
        return
    if mode != "sum":
        raise ArgumentError(
            f"{_OPERATION}(): argument 'per_sample_weights' needs mode='sum', got {mode!r}"
        )
    if tuple(per_sample_weights.shape) != tuple(input.shape):
        raise ArgumentError(
            f"{_OPERATION}(): argument 'per_sample_weights' must have the shape "
            f"{list(input.shape)} of argument 'input', got {list(per_sample_weights.shape)}"
        )
    if per_sample_weights.dtype != weight.dtype:
        raise DtypeError(
            f"{_OPERATION}(): argument 'per_sample_weights' is {per_sample_weights.dtype} and "
            f"argument 'weight' is {weight.dtype}; convert it, for example "
            f"per_sample_weights.to(weight.dtype)"
        )


def check_offsets(offsets: Any, length: int, with_last: bool) -> None:
    """Raise ArgumentError unless raw offsets cut `length` positions into bags."""
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu":
        raise ArgumentError(
            f"{_OPERATION}(): argument 'offsets' must be 1-d integers, got {offsets.dtype} of "
            f"shape {list(offsets.shape)}"
        )
    starts = offsets.tolist()
    if not starts or starts[0] != 0 or any(b < a for a, b in pairwise([*starts, length])):
        raise ArgumentError(
            f"{_OPERATION}(): argument 'offsets' must start with 0 and rise to at most {length}, "
            f"got {starts}"
        )
    if with_last and starts[-1] != length:
        raise ArgumentError(
            f"{_OPERATION}(): with include_last_offset the last of 'offsets' is the length "
            f"{length}, got {starts[-1]}"
        )


def which_count(index: Any, padding: int) -> Any:
    """Which raw indices are not the padding."""
    return index != padding


def bags_by_offsets(index: Any, offsets: Any, bags: int) -> tuple[Any, Any]:
    """Of each raw index the bag and the place in it, where offsets say where bags begin."""
    xp = namespace(_OPERATION, input=index)
    places = xp.arange(index.size)
    bag_of = xp.searchsorted(offsets[:bags], places, side="right") - 1
    return bag_of, places - offsets[bag_of]


def bags_by_rows(index: Any, bags: int) -> tuple[Any, Any]:
    """Of each raw index the bag and the place in it, where all bags are equally long."""
    xp = namespace(_OPERATION, input=index)
    length = index.size // bags if bags else 0
    return xp.repeat(xp.arange(bags), length), xp.tile(xp.arange(length), bags)


def bag_sizes(bag_of: Any, counted: Any, bags: int, dtype: Any) -> Any:
    """How many rows each bag has, at least one, as a raw column."""
    xp = namespace(_OPERATION, input=bag_of)
    share = xp.ones(len(bag_of)) if counted is None else counted.astype(float)
    counts = xp.bincount(bag_of, weights=share, minlength=bags)
    return xp.maximum(counts, 1).astype(dtype)[:, None]


@in_single
def _of_rows(rows: Any, weights: Any, bags: int, mode: str) -> Any:
    """The rows put together of bags that are equally long."""
    apart = reshape(rows, (bags, -1, rows.shape[-1]))
    if mode == "max":
        return extremes.max(apart, 1)[0]
    if weights is not None:
        apart = mul(apart, reshape(weights, (bags, -1, 1)))
    return mean(apart, 1) if mode == "mean" else sum(apart, 1)


@in_single
def _pooled(
    rows: Any, weights: Any, bags: int, bag_of: Any, place_in: Any, counted: Any, mode: str
) -> Any:
    """The rows of each bag put together."""
    if mode == "max":
        return _largest(rows, bags, bag_of, place_in, counted)
    if weights is not None:
        rows = mul(rows, weights)
    if counted is not None:
        rows = where(counted[:, None], rows, 0.0)
    total = getitem_grad(rows, index=(bag_of,), size=(bags, rows.shape[1]))
    return total if mode == "sum" else total / bag_sizes(bag_of, counted, bags, rows.dtype)


def _largest(rows: Any, bags: int, bag_of: Any, place_in: Any, counted: Any) -> Any:
    """The largest of each bag's rows, column by column; zeros for a bag of none."""
    xp = namespace(_OPERATION, input=bag_of)
    longest = int(place_in.max()) + 1 if place_in.size else 0
    if not longest:
        return getitem_grad(rows, index=(bag_of,), size=(bags, rows.shape[1]))
    # Every bag as long as the longest: what is not there is the first row, hidden.
    table = xp.zeros((bags, longest), xp.int64)
    seen = xp.zeros((bags, longest), bool)
    table[bag_of, place_in] = xp.arange(len(bag_of))
    seen[bag_of, place_in] = True if counted is None else counted
    apart = where(seen[:, :, None], getitem(rows, index=(table,)), -inf)
    best = extremes.max(apart, 1)[0]
    return where(seen.any(1)[:, None], best, 0.0)
