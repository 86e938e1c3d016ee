"""The innermost loops of convolution, attention and softmax, written in vector registers.

A compiler does not find a tile of registers by itself: these are built as LLVM's instructions.
How wide a register is, and how many there are, is read from the processor.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import binding, ir
from numba import extending, types
from numba.core import cgutils

_FEATURES = binding.get_host_cpu_features()
REGISTER = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx") else 16
"""The bytes of a vector register."""

MANY = REGISTER == 64 or platform.machine() in ("aarch64", "arm64")
"""Whether there are 32 registers; else there are 16."""

AHEAD = 8
"""How many steps ahead numbers are asked for."""

_intrinsic: Callable[..., Any] = extending.intrinsic
_FUSED = ("contract",)


class _Writer:
    """Instructions on pointers and vectors of one dtype."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context = context
        self.builder = builder
        self.bytes = dtype.bitwidth // 8
        self.lanes = REGISTER // self.bytes
        self.vector = ir.VectorType(context.get_value_type(dtype), self.lanes)

    def whole(self, value: int) -> Any:
        """An integer for an index."""
        return ir.Constant(self.context.get_value_type(types.intp), value)

    def data(self, kind: Any, array: Any) -> Any:
        """Where an array's numbers begin."""
        return self.context.make_array(kind)(self.context, self.builder, array).data

    def at(self, pointer: Any, *steps: Any) -> Any:
        """A pointer moved on by some steps."""
        for step in steps:
            pointer = self.builder.gep(
                pointer, [self.whole(step) if isinstance(step, int) else step]
            )
        return pointer

    def read(self, pointer: Any) -> Any:
        """A register full of numbers, wherever they begin."""
        place = self.builder.bitcast(pointer, self.vector.as_pointer())
        return self.builder.load(place, align=self.bytes)

    def write(self, vector: Any, pointer: Any) -> None:
        place = self.builder.bitcast(pointer, self.vector.as_pointer())
        self.builder.store(vector, place, align=self.bytes)

    def filled(self, number: Any) -> Any:
        """A register that holds one number in all places."""
        index = ir.IntType(32)
        nothing = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(nothing, number, ir.Constant(index, 0))
        zeros = ir.Constant(ir.VectorType(index, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def registers(self, rows: int, columns: int) -> list[list[Any]]:
        """Variables that the compiler turns into registers."""
        return [
            [cgutils.alloca_once(self.builder, self.vector) for _ in range(columns)]
            for _ in range(rows)
        ]

    def add_product(self, register: Any, a: Any, b: Any) -> None:
        product = self.builder.fmul(a, b, flags=_FUSED)
        total = self.builder.fadd(self.builder.load(register), product, flags=_FUSED)
        self.builder.store(total, register)

    def totals(self, vectors: list[Any]) -> Any:
        """The sums of as many registers as one has numbers, in one: halves are added to halves."""
        index = ir.IntType(32)
        width = self.lanes // 2
        while width:
            # Of each pair of registers one half of every block of 2 * width numbers is kept.
            left, right = [], []
            for lane in range(self.lanes):
                block, at = divmod(lane, 2 * width)
                start = 2 * width * block + at % width
                start += self.lanes if at >= width else 0
                left.append(start)
                right.append(start + width)
            masks = [
                ir.Constant(ir.VectorType(index, self.lanes), order) for order in (left, right)
            ]
            half = len(vectors) // 2
            vectors = [
                self.builder.fadd(
                    *(self.builder.shuffle_vector(one, other, mask) for mask in masks)
                )
                for one, other in zip(vectors[:half], vectors[half:])
            ]
            width //= 2
        return vectors[0]

    def ask(self, pointer: Any) -> None:
        """Have a number brought into the cache."""
        place = ir.IntType(8).as_pointer()
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place, flag, flag, flag])
        function = self.builder.module.declare_intrinsic("llvm.prefetch", [place], kind)
        flags = [ir.Constant(flag, value) for value in (0, 3, 1)]
        self.builder.call(function, [self.builder.bitcast(pointer, place), *flags])


@_intrinsic
def largest(typing: Any, row: Any) -> Any:
    """The largest number of a row; NaNs are passed over, and of nothing else it is -inf."""
    signature = row.dtype(row)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        writer = _Writer(context, builder, kind.dtype)
        array = context.make_array(kind)(context, builder, given[0])
        count = builder.extract_value(array.shape, 0)
        (registers,) = writer.registers(1, 4)
        never = ir.Constant(writer.vector.element, float("-inf"))
        for register in registers:
            builder.store(writer.filled(never), register)

        def take(start: Any, width: int) -> None:
            for v, register in enumerate(registers[:width]):
                value = writer.read(writer.at(array.data, start, v * writer.lanes))
                best = builder.load(register)
                above = builder.fcmp_ordered(">", value, best)
                builder.store(builder.select(above, value, best), register)

        start = cgutils.alloca_once_value(builder, writer.whole(0))
        for width in (4, 1):
            step = writer.whole(width * writer.lanes)
            runs = builder.sdiv(builder.sub(count, builder.load(start)), step)
            with cgutils.for_range(builder, runs):
                here = builder.load(start)
                take(here, width)
                builder.store(builder.add(here, step), start)
        best = builder.load(registers[0])
        for register in registers[1:]:
            value = builder.load(register)
            above = builder.fcmp_ordered(">", value, best)
            best = builder.select(above, value, best)
        result = cgutils.alloca_once_value(builder, never)

        def compare(value: Any) -> None:
            most = builder.load(result)
            above = builder.fcmp_ordered(">", value, most)
            builder.store(builder.select(above, value, most), result)

        for lane in range(writer.lanes):
            compare(builder.extract_element(best, ir.Constant(ir.IntType(32), lane)))
        with cgutils.for_range_slice(builder, builder.load(start), count, writer.whole(1)) as (
            i,
            _,
        ):
            compare(builder.load(writer.at(array.data, i)))
        return builder.load(result)

    return signature, generate


