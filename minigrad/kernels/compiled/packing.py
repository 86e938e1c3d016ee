"""Matrices copied into panels, and tiles of vector registers for products of these.

A panel holds some lines of a matrix, as many as it is wide, number by number: first the numbers 0
of all lines, then the numbers 1. Copied by whole registers, and turned by squares of them, a number
takes a part of a nanosecond.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from minigrad.kernels.compiled.compiler import compiled_exactly, whole_registers
from minigrad.kernels.compiled.registers import MANY, REGISTER, Writer, intrinsic, turn, turns
from minigrad.kernels.compiled.tiles import AHEAD

ROWS = 8 if MANY else 4
"""The width of narrow panels: the rows of a tile. Others are some registers wide."""


def _copies(most: int) -> Callable[..., None]:
    """A function (source, at, target, to) that copies a register of numbers, at most so many."""

    @intrinsic
    def copy(typing: Any, source: Any, at: Any, target: Any, to: Any) -> Any:
        signature = types.void(source, types.intp, target, types.intp)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            writer.vector = ir.VectorType(writer.vector.element, min(most, writer.lanes))
            numbers = writer.read(writer.at(writer.data(kinds[0], given[0]), given[1]))
            writer.write(numbers, writer.at(writer.data(kinds[2], given[2]), given[3]))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = copy
    return made


_copy, _copy_few = _copies(REGISTER), _copies(ROWS)
_turn_few = turns(ROWS)


@compiled_exactly
def pack(
    source: Any, at: int, place: int, line: int, lines: int, width: int, count: int, target: Any,
    to: int,
) -> None:  # fmt: skip
    """Fill the panel of a width at target[to:] with `count` numbers of each of some lines.

    Number k of line i is source[at + k * place + i * line]; one of the two steps is 1. Lines that
    are fewer than the width are filled up with zeros.
    """
    whole_registers()
    lanes = REGISTER // source.itemsize
    group = min(lanes, width)
    done = lines // group * group
    if place == 1:
        full = count // lanes * lanes
        for first in range(0, done, group):
            start, begin = at + first * line, to + first
            if width < lanes:
                # A register holds the numbers of several places.
                for k in range(0, full, lanes):
                    _turn_few(source, start + k, line, target, begin + k * width, lanes)
            else:
                for k in range(0, full, lanes):
                    turn(source, start + k, line, target, begin + k * width, width)
            for k in range(full, count):
                for i in range(group):
                    target[begin + k * width + i] = source[start + k + i * line]
    elif width < lanes:
        for k in range(count if done else 0):
            _copy_few(source, at + k * place, target, to + k * width)
    else:
        for k in range(count):
            for first in range(0, done, lanes):
                _copy(source, at + k * place + first, target, to + k * width + first)
    if done < width:
        for k in range(count):
            for i in range(done, width):
                here = at + k * place + i * line
                target[to + k * width + i] = source[here] if i < lines else 0


def tile_of_panels(rows: int, vectors: int) -> Callable[..., None]:
    """A tile of a product of two matrices in panels: `rows` rows of `vectors` registers each.

    The function it makes has the arguments (given, at, jump, left, start, right, begin, count, out,
    to, stride). Row r of the result, out[to + r * stride:], is given[at + r * jump:] and the sum
    over k < count of left[start + k * rows + r] times the registers of right from begin + k times
    their width on. These are asked for AHEAD of that.
    """

    @intrinsic
    def tile(
        typing: Any,
        given: Any,
        at: Any,
        jump: Any,
        left: Any,
        start: Any,
        right: Any,
        begin: Any,
        count: Any,
        out: Any,
        to: Any,
        stride: Any,
    ) -> Any:
        number = types.intp
        signature = types.void(
            given, number, number, left, number, right, number, number, out, number, number
        )

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)

            def begins(array: int) -> Any:
                return writer.at(writer.data(kinds[array], values[array]), values[array + 1])

            def starts(array: int) -> list[Any]:
                steps = [builder.mul(values[array + 2], writer.whole(r)) for r in range(rows)]
                return [writer.at(begins(array), step) for step in steps]

            width = vectors * writer.lanes
            before, narrow, wide, targets = starts(0), begins(3), begins(5), starts(8)
            registers = writer.registers(rows, vectors)
            zero = ir.Constant(writer.vector, None)
            for target, row in zip(targets, registers):
                for v, register in enumerate(row):
                    writer.ask(writer.at(target, v * writer.lanes))
                    builder.store(zero, register)
            with cgutils.for_range(builder, values[7]) as loop:
                factors = writer.at(narrow, builder.mul(loop.index, writer.whole(rows)))
                run = writer.at(wide, builder.mul(loop.index, writer.whole(width)))
                for v in range(vectors):
                    writer.ask(writer.at(run, AHEAD * width + v * writer.lanes))
                held = [writer.read(writer.at(run, v * writer.lanes)) for v in range(vectors)]
                for r, row in enumerate(registers):
                    factor = writer.filled(builder.load(writer.at(factors, r)))
                    for register, value in zip(row, held):
                        writer.add_product(register, factor, value)
            for old, target, row in zip(before, targets, registers):
                for v, register in enumerate(row):
                    place = v * writer.lanes
                    total = builder.fadd(writer.read(writer.at(old, place)), builder.load(register))
                    writer.write(total, writer.at(target, place))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made
