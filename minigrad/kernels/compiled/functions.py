"""NumPy's own loops of its functions of elements, on all cores without Python's lock.

A universal function of NumPy holds the address of a loop in C for each kind of operands. A compiled
loop calls it piece by piece, and asks the processor afterwards what NumPy asks it, whether a result
was infinite, or none: then NumPy does it all again, and says so as the user has told it to.
"""

from __future__ import annotations

import ctypes
import functools
import math
import os
import platform
from typing import Any

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad.backend.lanes import together
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.elementwise import cut
from minigrad.kernels.compiled.together import shared
from minigrad.kernels.compiled.words import WORD, include


class _Function(ctypes.Structure):
    """What NumPy's header `ufuncobject.h` puts behind the head of a universal function."""

    _fields_ = (
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_char)),
    )


@functools.cache
def _loop_of(function: Any, char: str) -> tuple[int, int] | None:
    """The addresses of a function's loop for a dtype, and of what that is to be given.

    None where there is no such loop, or NumPy's functions are not made as its header says.
    """
    found = _Function.from_address(id(function) + object.__basicsize__)
    told = (found.nin, found.nout, found.nargs, found.ntypes)
    if told != (function.nin, function.nout, function.nargs, function.ntypes):
        return None
    if found.name != function.__name__.encode() or found.nout != 1 or found.nin > 2:
        return None
    kinds = char * found.nin + "->" + char
    if kinds not in function.types:
        return None
    position = function.types.index(kinds)
    numbers = found.types[position * found.nargs : (position + 1) * found.nargs]
    if numbers != bytes([numpy.dtype(char).num]) * found.nargs:
        return None
    return found.functions[position] or 0, found.data[position] or 0


# The bits that fenv.h has for what is invalid, for a division by zero, and for what is too large.
_BITS = {"x86_64": (1, 4, 8), "aarch64": (1, 2, 4), "arm64": (1, 2, 4)}
_INVALID, _DIVIDED, _LARGE = _BITS.get(platform.machine() if os.name == "posix" else "", (0, 0, 0))
_OBSERVED = _INVALID | _DIVIDED | _LARGE


@functools.cache
def _flags() -> tuple[int, int]:
    """The addresses of the functions that clear the processor's flags and test them."""
    library = ctypes.CDLL(None)
    found = (library.feclearexcept, library.fetestexcept)
    clear, test = (ctypes.cast(each, ctypes.c_void_p).value or 0 for each in found)
    return clear, test


_ASKED = ir.FunctionType(ir.IntType(32), [ir.IntType(32)])
_LOOP = ir.FunctionType(ir.VoidType(), [WORD.as_pointer()] * 3 + [WORD])


@intrinsic  # type: ignore[untyped-decorator]
def _ask(typing: Any, function: Any, bits: Any) -> Any:
    """What a function of the processor's flags at an address says of some of them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, bits = arguments
        called = builder.inttoptr(address, _ASKED.as_pointer())
        return builder.sext(builder.call(called, [builder.trunc(bits, ir.IntType(32))]), WORD)

    return types.int64(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _apply(typing: Any, loop: Any, data: Any, count: Any, places: Any, steps: Any) -> Any:
    """Call a loop of NumPy's on `count` elements, at these places with these steps between them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        loop, data, count, places, steps = arguments
        dimensions = cgutils.alloca_once_value(builder, count)
        held = [cgutils.alloca_once_value(builder, each) for each in (places, steps)]
        first, second = (builder.bitcast(pointer, WORD.as_pointer()) for pointer in held)
        called = builder.inttoptr(loop, _LOOP.as_pointer())
        builder.call(called, [first, dimensions, second, data])
        return context.get_dummy_value()

    kinds = (types.int64, types.int64, types.int64, places, steps)
    return types.none(*kinds), generate


@compiled_exactly
def _some(loop: int, data: int, flags: Any, places: Any, steps: Any, start: int, stop: int) -> None:
    """Call a loop on the elements from `start` to `stop`, and write down which flags it raised."""
    clear, test, bits = flags
    a, b, c, seen = places
    x, y, z = steps
    _ask(clear, bits)
    moved = (a + start * x, b + start * y, c + start * z)
    _apply(loop, data, stop - start, moved, steps)
    include(seen, _ask(test, bits))


_IGNORED = {"divide": "ignore", "over": "ignore", "under": "ignore", "invalid": "ignore"}
_EXACT = 1 << 53
_INFINITE, _LARGEST = math.inf, {"f": float(numpy.finfo("f").max), "d": float(numpy.finfo("d").max)}

# For what may be in place of an operand: numbers that raise each of the flags.
_RAISING: dict[Any, Any] = {
    numpy.add: lambda most: {_INVALID: (_INFINITE, -_INFINITE), _LARGE: (most, most)},
    numpy.subtract: lambda most: {_INVALID: (_INFINITE, _INFINITE), _LARGE: (most, -most)},
    numpy.multiply: lambda most: {_INVALID: (_INFINITE, 0), _LARGE: (most, most)},
    numpy.divide: lambda most: {_INVALID: (0, 0), _DIVIDED: (1, 0), _LARGE: (most, 0.5)},
}


def fill(xp: Any, out: Any, function: Any, operands: tuple[Any, ...]) -> Any:
    """Fill a vector with what a function of elements gives for vectors like it, or for numbers.

    None where that is left to Python: without a loop for it, or without the processor's flags.
    """
    char = out.dtype.char
    found = _loop_of(function, char)
    told = numpy.geterr()
    # What is too small is told to few.
    if found is None or not _OBSERVED or told["under"] != "ignore":
        return None
    step = out.itemsize
    arrays, steps = [], []
    for operand in operands:
        many = operand.__class__ is numpy.ndarray and operand.ndim == 1
        if not many and not _fits(operand, char):
            return None
        arrays.append(operand if many else numpy.array([operand], out.dtype))
        steps.append(step if many else 0)
    arrays += [out] * (3 - len(arrays))
    steps += [step] * (3 - len(steps))
    seen = numpy.zeros(1, numpy.int64)
    places = tuple(array.__array_interface__["data"][0] for array in (*arrays, seen))
    place = places[len(operands)]
    apart = [abs(place - other) for other in places[: len(operands)]]
    inside = 0 in apart
    # What is in place of an operand cannot be computed again, nor what is half in its place at all.
    if any(0 < other < out.nbytes for other in apart) or (inside and function not in _RAISING):
        return None
    threads, length = cut(out.size)
    flags = (*_flags(), _OBSERVED)
    together(shared(_some), threads, out.size, length, *found, flags, places, tuple(steps))
    if seen[0] and told != _IGNORED:
        if not inside:
            function(*operands, out=out)
            return out
        for bit, numbers in _RAISING[function](_LARGEST[char]).items():
            if seen[0] & bit:
                function(*numpy.array(numbers, out.dtype)[:, None])
    return out


def _fits(number: Any, char: str) -> bool:
    """Whether a number becomes one of a dtype without a word of NumPy's."""
    if number.__class__ is int:
        return abs(number) <= _EXACT
    return number.__class__ is float and not _LARGEST[char] < abs(number) < math.inf
