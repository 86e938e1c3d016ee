"""Elements repeated, reversed, rolled and cut into windows: copies, not views."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive, wrap
from minigrad.ops import reduce
from minigrad.ops.dims import sizes, wrap_dim, wrap_dims
from minigrad.ops.index import getitem
from minigrad.ops.shape import flatten, movedim, reshape, transpose

__all__ = ["flip", "fliplr", "flipud", "repeat_interleave", "roll", "rot90", "tile"]


@primitive(input=lambda g, shape, counts: _fold(g, shape, counts))
def _repeat(xp: Any, input: Any, *, counts: tuple[int, ...]) -> Any:
    return xp.tile(input, counts)


def _fold(g: Any, shape: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    """The sum over the copies that `_repeat` made."""
    padded = (1,) * (len(counts) - len(shape)) + shape
    apart = tuple(n for pair in zip(counts, padded) for n in pair)
    kept = tuple(n for length in padded for n in (1, length))
    return reshape(reduce.sum_to(reshape(g, apart), size=kept), shape)


def repeat(input: Any, *repeats: Any) -> Any:
    """The tensor copied side by side, so many times along each dimension.

    More counts than dimensions put new ones in front. Raises ArgumentError for fewer.
    """
    counts = sizes("repeat", repeats, "repeats")
    count = input.ndim
    if len(counts) < count or any(times < 0 for times in counts):
        raise ArgumentError(
            f"repeat(): argument 'repeats' is {list(counts)}, but a tensor of shape "
            f"{list(input.shape)} needs at least {count} counts, none negative"
        )
    return _repeat(input, counts=counts)


def tile(input: Any, dims: Any) -> Any:
    """As `repeat`, but fewer counts than dimensions leave the first dimensions alone."""
    counts = sizes("tile", (dims,), "dims")
    return repeat(input, *(1,) * (input.ndim - len(counts)), *counts)


@primitive(input=lambda g, shape, dim: _fold_each(g, shape, dim))
def _repeat_each(xp: Any, input: Any, *, count: int, dim: int) -> Any:
    return xp.repeat(input, count, axis=dim)


def _fold_each(g: Any, shape: tuple[int, ...], dim: int) -> Any:
    """The sum over the copies that `_repeat_each` made."""
    count = g.shape[dim] // shape[dim] if shape[dim] else 0
    apart = (*shape[: dim + 1], count, *shape[dim + 1 :])
    kept = (*shape[: dim + 1], 1, *shape[dim + 1 :])
    return reshape(reduce.sum_to(reshape(g, apart), size=kept), shape)


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element, or each slice along `dim`, repeated in place: [1, 2] gives [1, 1, 2, 2].

    `repeats` is one count or a tensor of counts. Of a tensor of counts alone: the positions
    repeated. Raises ArgumentError for negative counts or a wrong number of them.
    """
    if repeats is None:
        counts = _counts(input)
        return _like(input, backend_of(counts).xp.arange(counts.size).repeat(counts))
    if dim is None:
        input, dim = flatten(input), 0
    dim = wrap_dim("repeat_interleave", dim, input.ndim)
    if not input.ndim:
        input = reshape(input, (1,))
    length = input.shape[dim]
    if isinstance(repeats, int):
        counts, total = repeats, repeats * length
    else:
        counts = _counts(repeats)
        counts = int(counts[0]) if counts.size == 1 else counts
        total = counts * length if isinstance(counts, int) else int(counts.sum())
    if output_size is not None and output_size != total:
        raise ArgumentError(
            f"repeat_interleave(): argument 'output_size' is {output_size}, but the repeats make "
            f"{total}"
        )
    if isinstance(counts, int):
        if counts < 0:
            raise ArgumentError(f"repeat_interleave(): argument 'repeats' is {counts}, below zero")
        return _repeat_each(input, count=counts, dim=dim)
    if counts.size != length:
        raise ArgumentError(
            f"repeat_interleave(): argument 'repeats' holds {counts.size} counts, but dimension "
            f"{dim} of shape {list(input.shape)} has size {length}"
        )
    positions = backend_of(counts).xp.arange(length).repeat(counts)
    return getitem(input, index=(slice(None),) * dim + (positions,))


def _counts(repeats: Any) -> Any:
    """A tensor of counts as a checked 1-d array."""
    raw = repeats._array if isinstance(repeats, Traced) else repeats
    if not hasattr(raw, "dtype") or raw.dtype.kind not in "iu":
        found = getattr(raw, "dtype", type(raw).__name__)
        raise DtypeError(
            f"repeat_interleave(): argument 'repeats' must be an integer or an integer tensor, not "
            f"{found}"
        )
    if raw.ndim > 1:
        raise ArgumentError(
            f"repeat_interleave(): argument 'repeats' must be 0-d or 1-d, got shape "
            f"{list(raw.shape)}"
        )
    if raw.size and int(raw.min()) < 0:
        raise ArgumentError("repeat_interleave(): argument 'repeats' holds a count below zero")
    return raw.reshape(-1)


