"""NumPy's functions of elements on large arrays: its own loops, on all cores without Python's lock.

Where a flag of the processor says that a result was infinite, or none, NumPy does it all again, and
says so as the user has told it to.
"""

from __future__ import annotations

from typing import Any

import numpy
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad.backend.lanes import together
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.elementwise import cut
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
from minigrad.kernels.compiled.together import shared
from minigrad.kernels.compiled.words import include


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
    ask(clear, bits)
    apply(loop, data, stop - start, moved, (x, y, size))
    include(seen.ctypes.data, ask(test, bits))


@compiled_exactly
def _some_copied(a: Any, out: Any, start: int, stop: int) -> None:
    """Copy the elements from `start` to `stop`."""
    size = out.itemsize
    source, target = a.ctypes.data + start * size, out.ctypes.data + start * size
    _copy(source, target, (stop - start) * size)


@compiled_exactly
def _repeated(number: Any, out: Any) -> None:
    """Write a number everywhere."""
    for i in range(len(out)):
        out[i] = number


def fill(xp: Any, out: Any, function: Any, operands: tuple[Any, ...]) -> Any:
    """Fill a vector with what a function of elements gives for vectors like it, or for numbers.

    An operand may be `out` itself, or lies apart from it. None where that is left to Python:
    without a loop for it, or without the processor's flags.
    """
    char = out.dtype.char
    found = loop_of(function, char)
    if found is None or not OBSERVED or out.size < 2:
        return None
    # What is in place of an operand cannot be computed again.
    inside = any(operand is out for operand in operands)
    if inside and function not in RAISING:
        return None
    arrays = []
    for operand in operands:
        array = operand
        if operand.__class__ is not numpy.ndarray:
            if not fits(operand, char):
                return None
            array = numpy.array([operand], out.dtype)
        elif not operand.flags.writeable:
            # Another type for Numba, to compile for once more.
            return None
        arrays.append(array)
    threads, length = cut(out.size)
    if function is numpy.positive:
        # Of one number, or of what lies together.
        if len(arrays[0]) == 1:
            number = arrays[0][0]
            together(shared(_repeated, cuts=True), threads, out.size, length, number, out)
        else:
            together(shared(_some_copied), threads, out.size, length, arrays[0], out)
        return out
    seen = numpy.zeros(1, numpy.int64)
    given = (*found, *flags(), arrays[0], arrays[-1] if len(arrays) > 1 else out, out, seen)
    together(shared(_some), threads, out.size, length, *given)
    kinds = heard(int(seen[0]))
    if kinds and inside:
        tell(kinds, function, char)
    elif kinds:
        function(*operands, out=out)
    return out
