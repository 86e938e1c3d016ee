"""Products of some rows with one matrix, many times over: the matrix is kept in panels.

A panel holds some columns of the matrix, as wide as a tile of vector registers, row after row. A
BLAS rearranges both factors anew at every product, which costs as much as a small product itself,
and its threads wait for each other; here each thread goes through all steps with its own rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from minigrad.backend import lanes
from minigrad.kernels.compiled.compiler import compiled_in_order, whole_registers
from minigrad.kernels.compiled.packing import pack
from minigrad.kernels.compiled.registers import MANY, REGISTER
from minigrad.kernels.compiled.tiles import matrix

_ROWS, _VECTORS = 8 if MANY else 4, 2

_LEAST = 1 << 21
"""The multiplications that a thread is worth."""

_FEW, _LARGE = 128, 1 << 17
"""So few rows do not repay the panels of a weight of more elements than that."""

_eight, _four, _two, _one = (matrix(rows, _VECTORS, fresh=False) for rows in (8, 4, 2, 1))


@compiled_in_order
def _rows_of_tile(
    rows: Any,
    given: Any,
    at: Any,
    jump: Any,
    left: Any,
    start: Any,
    panels: Any,
    panel: Any,
    out: Any,
    to: Any,
    stride: Any,
) -> None:
    whole_registers()
    count, width = panels.shape[1], panels.shape[2]
    begin = panel * count * width
    if rows == 8:
        _eight(given, at, jump, left, start, count, 1, panels, begin, width, count, out, to, stride)
    elif rows == 4:
        _four(given, at, jump, left, start, count, 1, panels, begin, width, count, out, to, stride)
    elif rows == 2:
        _two(given, at, jump, left, start, count, 1, panels, begin, width, count, out, to, stride)
    else:
        _one(given, at, jump, left, start, count, 1, panels, begin, width, count, out, to, stride)


@compiled_in_order
def multiply(
    given: Any, left: Any, panels: Any, out: Any, spare: Any, first: Any, last: Any
) -> None:
    """Rows first to last of out = given + left @ matrix; one row of `given` stands for all.

    Arrays [rows, columns] without gaps. The sum of a number has one order, whatever the rows are.
    """
    columns, count, width = out.shape[1], panels.shape[1], panels.shape[2]
    jump = columns if given.shape[0] > 1 else 0
    for panel in range(panels.shape[0]):
        column = panel * width
        part = min(width, columns - column)
        row = first
        while row < last:
            rows = _ROWS
            while rows > last - row:
                rows //= 2
            start = row * count
            if part == width:
                at, to = row * jump + column, row * columns + column
                _rows_of_tile(rows, given, at, jump, left, start, panels, panel, out, to, columns)
            else:
                # The last panel is wider than what is left of the rows.
                for f in range(rows):
                    for i in range(part):
                        spare[f, i] = given[row + f if jump else 0, column + i]
                _rows_of_tile(rows, spare, 0, width, left, start, panels, panel, spare, 0, width)
                for f in range(rows):
                    for i in range(part):
                        out[row + f, column + i] = spare[f, i]
            row += rows


@compiled_in_order
def tile_of_one(like: Any, panels: Any) -> Any:
    """Room for a tile, which `multiply` wants."""
    return numpy.empty((_ROWS, panels.shape[2]), like.dtype)


@compiled_in_order
def _fill(panels: Any, matrix: Any, turned: Any) -> None:
    number, inner, width = panels.shape
    source, target = matrix.reshape(matrix.size), panels.reshape(panels.size)
    columns, place, line = matrix.shape[1], matrix.shape[1], 1
    if turned:
        columns, place, line = matrix.shape[0], 1, inner
    for panel in range(number):
        first = panel * width
        lines = min(width, columns - first)
        to = first * inner
        pack(source, first * line, place, line, lines, width, inner, target, to)


def panels_of(matrix: Any, turned: bool = False) -> Any:
    """The panels of a matrix [inner, columns], [number, inner, width]; zeros fill the last one.

    `turned`: the matrix is given as [columns, inner].
    """
    inner, columns = matrix.shape[::-1] if turned else matrix.shape
    width = _VECTORS * REGISTER // matrix.itemsize
    panels = numpy.empty((-(-columns // width), inner, width), matrix.dtype)
    _fill(panels, plain(matrix), turned)
    return panels


def pays(array: Any, weight: Any) -> bool:
    """Whether the products of all steps, [steps, batch, size], repay the panels of a weight.

    Not so in double precision: there is no fast tangent for what follows the products.
    """
    few = array.shape[0] * array.shape[1] < _FEW and weight.size > _LARGE
    return array.dtype == numpy.float32 and not few


def plain(array: Any) -> Any:
    """The array in the one layout that is compiled for."""
    array = numpy.ascontiguousarray(array)
    return array if array.flags.writeable else array.copy()


def by_rows(loop: Callable[[int, int], object], batch: int, multiplications: int) -> None:
    """Call loop(first, last) for the rows of a batch, on all threads that have enough to do."""
    tiles = -(-batch // _ROWS)
    threads = max(1, min(lanes.lanes(multiplications, _LEAST), tiles))
    edges = [min(batch, tiles * i // threads * _ROWS) for i in range(threads + 1)]
    lanes.run(lambda i: loop(edges[i], edges[i + 1]), threads, threads)
