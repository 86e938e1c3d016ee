"""Chains of functions of elements, tile by tile on all cores, without Python between the calls.

A chain is a table of calls, which a compiled loop goes through for each tile: of loops of NumPy's,
and of minigrad's own. What is between two calls lies in memory of the thread's, and stays in cache.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy

from minigrad.backend.lanes import together
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.elementwise import LINE, cut
from minigrad.kernels.compiled.numpy_loops import (
    OBSERVED,
    RAISING,
    apply,
    ask,
    fits,
    flags,
    heard,
    loop_of,
    tell,
)
from minigrad.kernels.compiled.together import call, shared, task_of
from minigrad.kernels.compiled.words import include

TILE = 1 << 13
"""Elements of a tile: a handful of arrays of this size fit a second-level cache."""

# What an operand is: an array by its number, from here on a number, and below zero a tile.
_NUMBERS = 1 << 20
_ARRAY = 7
"""Words of an array, as Numba holds it: the count of its elements, their place and number are"""
_COUNT, _PLACE, _SHAPE = 2, 4, 5

# The columns of the table of calls: whether a loop of NumPy's is called, the addresses of the
# function and of what it is to be given, how many operands there are, the result one of them.
_NUMPYS, _FUNCTION, _DATA, _OPERANDS = range(4)


@compiled_exactly
def _place(code: int, at: int, arrays: Any, numbers: int, tiles: int, tile: int, size: int) -> int:
    """The address of an operand of the tile at an element."""
    if code < 0:
        return tiles + (-1 - code) * tile * size
    if code >= _NUMBERS:
        return numbers + (code - _NUMBERS) * size
    return int(arrays[code]) + at * size


@compiled_exactly
def some(
    calls: Any, operands: Any, arrays: Any, numbers: Any, held: Any, starts: Any, tiles: int,
    tile: int, size: int, clear: int, test: int, bits: int, seen: Any, start: int, stop: int,
) -> None:  # fmt: skip
    """Make all calls for the elements from `start` to `stop`, and note which raised flags.

    `held` has what minigrad's own functions are given, from `starts` on, but for the places.
    """
    own = held.copy()
    spare = numpy.empty((tiles * tile * size + LINE) // 8 + 1, numpy.int64)
    between = (spare.ctypes.data + LINE - 1) // LINE * LINE
    constants = numbers.ctypes.data
    for at in range(start, stop, tile):
        count = min(tile, stop - at)
        for i in range(len(calls)):
            last = calls[i, _OPERANDS] - 1
            if calls[i, _NUMPYS]:
                a, b = operands[i, 0], operands[i, last - 1]
                x = 0 if a >= _NUMBERS else size
                y = 0 if b >= _NUMBERS else size
                left = _place(a, at, arrays, constants, between, tile, size)
                right = _place(b, at, arrays, constants, between, tile, size)
                to = _place(operands[i, last], at, arrays, constants, between, tile, size)
                if last == 1:
                    right, y = to, size
                ask(clear, bits)
                places, steps = (left, right, to), (x, y, size)
                apply(calls[i, _FUNCTION], calls[i, _DATA], count, places, steps)
                raised = ask(test, bits)
                if raised:
                    include(seen.ctypes.data + 8 * i, raised)
            else:
                for k in range(last + 1):
                    code = operands[i, k]
                    if code < _NUMBERS:
                        place = _place(code, at, arrays, constants, between, tile, size)
                        own[starts[i, k] + _COUNT] = count
                        own[starts[i, k] + _PLACE] = place
                        own[starts[i, k] + _SHAPE] = count
                given = own.ctypes.data + 8 * starts[i, 0]
                if call(calls[i, _FUNCTION], given, count, 0, count):
                    raise MemoryError("a compiled loop could not have the memory that it works in")


class _Table:
    """The calls of a chain, as the compiled loop is given them."""

    def __init__(self, steps: Any, dtype: Any) -> None:
        self._dtype = dtype
        self._numbers: list[Any] = []
        self._held: list[int] = []
        width = max(len(operands) for _, operands, _ in steps) + 1
        self.calls = numpy.zeros((len(steps), 4), numpy.int64)
        self.operands = numpy.zeros((len(steps), width), numpy.int64)
        self.starts = numpy.zeros((len(steps), width), numpy.int64)
        self.fits = all(self._add(i, *step) for i, step in enumerate(steps))
        self.tells = all(f in RAISING for f, _, _ in steps if type(f) is numpy.ufunc)
        self.numbers = numpy.array(self._numbers, dtype)
        self.held = numpy.array(self._held, numpy.int64)

    def _add(self, i: int, function: Any, operands: Any, target: int) -> bool:
        """Write down a call; whether it can be made."""
        char = self._dtype.char
        self.calls[i, _OPERANDS] = len(operands) + 1
        self.operands[i, len(operands)] = target
        for k, operand in enumerate(operands):
            if type(operand) is tuple:
                number = operand[0].item() if type(operand[0]) is numpy.ndarray else operand[0]
                if not fits(number, char):
                    return False
                self.operands[i, k] = _NUMBERS + len(self._numbers)
                self._numbers.append(number)
            else:
                self.operands[i, k] = operand
        if type(function) is numpy.ufunc:
            found = loop_of(function, char)
            if found is None:
                return False
            self.calls[i, : _DATA + 1] = 1, *found
            return True
        numbers = [operand[0] for operand in operands[function.arrays :]]
        self.calls[i, : _DATA + 1] = 0, _task(function, len(numbers), self._dtype), 0
        return self._hold(i, function.arrays, numbers, operands)

    def _hold(self, i: int, arrays: int, numbers: list[Any], operands: Any) -> bool:
        """Lay out what a function is given: arrays, numbers, and the array of the result."""
        if any(type(operand) is tuple for operand in operands[:arrays]):
            return False
        size = self._dtype.itemsize
        of_array = [0, 0, 0, size, 0, 0, size]
        begin = len(self._held)
        self._held += of_array * arrays
        packed = numpy.array(numbers, self._dtype).tobytes()
        packed += bytes(-len(packed) % 8)
        self._held += numpy.frombuffer(packed, numpy.int64).tolist()
        end = len(self._held)
        self._held += of_array
        places = [begin + _ARRAY * k for k in range(arrays)] + [begin] * len(numbers) + [end]
        self.starts[i, : len(places)] = places
        return True


def _task(function: Any, numbers: int, dtype: Any) -> int:
    """The address of what calls a function of minigrad's own."""
    arrays = [numpy.zeros(1, dtype) for _ in range(function.arrays + 1)]
    return task_of(function.loop, *arrays[:-1], *[dtype.type(0)] * numbers, arrays[-1])


