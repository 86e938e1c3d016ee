"""Compiled loops on several threads, which hand pieces to each other without Python's lock.

A thread that asks for a loop describes it in the table of `minigrad.backend.lanes`, and all that
are awake take pieces of it until none is left; who sleeps is not waited for. Nothing of Python runs
meanwhile, so that a piece is handed over in less than a microsecond.
"""

from __future__ import annotations

import functools
from types import FunctionType
from typing import Any

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad.backend.lanes import CALLS, LOOPS
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.words import WORD, add, give_way, pause, read, write

# The words of the table, each with a cache line of its own: how many loops there were, how many
# calls for Python, whether a loop can be entered, how many threads may, how many are inside,
_LOOPS, _CALLS, _OPEN, _ROOM, _INSIDE = 8 * LOOPS, 8 * CALLS, 128, 192, 256
# the next row; and what changes seldom: how many rows there are, and in a piece, the addresses of
# the task and of its arguments, and the status of a piece that failed.
_NEXT, _ROWS, _LENGTH, _TASK, _GIVEN, _STATUS = 320, 384, 392, 400, 408, 416

_SOON = 1000
"""Looks at a word before another thread is let have the core, while a loop is waited for."""

_OFTEN = 64
"""The same while nothing is waited for but what may come: some microseconds."""

_TASK_KIND = ir.FunctionType(ir.IntType(32), [WORD] * 4)


@intrinsic  # type: ignore[untyped-decorator]
def call(typing: Any, task: Any, given: Any, rows: Any, start: Any, stop: Any) -> Any:
    """Run the task at an address on some of the rows; its status, zero where all went well."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = builder.inttoptr(arguments[0], _TASK_KIND.as_pointer())
        return builder.sext(builder.call(function, arguments[1:]), WORD)

    return types.int64(*[types.int64] * 5), generate


def _described(cuts: bool) -> Any:
    @intrinsic  # type: ignore[untyped-decorator]
    def described(typing: Any, loop: Any, given: Any) -> Any:
        """The addresses of a task that calls `loop` for some rows, and of what it is given."""
        ends = () if cuts else (types.int64, types.int64)
        kinds = (*given, *ends)
        called = loop.get_call_type(typing, kinds, {})

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            compiled = loop.dispatcher.get_compile_result(called)
            context.add_linking_libs([compiled.library])
            place = cgutils.alloca_once_value(builder, arguments[1])
            task = ir.Function(builder.module, _TASK_KIND, f"task.{builder.function.name}")
            task.linkage = "internal"
            inner = ir.IRBuilder(task.append_basic_block())
            address, rows, start, stop = task.args
            held = inner.load(inner.inttoptr(address, place.type))
            values = cgutils.unpack_tuple(inner, held, len(given))
            if cuts:
                values = [
                    _cut(context, inner, kind, value, rows, start, stop)
                    for kind, value in zip(given, values, strict=True)
                ]
            else:
                values += [start, stop]
            values = [
                context.cast(inner, value, kind, wanted)
                for value, kind, wanted in zip(values, kinds, called.args, strict=True)
            ]
            function = context.declare_function(builder.module, compiled.fndesc)
            status, _ = context.call_conv.call_function(
                inner, function, called.return_type, called.args, values
            )
            inner.ret(status.code)
            found = [builder.ptrtoint(pointer, WORD) for pointer in (task, place)]
            return context.make_tuple(builder, signature.return_type, found)

        return types.UniTuple(types.int64, 2)(loop, given), generate

    return described


def _cut(
    context: Any, builder: Any, kind: Any, value: Any, rows: Any, start: Any, stop: Any
) -> Any:
    """An array's elements from `start` to `stop`; the first ones of one that has not all `rows`."""
    if not isinstance(kind, types.Array):
        return value
    array = context.make_array(kind)(context, builder, value)
    whole = builder.icmp_signed("==", array.nitems, rows)
    offset = builder.select(whole, start, ir.Constant(WORD, 0))
    array.data = builder.gep(array.data, [offset])
    array.nitems = builder.sub(stop, start)
    array.shape = cgutils.pack_array(builder, [array.nitems])
    return array._getvalue()


