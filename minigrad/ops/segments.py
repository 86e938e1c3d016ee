"""Elements combined where an index sends them: sums, means, products and extremes of each group."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration, Traced, primitive, wrap
from minigrad.ops.dims import shape_of
from minigrad.ops.elementwise import floor_divide
from minigrad.ops.expand import expand
from minigrad.ops.gather import raw_of, scatter_parts, slices
from minigrad.ops.index import getitem, put, same_dtype
from minigrad.ops.promotion import convert
from minigrad.ops.scan import shift
from minigrad.ops.select import where
from minigrad.ops.shape import clone, flatten, reshape

__all__ = ["index_reduce", "scatter_reduce"]


class Groups(NamedTuple):
    """Positions in order: who comes when, the rank in the own group, where each group ends."""

    order: Any
    rank: Any
    last: Any
    targets: Any


def _groups(positions: Any) -> Groups:
    """The groups that raw positions, at least one, make."""
    xp = backend_of(positions).xp
    count = positions.size
    order = xp.argsort(positions, kind="stable")
    ranked = positions[order]
    starts = xp.ones(count, bool)
    starts[1:] = ranked[1:] != ranked[:-1]
    places = xp.arange(count)
    first = xp.nonzero(starts)[0]
    rank = places - first[xp.cumsum(starts) - 1]
    ends = xp.ones(count, bool)
    ends[:-1] = starts[1:]
    last = xp.nonzero(ends)[0]
    return Groups(order, rank, last, ranked[last])


def _products(values: Any, groups: Groups) -> Any:
    """The product of each group.

    Made by doubling: after k rounds an element holds the product of up to 2 ** k of its group.
    Without division, so that zeros do no harm, however often it is differentiated.
    """
    dtype = values.dtype
    values = getitem(values, index=(groups.order,))
    longest = int(groups.rank.max()) + 1
    step = 1
    while step < longest:
        before = shift(values, by=step, dim=0, fill=1)
        values = convert(values * where(groups.rank >= step, before, 1), dtype)
        step *= 2
    return getitem(values, index=(groups.last,))


def _extreme_rule(
    g: Any, input: Any, source: Any, out: Any, positions: Any, include_self: bool
) -> Any:
    own, others = _extreme_shares(input, source, out, positions=positions, include=include_self)
    return g * own, getitem(g, index=(positions,)) * others


@primitive(joint=_extreme_rule)
def _extreme_at(
    xp: Any, input: Any, source: Any, *, positions: Any, largest: bool, include_self: bool
) -> Any:
    """A copy of a vector with the extreme of each group of the source at its position."""
    choose = xp.maximum if largest else xp.minimum
    groups = _groups(positions)
    values = source[groups.order]
    longest = int(groups.rank.max()) + 1
    step = 1
    while step < longest:
        before = values.copy()
        before[step:] = values[:-step]
        values = xp.where(groups.rank >= step, choose(values, before), values)
        step *= 2
    found = values[groups.last]
    out = input.copy()
    out[groups.targets] = choose(found, input[groups.targets]) if include_self else found
    return out


@Declaration(outputs=2)()
def _extreme_shares(
    xp: Any, input: Any, source: Any, extreme: Any, *, positions: Any, include: bool
) -> Any:
    """The shares of input and source in the gradient of the extremes: even among equals."""
    others = _equal(source, extreme[positions]).astype(input.dtype)
    own = xp.ones(input.shape, input.dtype)
    own[positions] = 0
    if include:
        own = xp.maximum(own, _equal(input, extreme).astype(input.dtype))
    count = own.copy()
    backend_of(count).scatter_add(count, (positions,), others)
    return own / xp.maximum(count, 1), others / count[positions]


def _equal(values: Any, extreme: Any) -> Any:
    return (values == extreme) | ((values != values) & (extreme != extreme))


def _reduced(input: Any, source: Any, positions: Any, reduce: str, include_self: bool) -> Any:
    """A copy of a vector with a vector's groups combined into it at raw positions."""
    if not positions.size:
        return clone(input)
    if reduce in ("amax", "amin"):
        return _extreme_at(
            input,
            source,
            positions=positions,
            largest=reduce == "amax",
            include_self=include_self,
        )
    if reduce == "prod":
        groups = _groups(positions)
        made = _products(source, groups)
        if include_self:
            made = made * getitem(input, index=(groups.targets,))
        return put(input, made, index=(groups.targets,))
    start = input if include_self else put(input, 0, index=(positions,))
    total = put(start, source, index=(positions,), accumulate=True)
    return total if reduce == "sum" else _shared(total, positions, include_self)


