"""NumPy's own loops of its functions of elements, and how compiled code calls them.

A universal function of NumPy holds the address of a loop in C for each kind of operands. A compiled
loop calls it piece by piece, and asks the processor afterwards what NumPy asks it, whether a result
was infinite, or none.
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

from minigrad.kernels.compiled.words import WORD


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
def loop_of(function: Any, char: str) -> tuple[int, int] | None:
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
OBSERVED = _BITS.get(platform.machine() if os.name == "posix" else "", ())


@functools.cache
def flags() -> tuple[int, int, int]:
    """The addresses of the functions that clear the processor's flags and test them, and which."""
    library = ctypes.CDLL(None)
    found = (library.feclearexcept, library.fetestexcept)
    clear, test = (ctypes.cast(each, ctypes.c_void_p).value or 0 for each in found)
    return clear, test, sum(OBSERVED)


_ASKED = ir.FunctionType(ir.IntType(32), [ir.IntType(32)])
_LOOP = ir.FunctionType(ir.VoidType(), [WORD.as_pointer()] * 3 + [WORD])


@intrinsic  # type: ignore[untyped-decorator]
def ask(typing: Any, function: Any, bits: Any) -> Any:
    """What a function of the processor's flags at an address says of some of them."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address, bits = arguments
        called = builder.inttoptr(address, _ASKED.as_pointer())
        return builder.sext(builder.call(called, [builder.trunc(bits, ir.IntType(32))]), WORD)

    return types.int64(types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def apply(typing: Any, loop: Any, data: Any, count: Any, places: Any, steps: Any) -> Any:
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


_EXACT = 1 << 53
_LARGEST, _LEAST = (
    {char: float(getattr(numpy.finfo(char), name)) for char in "fd"} for name in ("max", "tiny")
)

# For what may be in place of an operand: numbers that raise each of the flags.
RAISING: dict[Any, Any] = {
    numpy.add: lambda most, least: {"invalid": (math.inf, -math.inf), "over": (most, most)},
    numpy.subtract: lambda most, least: {"invalid": (math.inf, math.inf), "over": (most, -most)},
    numpy.multiply: lambda most, least: {
        "invalid": (math.inf, 0), "over": (most, most), "under": (least, least),
    },
    numpy.divide: lambda most, least: {
        "invalid": (0, 0), "divide": (1, 0), "over": (most, 0.5), "under": (least, most),
    },
}  # fmt: skip


def heard(seen: int) -> list[str]:
    """What raised flags that the user wants to hear of, in NumPy's words."""
    if not seen:
        return []
    told: Any = numpy.geterr()
    kinds = zip(_KINDS, OBSERVED, strict=True)
    return [kind for kind, bit in kinds if seen & bit and told[kind] != "ignore"]


def tell(kinds: list[str], function: Any, char: str) -> None:
    """Have NumPy say it of a function, by numbers that raise the same flags."""
    raising = RAISING[function](_LARGEST[char], _LEAST[char])
    for kind in kinds:
        if kind in raising:
            function(*numpy.array(raising[kind], char)[:, None])


def fits(number: Any, char: str) -> bool:
    """Whether a number becomes one of a dtype without a word of NumPy's."""
    if number.__class__ is int:
        return abs(number) <= _EXACT
    return number.__class__ is float and not _LARGEST[char] < abs(number) < math.inf
