"""Rows taken from a table, and the sums of rows that belong to its places, compiled."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.pieces import spread

_LEAST = 1 << 15
"""Elements from which NumPy's own `take` is slower."""


@compiled
def _take_rows(table: Any, index: Any, out: Any, start: int, stop: int) -> None:
    for i in range(start, stop):
        row, into = table[index[i]], out[i]
        for j in range(len(into)):
            into[j] = row[j]


@compiled
def _sum_rows(values: Any, index: Any, out: Any, start: int, stop: int) -> None:
    part = out[start:stop].reshape(-1)
    for j in range(len(part)):
        part[j] = 0
    # Every thread looks at all positions, in order, and adds what belongs to its own rows.
    for i in range(len(index)):
        if start <= index[i] < stop:
            row, into = values[i], out[index[i]]
            for j in range(len(into)):
                into[j] += row[j]


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
    spread(_sum_rows, rows, out.size, values, _positions(index), out)
    return out