def _shared(total: Any, positions: Any, include_self: bool) -> Any:
    """Sums divided by how many there were; rounded down among integers."""
    raw = raw_of(total)
    xp = backend_of(raw).xp
    count = (xp.ones if include_self else xp.zeros)(raw.shape, "int64")
    backend_of(count).scatter_add(count, (positions,), xp.ones(positions.shape, "int64"))
    count = xp.maximum(count, 1).astype(raw.dtype)
    divisor = wrap(total, count) if isinstance(total, Traced) else count
    return total / divisor if raw.dtype.kind in "fc" else floor_divide(total, divisor)


def combined(
    input: Any, source: Any, index: tuple[Any, ...], reduce: str, include_self: bool
) -> Any:
    """A copy with the source, broadcast, combined into it at an index that may repeat positions."""
    array = raw_of(input)
    places = backend_of(array).xp.arange(prod(array.shape)).reshape(array.shape)[index]
    values = flatten(source if shape_of(source) == places.shape else expand(source, places.shape))
    made = _reduced(flatten(input), values, places.reshape(-1), reduce, include_self)
    return reshape(made, array.shape)


def scatter_reduce(
    input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """A copy with the elements of `src` combined into it at `index` along a dimension.

    `reduce` is "sum", "prod", "mean", "amax" or "amin"; without `include_self` the elements that
    are met do not count themselves. Integer means are rounded down. Equal extremes share the
    gradient evenly. Raises as `scatter` does.

    >>> import minigrad
    >>> x, index = minigrad.zeros(2), minigrad.tensor([0, 0, 1])
    >>> minigrad.scatter_reduce(x, 0, index, minigrad.tensor([1.0, 2.0, 3.0]), "sum")
    tensor([3., 3.])
    """
    _check_reduce("scatter_reduce", reduce, ("sum", "prod", "mean", "amax", "amin"))
    if not hasattr(src, "dtype"):
        raise TypeError(
            f"scatter_reduce(): argument 'src' must be a Tensor, not {type(src).__name__}"
        )
    target, source, grid = scatter_parts("scatter_reduce", input, dim, index, src)
    return reshape(combined(target, source, grid, reduce, include_self), shape_of(input))


def index_reduce(
    input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True
) -> Any:
    """A copy with slices of `source` combined into it at the positions of a 1-d index.

    `reduce` is "prod", "mean", "amax" or "amin"; see `scatter_reduce`.
    """
    _check_reduce("index_reduce", reduce, ("prod", "mean", "amax", "amin"))
    dim, raw = slices("index_reduce", input, dim, index)
    same_dtype("index_reduce", input, source, "source")
    shape = shape_of(input)
    wanted = (*shape[:dim], raw.size, *shape[dim + 1 :]) if shape else ()
    if shape_of(source) != wanted and (prod(shape_of(source)) != 1 or len(shape) > 1):
        raise ArgumentError(
            f"index_reduce(): argument 'source' has shape {list(source.shape)}; {raw.size} "
            f"positions along dimension {dim} of shape {list(shape)} need {list(wanted)}"
        )
    target = input if shape else reshape(input, (1,))
    source = reshape(source, wanted or (1,))
    made = combined(target, source, (slice(None),) * dim + (raw,), reduce, include_self)
    return made if shape else reshape(made, ())


def _check_reduce(operation: str, reduce: Any, known: tuple[str, ...]) -> None:
    if reduce not in known:
        raise ArgumentError(
            f"{operation}(): argument 'reduce' is {reduce!r}; it must be one of {list(known)}"
        )
