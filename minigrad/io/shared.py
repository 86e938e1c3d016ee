"""Which memory tensors share: each as a place in a storage, overlapping ones in the same one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy
from numpy.lib.array_utils import byte_bounds

from minigrad.backend import to_numpy
from minigrad.mutation import owner

__all__ = ["Piece", "pieces"]


class Piece(NamedTuple):
    """A tensor as a part of a flat array: where it begins, its shape, its strides in elements."""

    storage: Any
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Span(NamedTuple):
    """The bytes of memory, from `low` to `high`, that an array's elements lie in."""

    low: int
    high: int
    key: int
    array: Any


def pieces(tensors: Mapping[int, Any]) -> dict[int, Piece]:
    """The piece of each tensor; those that overlap in memory, in one dtype, share a storage."""
    found: dict[int, Piece] = {}
    spans: list[_Span] = []
    for key, tensor in tensors.items():
        array = to_numpy(tensor.detach()._array)
        if array.size and min(array.strides, default=0) >= 0 and _whole(owner(array), array):
            spans.append(_Span(*byte_bounds(array), key, array))
        else:
            found[key] = _alone(array)
    spans.sort(key=lambda span: (span.array.dtype.str, span.low))
    together: list[_Span] = []
    high = 0
    for span in spans:
        if together and (span.low >= high or span.array.dtype != together[0].array.dtype):
            found.update(_placed(together, high))
            together, high = [], 0
        together.append(span)
        high = max(high, span.high)
    if together:
        found.update(_placed(together, high))
    return found


def _whole(base: Any, array: Any) -> bool:
    """Whether the array lies in one unbroken run of memory that can be read as a whole."""
    if not isinstance(base, numpy.ndarray) or not (
        base.flags.c_contiguous or base.flags.f_contiguous
    ):
        return False
    low, high = byte_bounds(base)
    first, last = byte_bounds(array)
    steps = all(step % array.itemsize == 0 for step in array.strides)
    return bool(low <= first and last <= high and steps)


def _alone(array: Any) -> Piece:
    flat = numpy.ascontiguousarray(array).reshape(-1)
    flat = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    return Piece(flat, 0, array.shape, _row_major(array.shape))


def _row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides = []
    step = 1
    for length in reversed(shape):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


def _placed(spans: list[_Span], high: int) -> dict[int, Piece]:
    """The pieces of arrays that overlap, each a part of the memory that they cover together."""
    if len(spans) == 1:
        return {spans[0].key: _alone(spans[0].array)}
    low = spans[0].low
    item = spans[0].array.itemsize
    base = owner(spans[0].array)
    start = low - byte_bounds(base)[0]
    memory = base.reshape(-1, order="A").view(numpy.uint8)[start : start + high - low]
    if memory.nbytes != high - low or any((span.low - low) % item for span in spans):
        return {span.key: _alone(span.array) for span in spans}
    storage = memory.view(spans[0].array.dtype)
    storage = storage.astype(storage.dtype.newbyteorder("<"), copy=False)
    return {
        span.key: Piece(
            storage,
            (span.low - low) // item,
            span.array.shape,
            tuple(step // item for step in span.array.strides),
        )
        for span in spans
    }
