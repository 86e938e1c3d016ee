"""Rows taken from a table, and the sums of rows that belong to its places, compiled."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled, compiled_exactly
from minigrad.kernels.compiled.pieces import spread
from minigrad.kernels.compiled.registers import ask_row

_LEAST = 1 << 15
"""Elements from which NumPy's own `take` is slower."""

_AHEAD = 8
"""How many rows before its turn a row is asked for: rows lie anywhere in memory, and come late."""


@compiled
def _take_rows(table: Any, index: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        if i + _AHEAD < stop:
            ask_row(table, index[i + _AHEAD])
        row, into = table[index[i]], out[i]
        for j in range(len(into)):
            into[j] = row[j]


@compiled_exactly
def _list_positions(index: Any, first: Any, following: Any) -> None:
    """For each row its first position, for each position the next of the same row; -1 for none."""
    for row in range(len(first)):
        first[row] = -1
    for i in range(len(index) - 1, -1, -1):
        following[i] = first[index[i]]
        first[index[i]] = i


@compiled_exactly
def _sum_rows(
    values: Any, first: Any, following: Any, zero: Any, out: Any, start: int, stop: int
) -> None:
    # Each row is written once, from the first to the last. A zero that the compiler knows would
    # have it clear rows by the C library's memset, which takes longer for tables beyond the cache.
    for row in range(start, stop):
        if row + _AHEAD < stop and first[row + _AHEAD] >= 0:
            ask_row(values, first[row + _AHEAD])
        into = out[row]
        i = first[row]
        if i < 0:
            for j in range(len(into)):
                into[j] = zero
            continue
        taken = values[i]
        for j in range(len(into)):
            into[j] = zero + taken[j]
        i = following[i]
        while i >= 0:
            taken = values[i]
            for j in range(len(into)):
                into[j] += taken[j]
            i = following[i]


def _positions(index: Any) -> Any:
    return numpy.ascontiguousarray(index.reshape(-1), numpy.int64)


def take_rows(xp: Any, table: Any, index: Any) -> Any:
    """The rows of a table at positions of any shape."""
    width = table.shape[1]
    plain = table.flags.c_contiguous and table.flags.writeable
    if index.size * width < _LEAST or not plain:
        return None
    out = numpy.empty((*index.shape, width), table.dtype)
    spread(_take_rows, index.size, out.size, table, _positions(index), out.reshape(-1, width))
    return out


def sum_rows(xp: Any, values: Any, index: Any, rows: int) -> Any:
    """A table in which each row is the sum of the values whose position it is."""
    width = values.shape[1]
    if not values.size or not values.flags.c_contiguous or not values.flags.writeable:
        return None
    out = numpy.empty((rows, width), values.dtype)
    first = numpy.empty(rows, numpy.int64)
    following = numpy.empty(len(values), numpy.int64)
    _list_positions(_positions(index), first, following)
    zero = values.dtype.type(0)
    spread(_sum_rows, rows, out.size, values, first, following, zero, out)
    return out
