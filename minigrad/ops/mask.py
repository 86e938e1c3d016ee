"""Elements filled, picked and found by masks."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, broadcasting, wrap
from minigrad.ops.expand import broadcast_shapes, expand
from minigrad.ops.gather import number_for
from minigrad.ops.index import getitem, put, same_dtype
from minigrad.ops.shape import flatten

__all__ = [
    "argwhere", "masked_fill", "masked_scatter", "masked_select", "nonzero", "nonzero_static",
]  # fmt: skip


def _check_mask(operation: str, mask: Any) -> None:
    if not hasattr(mask, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'mask' must be a Tensor, not {type(mask).__name__}"
        )
    if mask.dtype.kind != "b":
        raise DtypeError(
            f"{operation}(): argument 'mask' has dtype {mask.dtype}; it must be bool, for example "
            f"mask.bool()"
        )


@broadcasting(
    input=lambda g, mask: _masked_fill(g, mask, 0),
    value=lambda g, mask: g * mask,
)
def _masked_fill(xp: Any, input: Any, mask: Any, value: Any) -> Any:
    return xp.where(mask, value, input)


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """The input with a number, or 0-d tensor, in the places where the mask is true.

    Mask and input are broadcast. Raises DtypeError unless the mask is bool.
    """
    _check_mask("masked_fill", mask)
    return _masked_fill(input, mask, number_for("masked_fill", input, value))


def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask is true, in row-major order; mask and input are broadcast."""
    _check_mask("masked_select", mask)
    shape = broadcast_shapes(input.shape, mask.shape)
    raw = expand(mask._array if isinstance(mask, Traced) else mask, shape)
    return getitem(expand(input, shape), index=(raw,))


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """The input with the elements of `source`, in order, in the places where the mask is true.

    Mask and input are broadcast. Raises ArgumentError where `source` has too few elements.
    """
    _check_mask("masked_scatter", mask)
    same_dtype("masked_scatter", input, source, "source")
    shape = broadcast_shapes(input.shape, mask.shape)
    raw = expand(mask._array if isinstance(mask, Traced) else mask, shape)
    count = int(raw.sum())
    if prod(source.shape) < count:
        raise ArgumentError(
            f"masked_scatter(): argument 'source' has {prod(source.shape)} elements, but the mask "
            f"is true in {count} places"
        )
    values = getitem(flatten(source), index=(slice(count),))
    return put(expand(input, shape), values, index=(raw,))


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: one row each, int64 [count, dimensions].

    With `as_tuple` one vector of positions for each dimension, which can index a tensor.

    >>> import minigrad
    >>> minigrad.nonzero(minigrad.tensor([3, 0, 5]))
    tensor([[0],
            [2]])
    """
    raw = input._array if isinstance(input, Traced) else input
    if not hasattr(raw, "dtype"):
        raise TypeError(f"nonzero(): argument 'input' must be a Tensor, not {type(input).__name__}")
    xp = backend_of(raw).xp
    found = xp.nonzero(raw if raw.ndim else raw.reshape(1))
    if not as_tuple:
        rows = xp.zeros((found[0].size, raw.ndim), "int64")
        for dim in range(raw.ndim):
            rows[:, dim] = found[dim]
        found = (rows,)
    results = tuple(wrap(input, part) if isinstance(input, Traced) else part for part in found)
    return results if as_tuple else results[0]


def argwhere(input: Any) -> Any:
    """The positions of the elements that are not zero, one row each."""
    return nonzero(input)


def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """As `nonzero`, but always `size` rows: the first ones, or filled up with `fill_value`."""
    if size < 0:
        raise ArgumentError(f"nonzero_static(): argument 'size' is {size}, below zero")
    found = nonzero(input)
    raw = found._array if isinstance(found, Traced) else found
    rows = backend_of(raw).xp.full((size, raw.shape[1]), fill_value, "int64")
    rows[: raw.shape[0]] = raw[:size]
    return wrap(input, rows) if isinstance(input, Traced) else rows


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Rows of zeros with a one at each label: int64 [..., num_classes].

    `num_classes` -1 means one more than the largest label. Raises DtypeError unless the labels are
    int64, ArgumentError for one that is negative or too large.
    """
    raw = input._array if isinstance(input, Traced) else input
    if not hasattr(raw, "dtype") or raw.dtype.name != "int64":
        found = getattr(raw, "dtype", type(input).__name__)
        raise DtypeError(f"one_hot(): argument 'input' must be an int64 tensor, not {found}")
    if num_classes == 0 or num_classes < -1 or (num_classes == -1 and not raw.size):
        raise ArgumentError(
            f"one_hot(): argument 'num_classes' is {num_classes}; it must be above zero, or -1 for "
            f"labels that are not empty"
        )
    smallest, largest = (int(raw.min()), int(raw.max())) if raw.size else (0, 0)
    count = largest + 1 if num_classes == -1 else num_classes
    if smallest < 0 or largest >= count:
        raise ArgumentError(
            f"one_hot(): argument 'input' holds the label {smallest if smallest < 0 else largest}; "
            f"labels must be from 0 to num_classes - 1, which is {count - 1}"
        )
    xp = backend_of(raw).xp
    rows = (raw[..., None] == xp.arange(count)).astype("int64")
    return wrap(input, rows) if isinstance(input, Traced) else rows
