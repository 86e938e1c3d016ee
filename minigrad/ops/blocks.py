"""Long formulas on elements, taken block by block so that what is between stays in the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import ndarray

BLOCK = 1 << 15
"""Elements of a block: a handful of intermediate arrays of this size fit a second-level cache."""

LARGE = 1 << 18
"""Bytes from which a few steps are worth the call of a kernel that takes them in one."""


def is_small(value: Any) -> bool:
    """Whether a raw array is so small; a Tensor is not: one node is then worth the call."""
    return value.__class__ is ndarray and value.nbytes < LARGE


def in_blocks(xp: Any, formula: Callable[..., Any], array: Any, *others: Any) -> Any:
    """The result of formula(xp, x, ...) for floating arrays, which the formula may not change.

    The arrays have one shape and dtype. On the CPU large ones are taken in blocks. Half precision
    is computed in single.
    """
    half = array.dtype.itemsize == 2
    if array.__class__ is not ndarray or array.size <= BLOCK:
        if not half:
            return formula(xp, array, *others)
        wide = [each.astype(xp.float32) for each in (array, *others)]
        return formula(xp, *wide).astype(array.dtype)
    flat = [each.reshape(-1) for each in (array, *others)]
    out = xp.empty(flat[0].shape, array.dtype)
    for start in range(0, array.size, BLOCK):
        blocks = [each[start : start + BLOCK] for each in flat]
        if half:
            blocks = [block.astype(xp.float32) for block in blocks]
        out[start : start + BLOCK] = formula(xp, *blocks)
    return out.reshape(array.shape)