@_intrinsic
def move(typing: Any, source: Any, start: Any, target: Any, to: Any, count: Any) -> Any:
    """Copy `count` numbers from source[start:] to target[to:], which do not overlap."""
    number = types.intp
    signature = types.void(source, number, target, number, number)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kinds = signature.args
        writer = _Writer(context, builder, kinds[0].dtype)
        first = writer.at(writer.data(kinds[0], given[0]), given[1])
        place = writer.at(writer.data(kinds[2], given[2]), given[3])
        cgutils.raw_memcpy(builder, place, first, given[4], writer.bytes)
        return context.get_dummy_value()

    return signature, generate


@_intrinsic
def move_apart(
    typing: Any,
    source: Any,
    start: Any,
    step: Any,
    target: Any,
    to: Any,
    jump: Any,
    count: Any,
) -> Any:
    """As `move`, for numbers that are `step` apart and come to be `jump` apart."""
    number = types.intp
    signature = types.void(source, number, number, target, number, number, number)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kinds = signature.args
        writer = _Writer(context, builder, kinds[0].dtype)
        first = writer.at(writer.data(kinds[0], given[0]), given[1])
        place = writer.at(writer.data(kinds[3], given[3]), given[4])
        with cgutils.for_range(builder, given[6]) as loop:
            value = builder.load(writer.at(first, builder.mul(loop.index, given[2])))
            builder.store(value, writer.at(place, builder.mul(loop.index, given[5])))
        return context.get_dummy_value()

    return signature, generate


def sums(filters: int, vectors: int) -> Callable[..., None]:
    """A tile of sums: `filters` rows of `vectors` registers each.

    The function it makes has the arguments (line, start, offsets, k, places, weights, panel, out,
    to, step): for `places` numbers k on, weights[panel + k * filters + f] times the run of `line`
    that begins at start + offsets[k] is added to row f of `out`, which begins at to + f * step.
    Offsets are read AHEAD of that.
    """

    @_intrinsic
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
            writer = _Writer(context, builder, kinds[0].dtype)
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

    The function it makes has the arguments (a, at, row, step, b, start, pitch, count, out, to,
    jump): out[to + r * jump:] gets the sum over k < count of a[at + r * row + k * step] times the
    numbers from b[start + k * pitch] on; unless `fresh`, that is added to what is there.
    """

    @_intrinsic
    def tile(
        typing: Any,
        a: Any,
        at: Any,
        row: Any,
        step: Any,
        b: Any,
        start: Any,
        pitch: Any,
        count: Any,
        out: Any,
        to: Any,
        jump: Any,
    ) -> Any:
        number = types.intp
        place = (number, number, number)
        signature = types.void(a, *place, b, *place, out, number, number)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = _Writer(context, builder, kinds[0].dtype)
            first = writer.at(writer.data(kinds[0], given[0]), given[1])
            lefts = [writer.at(first, builder.mul(given[2], writer.whole(r))) for r in range(rows)]
            right = writer.at(writer.data(kinds[4], given[4]), given[5])
            target = writer.at(writer.data(kinds[8], given[8]), given[9])
            registers = writer.registers(rows, vectors)
            zero = ir.Constant(writer.vector, None)
            for row in registers:
                for register in row:
                    builder.store(zero, register)
            with cgutils.for_range(builder, given[7]) as loop:
                run = writer.at(right, builder.mul(loop.index, given[6]))
                values = [writer.read(writer.at(run, v * writer.lanes)) for v in range(vectors)]
                moved = builder.mul(loop.index, given[3])
                for left, row in zip(lefts, registers):
                    factor = writer.filled(builder.load(writer.at(left, moved)))
                    for register, value in zip(row, values):
                        writer.add_product(register, factor, value)
            for r, row in enumerate(registers):
                line = writer.at(target, builder.mul(given[10], writer.whole(r)))
                for v, register in enumerate(row):
                    place = writer.at(line, v * writer.lanes)
                    total = builder.load(register)
                    if not fresh:
                        total = builder.fadd(writer.read(place), total)
                    writer.write(total, place)
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

    @_intrinsic
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
            writer = _Writer(context, builder, kinds[0].dtype)
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
