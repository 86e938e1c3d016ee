"""Vector registers in compiled loops: their size, and what is written as LLVM's instructions.

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

intrinsic: Callable[..., Any] = extending.intrinsic
_FUSED = ("contract",)


class Writer:
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

    def turned(self, vectors: list[Any]) -> list[Any]:
        """The columns of some registers, one behind the other in as many registers.

        The place of a number is the bits of its row, then those of its column. Shuffled like two
        halves of a deck of cards, all places lose their first bit, and have it last.
        """
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        low, high = (
            ir.Constant(kind, [first + i // 2 + i % 2 * self.lanes for i in range(self.lanes)])
            for first in (0, self.lanes // 2)
        )
        rows = len(vectors)
        for _ in range(rows.bit_length() - 1):
            vectors = [
                self.builder.shuffle_vector(
                    vectors[j // 2], vectors[(j + rows) // 2], high if j % 2 else low
                )
                for j in range(rows)
            ]
        return vectors

    def ask(self, pointer: Any) -> None:
        """Have a number brought into the cache."""
        place = ir.IntType(8).as_pointer()
        flag = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place, flag, flag, flag])
        function = self.builder.module.declare_intrinsic("llvm.prefetch", [place], kind)
        flags = [ir.Constant(flag, value) for value in (0, 3, 1)]
        self.builder.call(function, [self.builder.bitcast(pointer, place), *flags])


@intrinsic
def ask_row(typing: Any, table: Any, row: Any) -> Any:
    """Has the beginning of a row of a matrix in C's order brought into the cache.

    Of long rows the processor brings the rest by itself when it sees them read.
    """

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        writer = Writer(context, builder, kind.dtype)
        array = context.make_array(kind)(context, builder, given[0])
        width = builder.extract_value(array.shape, 1)
        begin = writer.at(array.data, builder.mul(given[1], width))
        most = writer.whole(_LINES * _LINE // writer.bytes)
        stop = builder.select(builder.icmp_signed("<", width, most), width, most)
        step = writer.whole(_LINE // writer.bytes)
        with cgutils.for_range_slice(builder, writer.whole(0), stop, step) as (start, _):
            writer.ask(writer.at(begin, start))
        return context.get_dummy_value()

    return types.none(table, types.intp), generate


_LINE = 64
_LINES = 16


@intrinsic
def largest(typing: Any, row: Any) -> Any:
    """The largest number of a row; NaNs are passed over, and of nothing else it is -inf."""
    signature = row.dtype(row)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kind = signature.args[0]
        writer = Writer(context, builder, kind.dtype)
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


@intrinsic
def move(typing: Any, source: Any, start: Any, target: Any, to: Any, count: Any) -> Any:
    """Copy `count` numbers from source[start:] to target[to:], which do not overlap."""
    number = types.intp
    signature = types.void(source, number, target, number, number)

    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        kinds = signature.args
        writer = Writer(context, builder, kinds[0].dtype)
        first = writer.at(writer.data(kinds[0], given[0]), given[1])
        place = writer.at(writer.data(kinds[2], given[2]), given[3])
        cgutils.raw_memcpy(builder, place, first, given[4], writer.bytes)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
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
        writer = Writer(context, builder, kinds[0].dtype)
        first = writer.at(writer.data(kinds[0], given[0]), given[1])
        place = writer.at(writer.data(kinds[3], given[3]), given[4])
        with cgutils.for_range(builder, given[6]) as loop:
            value = builder.load(writer.at(first, builder.mul(loop.index, given[2])))
            builder.store(value, writer.at(place, builder.mul(loop.index, given[5])))
        return context.get_dummy_value()

    return signature, generate


def turns(most: int) -> Callable[..., None]:
    """A function (source, start, step, target, to, jump) that copies a block, its rows as columns.

    It has as many rows as a register has numbers, at most `most`, a power of 2, and as many columns
    as the register. The rows begin at source[start + i * step]; the columns, one behind the other,
    fill as many registers, that begin at target[to + i * jump].
    """

    @intrinsic
    def turn(
        typing: Any, source: Any, start: Any, step: Any, target: Any, to: Any, jump: Any
    ) -> Any:
        number = types.intp
        signature = types.void(source, number, number, target, number, number)

        def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            kinds = signature.args
            writer = Writer(context, builder, kinds[0].dtype)
            first = writer.at(writer.data(kinds[0], given[0]), given[1])
            place = writer.at(writer.data(kinds[3], given[3]), given[4])
            rows = [
                writer.read(writer.at(first, builder.mul(given[2], writer.whole(i))))
                for i in range(min(most, writer.lanes))
            ]
            for i, columns in enumerate(writer.turned(rows)):
                writer.write(columns, writer.at(place, builder.mul(given[5], writer.whole(i))))
            return context.get_dummy_value()

        return signature, generate

    made: Callable[..., None] = turn
    return made


turn = turns(REGISTER)
