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


# The bits that fenv.h has for what NumPy tells of, by the names that it has for that.
_KINDS = ("invalid", "divide", "over", "under")
_BITS = {"x86_64": (1, 4, 8, 16), "aarch64": (1, 2, 4, 8), "arm64": (1, 2, 4, 8)}
_OBSERVED = _BITS.get(platform.machine() if os.name == "posix" else "", ())
_ALL = sum(_OBSERVED)


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


@intrinsic  # type: ignore[untyped-decorator]
def _copy(typing: Any, source: Any, target: Any, size: Any) -> Any:
    """Copy some bytes from one address to another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target, size = arguments
        byte = ir.IntType(8).as_pointer()
        places = (builder.inttoptr(place, byte) for place in (target, source))
        cgutils.raw_memcpy(builder, *places, size, 1)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64, types.int64), generate


@compiled_exactly
def _some(
    loop: int, data: int, clear: int, test: int, bits: int, a: Any, b: Any, out: Any, seen: Any,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Call a loop on the elements from `start` to `stop`, and write down which flags it raised."""
    size = out.itemsize
    # An array of one element is a number.
    x, y = size if len(a) > 1 else 0, size if len(b) > 1 else 0
    moved = (a.ctypes.data + start * x, b.ctypes.data + start * y, out.ctypes.data + start * size)
    _ask(clear, bits)
    _apply(loop, data, stop - start, moved, (x, y, size))
    include(seen.ctypes.data, _ask(test, bits))


@compiled_exactly
def _some_copied(a: Any, out: Any, start: int, stop: int) -> None:
    """Copy the elements from `start` to `stop`, or the one that there is to all of these."""
    if len(a) > 1:
        size = out.itemsize
        source, target = a.ctypes.data + start * size, out.ctypes.data + start * size
        _copy(source, target, (stop - start) * size)
    else:
        for i in range(start, stop):
            out[i] = a[0]


_EXACT = 1 << 53
_LARGEST, _LEAST = (
    {char: float(getattr(numpy.finfo(char), name)) for char in "fd"} for name in ("max", "tiny")
)

# For what may be in place of an operand: numbers that raise each of the flags.
_RAISING: dict[Any, Any] = {
    numpy.add: lambda most, least: {"invalid": (math.inf, -math.inf), "over": (most, most)},
    numpy.subtract: lambda most, least: {"invalid": (math.inf, math.inf), "over": (most, -most)},
    numpy.multiply: lambda most, least: {
        "invalid": (math.inf, 0), "over": (most, most), "under": (least, least),
    },
    numpy.divide: lambda most, least: {
        "invalid": (0, 0), "divide": (1, 0), "over": (most, 0.5), "under": (least, most),
    },
}  # fmt: skip


def fill(xp: Any, out: Any, function: Any, operands: tuple[Any, ...]) -> Any:
    """Fill a vector with what a function of elements gives for vectors like it, or for numbers.

    An operand may be `out` itself, or lies apart from it. None where that is left to Python:
    without a loop for it, or without the processor's flags.
    """
    char = out.dtype.char
    found = _loop_of(function, char)
    if found is None or not _OBSERVED or out.size < 2:
        return None
    # What is in place of an operand cannot be computed again.
    inside = any(operand is out for operand in operands)
    if inside and function not in _RAISING:
        return None
    arrays = []
    for operand in operands:
        array = operand
        if operand.__class__ is not numpy.ndarray:
            if not _fits(operand, char):
                return None
            array = numpy.array([operand], out.dtype)
        elif not operand.flags.writeable:
            # Another type for Numba, to compile for once more.
            return None
        arrays.append(array)
    threads, length = cut(out.size)
    if function is numpy.positive:
        together(shared(_some_copied), threads, out.size, length, arrays[0], out)
        return out
    seen = numpy.zeros(1, numpy.int64)
    given = (*found, *_flags(), _ALL, arrays[0], arrays[-1] if len(arrays) > 1 else out, out, seen)
    together(shared(_some), threads, out.size, length, *given)
    if seen[0]:
        _tell(int(seen[0]), function, operands, out, inside)
    return out


def _tell(seen: int, function: Any, operands: Any, out: Any, inside: bool) -> None:
    """Have NumPy say what the flags say, where the user wants to hear of it."""
    told = numpy.geterr()
    kinds = [
        kind
        for kind, bit in zip(_KINDS, _OBSERVED, strict=True)
        if seen & bit and told[kind] != "ignore"  # type: ignore[literal-required]
    ]
    if kinds and not inside:
        function(*operands, out=out)
    elif kinds:
        raising = _RAISING[function](_LARGEST[out.dtype.char], _LEAST[out.dtype.char])
        for kind in kinds:
            if kind in raising:
                function(*numpy.array(raising[kind], out.dtype)[:, None])


def _fits(number: Any, char: str) -> bool:
    """Whether a number becomes one of a dtype without a word of NumPy's."""
    if number.__class__ is int:
        return abs(number) <= _EXACT
    return number.__class__ is float and not _LARGEST[char] < abs(number) < math.inf