def calls_of(chain: Any, arrays: Any) -> Any:
    """What `some` is given before the ends of a piece, to make the calls of a chain on arrays.

    None where one of the functions cannot be called from here.
    """
    if not OBSERVED:
        return None
    dtype = arrays[0].dtype
    table = chain.tables.get(dtype)
    if table is None:
        table = chain.tables[dtype] = _Table(chain.steps, dtype)
    if not table.fits or (chain.changes and not table.tells):
        return None
    places = numpy.array([_address(each) for each in arrays], numpy.int64)
    seen = numpy.zeros(len(chain.steps), numpy.int64)
    given = (table.calls, table.operands, places, table.numbers, table.held, table.starts)
    return (*given, len(chain.between), TILE, dtype.itemsize, *flags(), seen)


def said(chain: Any, seen: Any, char: str) -> Any:
    """Have NumPy say what was noted while the calls were made; True, or None where it is to make
    them all again for that.
    """
    raised = [heard(each) for each in seen.tolist()]
    if any(raised) and not chain.changes:
        return None
    for (function, _, _), kinds in zip(chain.steps, raised, strict=True):
        if kinds:
            tell(kinds, function, char)
    return True


def run_chain(xp: Any, array: Any, chain: Any, arrays: Any) -> Any:
    """Make the calls of a chain on arrays like `array`; whether that was done, or None.

    That is where one of its functions cannot be called from here, or where NumPy is to make them
    all again, for it has something to say.
    """
    given = calls_of(chain, arrays)
    if given is None:
        return None
    threads, length = cut(array.size)
    together(shared(some), threads, array.size, length, *given)
    return said(chain, given[-1], array.dtype.char)


def _address(array: Any) -> int:
    if array.flags.writeable:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    return int(array.ctypes.data)
