"""Sums, compiled: of everything, of rows and of columns, in an order that no thread changes."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.pieces import spread

BLOCK = 1024
"""Elements that are added up side by side in vector registers, some 32 to each place."""

_LONGEST_ROW = 64 * BLOCK
"""A row is the sum of its blocks one by one; for a longer one that would lose digits."""


_FEWEST_COLUMNS = 64
"""Fewer columns than this are added up as fast by NumPy."""

_BLOCKS = 16
_FEWEST_ROWS = 32
"""Into how many blocks of rows columns are cut at most, and how many rows make a block: the order
of a sum is to be the same on any number of threads.
"""


@compiled
def _added(values: Any) -> Any:
    total = values.dtype.type(0)
    for i in range(len(values)):
        total += values[i]
    return total


@compiled
def _block_sums(x: Any, block: int, out: Any, start: int, stop: int) -> None:
    for b in range(start, stop):
        out[b] = _added(x[b * block : (b + 1) * block])


@compiled
def _row_sums(x: Any, block: int, out: Any, start: int, stop: int) -> None:
    length = x.shape[1]
    for row in range(start, stop):
        whole = x.dtype.type(0)
        for first in range(0, length, block):
            whole += _added(x[row, first : min(first + block, length)])
        out[row] = whole


@compiled
def _column_sums(x: Any, block: int, out: Any, start: int, stop: int) -> None:
    for b in range(start, stop):
        into = out[b]
        first, end = b * block, min((b + 1) * block, len(x))
        for j in range(len(into)):
            into[j] = 0
        # Four rows at a time, for the sums are read and written anew for each.
        for i in range(first, end - 3, 4):
            r0, r1, r2, r3 = x[i], x[i + 1], x[i + 2], x[i + 3]
            for j in range(len(into)):
                into[j] += (r0[j] + r1[j]) + (r2[j] + r3[j])
        for i in range(end - (end - first) % 4, end):
            row = x[i]
            for j in range(len(into)):
                into[j] += row[j]


def sum(xp: Any, array: Any, dim: tuple[int, ...] | None, keepdim: bool) -> Any:
    """The sum of all elements, over the last dimension, or over the first ones."""
    if not array.flags.c_contiguous or not array.flags.writeable or not array.size:
        return None
    if dim is None or len(dim) == array.ndim:
        parts = numpy.empty(-(-array.size // BLOCK), array.dtype)
        spread(_block_sums, len(parts), array.size, array.reshape(-1), BLOCK, parts)
        # NumPy adds these up in pairs.
        total = parts.sum()
        return total.reshape((1,) * array.ndim) if keepdim else total
    length = array.shape[-1]
    if dim and dim == tuple(range(len(dim))):
        shape = array.shape[len(dim) :]
        columns = prod(shape)
        if columns < _FEWEST_COLUMNS:
            return None
        rows = array.reshape(-1, columns)
        block = max(_FEWEST_ROWS, -(-len(rows) // _BLOCKS))
        parts = numpy.empty((-(-len(rows) // block), columns), array.dtype)
        spread(_column_sums, len(parts), array.size, rows, block, parts)
        return parts.sum(0).reshape((1,) * len(dim) + shape if keepdim else shape)
    if dim != (array.ndim - 1,) or length > _LONGEST_ROW:
        return None
    lead = array.shape[:-1]
    out = numpy.empty(lead, array.dtype)
    rows = array.reshape(-1, length)
    spread(_row_sums, len(rows), array.size, rows, BLOCK, out.reshape(-1))
    return out.reshape(*lead, 1) if keepdim else out
