"""The innermost loops of convolution and attention: tiles of vector registers.

A compiler does not find such a tile by itself: these are built as LLVM's instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from minigrad.kernels.compiled.registers import REGISTER, Writer, intrinsic

AHEAD = 8
"""How many steps ahead numbers are asked for."""


def sums(filters: int, vectors: int) -> Callable[..., None]:
    """A tile of sums: `filters` rows of `vectors` registers each.

    The function it makes has the arguments (line, start, offsets, k, places, weights, panel, out,
    to, step): for `places` numbers k on, weights[panel + k * filters + f] times the run of `line`
    that begins at start + offsets[k] is added to row f of `out`, which begins at to + f * step.
    Offsets are read AHEAD of that.
    """

    @intrinsic
    def tile(
        typing: Any,
        line: Any,
        start: Any,
        offsets: Any,
        k: Any,
        places: Any,
        weights: Any,
        panel: Any,
        out: Any,
        to: Any,
        step: Any,
    ) -> Any:
        number = types.intp
        signature = types.void(
            line, number, offsets, number, number, weights, number, out, number, number
        )

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            base = writer.at(writer.data(kinds[0], given[0]), given[1])
            shifts = writer.at(writer.data(kinds[2], given[2]), given[3])
            panel = writer.data(kinds[5], given[5])
            panel = writer.at(panel, given[6], builder.mul(given[3], writer.whole(filters)))
            target = writer.at(writer.data(kinds[7], given[7]), given[8])
            registers = writer.registers(filters, vectors)
            rows = [
                writer.at(target, builder.mul(given[9], writer.whole(f))) for f in range(filters)
            ]
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, given[4]) as loop:
                run = writer.at(base, builder.load(writer.at(shifts, loop.index)))
                later = writer.at(base, builder.load(writer.at(shifts, loop.index, AHEAD)))
                for v in range(vectors + 1):
                    writer.ask(writer.at(later, v * writer.lanes))
                values = [writer.read(writer.at(run, v * writer.lanes)) for v in range(vectors)]
                here = writer.at(panel, builder.mul(loop.index, writer.whole(filters)))
                for f, row in enumerate(registers):
                    weight = writer.filled(builder.load(writer.at(here, f)))
                    for register, value in zip(row, values):
                        writer.add_product(register, weight, value)
            # Sums of sums are rounded less than one long sum.
            for start, row in zip(rows, registers):
                for v, register in enumerate(row):
                    place = writer.at(start, v * writer.lanes)
                    writer.write(builder.fadd(writer.read(place), builder.load(register)), place)
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made


def matrix(rows: int, vectors: int, fresh: bool) -> Callable[..., None]:
    """A tile of a product of matrices: `rows` rows of `vectors` registers each.

    The function it makes has the arguments (given, at, jump, left, start, row, step, right, begin,
    pitch, count, out, to, stride). Row r of the result, out[to + r * stride:], is the sum over k <
    count of left[start + r * row + k * step] times the numbers from right[begin + k * pitch] on;
    unless `fresh`, given[at + r * jump:] is added.
    """

    @intrinsic
    def tile(
        typing: Any,
        given: Any,
        at: Any,
        jump: Any,
        left: Any,
        start: Any,
        row: Any,
        step: Any,
        right: Any,
        begin: Any,
        pitch: Any,
        count: Any,
        out: Any,
        to: Any,
        stride: Any,
    ) -> Any:
        two = (types.intp, types.intp)
        signature = types.void(
            given, *two, left, *two, types.intp, right, *two, types.intp, out, *two
        )

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)

            def starts(array: int) -> list[Any]:
                """Where the rows of an array begin."""
                first = writer.at(writer.data(kinds[array], values[array]), values[array + 1])
                return [
                    writer.at(first, builder.mul(values[array + 2], writer.whole(r)))
                    for r in range(rows)
                ]

            before, lines, targets = starts(0), starts(3), starts(11)
            matrix = writer.at(writer.data(kinds[7], values[7]), values[8])
            registers = writer.registers(rows, vectors)
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, values[10]) as loop:
                here = writer.at(matrix, builder.mul(loop.index, values[9]))
                later = writer.at(here, builder.mul(values[9], writer.whole(AHEAD)))
                for v in range(vectors):
                    writer.ask(writer.at(later, v * writer.lanes))
                run = [writer.read(writer.at(here, v * writer.lanes)) for v in range(vectors)]
                moved = builder.mul(loop.index, values[6])
                for line, row in zip(lines, registers):
                    factor = writer.filled(builder.load(writer.at(line, moved)))
                    for register, value in zip(row, run):
                        writer.add_product(register, factor, value)
            for old, target, row in zip(before, targets, registers):
                for v, register in enumerate(row):
                    total = builder.load(register)
                    if not fresh:
                        total = builder.fadd(writer.read(writer.at(old, v * writer.lanes)), total)
                    writer.write(total, writer.at(target, v * writer.lanes))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made


def room(filters: int, places: int, size: int) -> int:
    """How many numbers of `size` bytes a tile of inner products takes: whole registers."""
    lanes = REGISTER // size
    return -(-filters * places // lanes) * lanes


def products(filters: int, places: int) -> Callable[..., None]:
    """A tile of inner products: of `filters` runs of numbers with `places` runs of a line.

    The function it makes has the arguments (grads, start, row, line, shift, offsets, k, count, out,
    to): to out[to + f * places + i] it adds the product of the run that begins at grads[start + f *
    row] with that at line[shift + offsets[k + i]], over `count` registers.
    """

    @intrinsic
    def tile(
        typing: Any,
        grads: Any,
        start: Any,
        row: Any,
        line: Any,
        shift: Any,
        offsets: Any,
        k: Any,
        count: Any,
        out: Any,
        to: Any,
    ) -> Any:
        number = types.intp
        signature = types.void(
            grads, number, number, line, number, offsets, number, number, out, number
        )

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            first = writer.at(writer.data(kinds[0], given[0]), given[1])
            lefts = [
                writer.at(first, builder.mul(given[2], writer.whole(f))) for f in range(filters)
            ]
            base = writer.at(writer.data(kinds[3], given[3]), given[4])
            shifts = writer.at(writer.data(kinds[5], given[5]), given[6])
            rights = [writer.at(base, builder.load(writer.at(shifts, i))) for i in range(places)]
            target = writer.at(writer.data(kinds[8], given[8]), given[9])
            registers = writer.registers(filters, places)
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, given[7]) as loop:
                at = builder.mul(loop.index, writer.whole(writer.lanes))
                values = [writer.read(writer.at(right, at)) for right in rights]
                for left, row in zip(lefts, registers):
                    grad = writer.read(writer.at(left, at))
                    for register, value in zip(row, values):
                        writer.add_product(register, grad, value)
            found = [builder.load(register) for row in registers for register in row]
            found += [zero] * (room(filters, places, writer.bytes) - len(found))
            for start in range(0, len(found), writer.lanes):
                total = writer.totals(found[start : start + writer.lanes])
                cells = writer.at(target, start)
                writer.write(builder.fadd(writer.read(cells), total), cells)
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made


def crosses(points: int, vectors: int) -> Callable[..., None]:
    """A tile of sums over pairs of a number and a row: `points` sums of `vectors` registers each.

    The function it makes has the arguments (line, starts, first, steps, begin, count, rows, at,
    out, to): for `count` numbers i on, line[starts[first + p] + steps[begin + i]] times row i of
    those that follow rows[at] is added to row p of those that follow out[to].
    """

    @intrinsic
    def tile(
        typing: Any,
        line: Any,
        starts: Any,
        first: Any,
        steps: Any,
        begin: Any,
        count: Any,
        rows: Any,
        at: Any,
        out: Any,
        to: Any,
    ) -> Any:
        number = types.intp
        signature = types.void(
            line, starts, number, steps, number, number, rows, number, out, number
        )

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            width = vectors * writer.lanes
            base = writer.data(kinds[0], given[0])
            apart = writer.at(writer.data(kinds[1], given[1]), given[2])
            lefts = [writer.at(base, builder.load(writer.at(apart, p))) for p in range(points)]
            steps = writer.at(writer.data(kinds[3], given[3]), given[4])
            rows = writer.at(writer.data(kinds[6], given[6]), given[7])
            target = writer.at(writer.data(kinds[8], given[8]), given[9])
            registers = writer.registers(points, vectors)
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, given[5]) as loop:
                step = builder.load(writer.at(steps, loop.index))
                begin = writer.at(rows, builder.mul(loop.index, writer.whole(width)))
                values = [writer.read(writer.at(begin, v * writer.lanes)) for v in range(vectors)]
                for left, row in zip(lefts, registers):
                    factor = writer.filled(builder.load(writer.at(left, step)))
                    for register, value in zip(row, values):
                        writer.add_product(register, factor, value)
            for p, row in enumerate(registers):
                for v, register in enumerate(row):
                    place = writer.at(target, p * width + v * writer.lanes)
                    writer.write(builder.fadd(writer.read(place), builder.load(register)), place)
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = tile
    return made


def transforms(matrix: list[list[float]]) -> Callable[..., None]:
    """A transform along one axis, of as many tiles at once as a register holds.

    The function it makes has the arguments (source, at, apart, target, to, jump, shift): `matrix`
    times the registers that begin at source[at + j * apart], plus `shift`, go to those that begin
    at target[to + i * jump].
    """

    @intrinsic
    def transform(
        typing: Any, source: Any, at: Any, apart: Any, target: Any, to: Any, jump: Any, shift: Any
    ) -> Any:
        number = types.intp
        signature = types.void(source, number, number, target, number, number, source.dtype)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            start = writer.at(writer.data(kinds[0], given[0]), given[1])
            place = writer.at(writer.data(kinds[3], given[3]), given[4])
            added = writer.filled(given[6])
            values = [
                writer.read(writer.at(start, builder.mul(given[2], writer.whole(j))))
                for j in range(len(matrix[0]))
            ]
            for i, row in enumerate(matrix):
                total = added
                for factor, value in zip(row, values):
                    if factor:
                        weight = ir.Constant(writer.vector, [float(factor)] * writer.lanes)
                        part = builder.fmul(value, weight, flags=("contract",))
                        total = builder.fadd(total, part, flags=("contract",))
                writer.write(total, writer.at(place, builder.mul(given[5], writer.whole(i))))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = transform
    return made