def _like(value: Any, array: Any) -> Any:
    return wrap(value, array) if isinstance(value, Traced) else array


@primitive(input=lambda g, dims: _flip(g, dims=dims))
def _flip(xp: Any, input: Any, *, dims: tuple[int, ...]) -> Any:
    return xp.flip(input, dims).copy()


def flip(input: Any, dims: Any) -> Any:
    """The elements in reverse order along the dimensions; a copy.

    >>> import minigrad
    >>> minigrad.flip(minigrad.arange(3), (0,))
    tensor([2, 1, 0])
    """
    wrapped = wrap_dims("flip", dims, input.ndim, "dims")
    return _flip(input, dims=wrapped if input.ndim else ())


def fliplr(input: Any) -> Any:
    """The columns in reverse order; raises ArgumentError below two dimensions."""
    if input.ndim < 2:
        raise ArgumentError(f"fliplr(): 'input' must be at least 2-d, it is {input.ndim}-d")
    return _flip(input, dims=(1,))


def flipud(input: Any) -> Any:
    """The rows in reverse order; raises ArgumentError for a 0-d tensor."""
    if input.ndim < 1:
        raise ArgumentError("flipud(): 'input' must be at least 1-d, it is 0-d")
    return _flip(input, dims=(0,))


@primitive(input=lambda g, shifts, dims: _roll(g, shifts=tuple(-n for n in shifts), dims=dims))
def _roll(xp: Any, input: Any, *, shifts: tuple[int, ...], dims: Any) -> Any:
    if dims is None:
        return xp.roll(input, shifts[0])
    return xp.roll(input, shifts, dims)


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """The elements moved along dimensions, what falls off coming in again at the other end.

    Without `dims` the tensor is rolled as if it had one dimension.
    """
    moved = sizes("roll", (shifts,), "shifts")
    if dims is None or dims == ():
        if len(moved) != 1:
            raise ArgumentError(
                f"roll(): argument 'shifts' is {moved}; name as many dimensions in 'dims'"
            )
        return _roll(input, shifts=moved, dims=None)
    along = sizes("roll", (dims,), "dims")
    if not input.ndim:
        raise IndexError(f"roll(): argument 'dims' is {dims}, but 'input' is 0-d")
    along = tuple(wrap_dim("roll", dim, input.ndim, "dims") for dim in along)
    if len(along) != len(moved):
        raise ArgumentError(
            f"roll(): argument 'shifts' has {len(moved)} entries and 'dims' {len(along)}; give as "
            f"many"
        )
    return _roll(input, shifts=moved, dims=along)


def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """The tensor turned `k` quarter turns in the plane of two dimensions, first towards second."""
    if len(dims) != 2 or input.ndim < 2:
        raise ArgumentError(
            f"rot90(): argument 'dims' is {dims}; a turn needs two dimensions of a tensor that has "
            f"at least two, 'input' has {input.ndim}"
        )
    first, second = wrap_dims("rot90", tuple(dims), input.ndim, "dims")
    k %= 4
    if k == 2:
        return _flip(input, dims=(first, second))
    if k == 1:
        return transpose(_flip(input, dims=(second,)), first, second)
    if k == 3:
        return _flip(transpose(input, first, second), dims=(second,))
    return _flip(input, dims=())


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements, `step` apart, along a dimension, in a new last dimension.

    Windows overlap, so they are copied. Raises ArgumentError for a window larger than the
    dimension.
    """
    dim = wrap_dim("unfold", dimension, input.ndim, "dimension")
    if not input.ndim:
        return getitem(unfold(reshape(input, (1,)), 0, size, step), index=(0,))
    length = input.shape[dim]
    if not 0 <= size <= length or step < 1:
        raise ArgumentError(
            f"unfold(): windows of 'size' {size} and 'step' {step} do not fit dimension {dim} with "
            f"size {length}; size must be from 0 to {length} and step above 0"
        )
    xp = backend_of(getattr(input, "_array", input)).xp
    places = _windows(xp, length, size, step)
    return movedim(getitem(input, index=(slice(None),) * dim + (places,)), dim + 1, -1)


def _windows(xp: Any, length: int, size: int, step: int) -> Any:
    """The positions in each window of `size`, a row for each."""
    return xp.arange(0, length - size + 1, step)[:, None] + xp.arange(size)