_by_ends, _by_cuts = _described(False), _described(True)


@compiled_exactly
def _take_part(table: int) -> None:
    """Run pieces of the loop in the table until all are taken."""
    task, given = read(table + _TASK), read(table + _GIVEN)
    rows, length = read(table + _ROWS), read(table + _LENGTH)
    start = add(table + _NEXT, length)
    while start < rows:
        status = call(task, given, rows, start, min(start + length, rows))
        if status:
            write(table + _STATUS, status)
        start = add(table + _NEXT, length)


@compiled_exactly
def _lead(table: int, helpers: int, rows: int, length: int, task: int, given: int) -> None:
    """Run a task on all rows, `length` of them at a time, with so many helpers.

    With less than none its address is written into the table, and nothing run.
    """
    if helpers < 0:
        write(table + _TASK, task)
        return
    if not helpers:
        status = 0
        for start in range(0, rows, length):
            status |= call(task, given, rows, start, min(start + length, rows))
    else:
        write(table + _TASK, task)
        write(table + _GIVEN, given)
        write(table + _ROWS, rows)
        write(table + _LENGTH, length)
        write(table + _STATUS, 0)
        write(table + _NEXT, 0)
        write(table + _ROOM, helpers)
        write(table + _OPEN, 1)
        add(table + _LOOPS, 1)
        _take_part(table)
        # Who has not come in by now stays out.
        write(table + _OPEN, 0)
        waited = 0
        while read(table + _INSIDE):
            pause()
            waited += 1
            if waited > _SOON:
                give_way()
        status = read(table + _STATUS)
    if status:
        raise MemoryError("a compiled loop could not have the memory that it works in")


@compiled_exactly
def attend(table: int, loops: int, calls: int, patience: int) -> tuple[int, int]:
    """Take part in loops until Python is called, or until nothing was asked for a while.

    `loops` and `calls` are how many there had been when this thread looked last; returned anew.
    """
    waited = 0
    while waited < patience:
        now = read(table + _LOOPS)
        if now != loops:
            loops = now
            waited = 0
            add(table + _INSIDE, 1)
            if read(table + _OPEN) and add(table + _ROOM, -1) > 0:
                _take_part(table)
            add(table + _INSIDE, -1)
        elif read(table + _CALLS) != calls:
            return loops, read(table + _CALLS)
        pause()
        waited += 1
        if not waited % _OFTEN:
            give_way()
    return loops, calls


def _one(table: int, helpers: int, rows: int, length: int, *given: Any) -> None:
    task, place = DESCRIBED(LOOP, given)  # type: ignore[name-defined] # noqa: F821
    _lead(table, helpers, rows, length, task, place)


@functools.cache
def shared(loop: Any, cuts: bool = False) -> Any:
    """A loop as a function of the table, helpers, rows and the length of a piece, and of what it is
    given itself but for the two ends of a piece.

    With `cuts` it has no ends, but is given the piece itself of each array that has all rows.
    """
    written = loop.py_func
    code = written.__code__
    # Numba keeps compiled functions by file, name and line: each is to have its own.
    name = f"{written.__name__}_shared"
    told = {"co_filename": code.co_filename, "co_firstlineno": code.co_firstlineno}
    own = _one.__code__.replace(**told, co_name=name, co_qualname=name)
    known = {**globals(), "LOOP": loop, "DESCRIBED": _by_cuts if cuts else _by_ends}
    made = FunctionType(own, known, name)
    made.__module__ = written.__module__
    return compiled_exactly(made)


def task_of(loop: Any, *given: Any) -> int:
    """The address of the task that calls a loop, which is told its pieces by cuts, for such things.

    A task is given the address of these, as Numba holds them, all rows, and the ends of a piece.
    """
    table = numpy.zeros(_STATUS // 8 + 1, numpy.int64)
    shared(loop, cuts=True)(table.ctypes.data, -1, 1, 1, *given)
    return int(table[_TASK // 8])
