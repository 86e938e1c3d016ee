"""Products of some rows with one matrix, many times over: the matrix is kept in panels.

A panel holds some columns of the matrix, as wide as a tile of vector registers, row after row. A
BLAS rearranges both factors anew at every product, which costs as much as a small product itself,
and its threads wait for each other; here each thread goes through all steps with its own rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils

from minigrad.backend import lanes
from minigrad.kernels.compiled.compiler import compiled_in_order, whole_registers
from minigrad.kernels.compiled.registers import MANY, REGISTER, Writer, intrinsic

_VECTORS = 2
_ROWS = 8 if MANY else 4
_LEAST = 1 << 21
_FEW = 128
_LARGE = 1 << 17


def _tile(rows: int) -> Callable[..., None]:
    """A tile of `rows` rows by as many columns as a panel has.

    The function it makes has the arguments (given, at, jump, left, start, step, panels, panel,
    count, out, to, stride). Row f of the result, out[to + f * stride:], is given[at + f * jump:]
    and the sum over k below `count` of left[start + f * step + k] times the panel's row k.
    """

    @intrinsic
    def tile(
        typing: Any,
        given: Any,
        at: Any,
        jump: Any,
        left: Any,
        start: Any,
        step: Any,
        panels: Any,
        panel: Any,
        count: Any,
        out: Any,
        to: Any,
        stride: Any,
    ) -> Any:
        number = types.intp
        signature = types.void(
            given, number, number, left, number, number, panels, number, number, out, number, number
        )

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            width = _VECTORS * writer.lanes

            def starts(array: int) -> list[Any]:
                """Where the rows of an array begin."""
                first = writer.at(writer.data(kinds[array], values[array]), values[array + 1])
                return [
                    writer.at(first, builder.mul(values[array + 2], writer.whole(row)))
                    for row in range(rows)
                ]

            before, lines, targets = starts(0), starts(3), starts(9)
            matrix = writer.at(writer.data(kinds[6], values[6]), values[7])
            registers = writer.registers(rows, _VECTORS)
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, values[8]) as loop:
                here = writer.at(matrix, builder.mul(loop.index, writer.whole(width)))
                run = [writer.read(writer.at(here, v * writer.lanes)) for v in range(_VECTORS)]
                for line, row in zip(lines, registers):
                    factor = writer.filled(builder.load(writer.at(line, loop.index)))
                    for register, value in zip(row, run):
                        writer.add_product(register, factor, value)
            for old, target, row in zip(before, targets, registers):
                for v, register in enumerate(row):
                    total = builder.fadd(
                        writer.read(writer.at(old, v * writer.lanes)), builder.load(register)
                    )
                    writer.write(total, writer.at(target, v * writer.lanes))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made


_eight, _four, _two, _one = _tile(8), _tile(4), _tile(2), _tile(1)


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
    count = panels.shape[1]
    begin = panel * count * panels.shape[2]
    if rows == 8:
        _eight(given, at, jump, left, start, count, panels, begin, count, out, to, stride)
    elif rows == 4:
        _four(given, at, jump, left, start, count, panels, begin, count, out, to, stride)
    elif rows == 2:
        _two(given, at, jump, left, start, count, panels, begin, count, out, to, stride)
    else:
        _one(given, at, jump, left, start, count, panels, begin, count, out, to, stride)


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
    columns = matrix.shape[0] if turned else matrix.shape[1]
    for panel in range(number):
        column = panel * width
        part = min(width, columns - column)
        if turned:
            for i in range(part):
                for k in range(inner):
                    panels[panel, k, i] = matrix[column + i, k]
        else:
            for k in range(inner):
                for i in range(part):
                    panels[panel, k, i] = matrix[k, column + i]
        for k in range(inner):
            for i in range(part, width):
                panels[panel, k, i] = 0


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
