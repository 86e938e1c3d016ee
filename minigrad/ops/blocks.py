"""Long formulas on elements, taken block by block so that what is between stays in the cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import ndarray

BLOCK = 1 << 15
"""Elements of a block: a handful of intermediate arrays of this size fit a second-level cache."""


def in_blocks(xp: Any, formula: Callable[[Any, Any], Any], array: Any) -> Any:
    """The result of formula(xp, x) for a floating array, which the formula may not change.

    On the CPU a large array is taken in blocks. Half precision is computed in single.
    """
    half = array.dtype.itemsize == 2
    if array.__class__ is not ndarray or array.size <= BLOCK:
        if half:
            return formula(xp, array.astype(xp.float32)).astype(array.dtype)
        return formula(xp, array)
    flat = array.reshape(-1)
    out = xp.empty(flat.shape, flat.dtype)
    for start in range(0, flat.size, BLOCK):
        block = flat[start : start + BLOCK]
        out[start : start + BLOCK] = formula(xp, block.astype(xp.float32) if half else block)
    return out.reshape(array.shape)
