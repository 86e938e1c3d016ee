"""Loops over the elements of equal arrays: one pass, in pieces, on all cores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy

from minigrad.backend.lanes import lanes, portions, together
from minigrad.kernels.compiled.compiler import compiled_in_order
from minigrad.kernels.compiled.together import shared

LEAST = 1 << 16
"""Elements that make up for waking a thread."""

LINE = 64
"""Elements that fill cache lines and vector registers whole."""


elementwise = compiled_in_order
"""A loop over elements, as every file of activation functions declares it."""


class Function:
    """A loop as a function of arrays and of numbers after them, called as NumPy's own are."""

    nout = 1
    signature = None

    def __init__(self, loop: Any, arrays: int) -> None:
        self.loop = loop
        self.arrays = arrays
        self.__name__ = str(self.loop.py_func.__name__).strip("_")

    def __call__(self, *operands: Any, out: Any = None) -> Any:
        arrays, numbers = operands[: self.arrays], operands[self.arrays :]
        if len({array.shape for array in arrays}) > 1:
            arrays = numpy.broadcast_arrays(*arrays)
        if out is None:
            return over(self.loop, arrays, *numbers)
        if out.flags.c_contiguous:
            _fill(self.loop, arrays, numbers, out)
        else:
            out[...] = over(self.loop, arrays, *numbers)
        return out


function_of = functools.cache(Function)


def over(loop: Callable[..., Any], arrays: tuple[Any, ...], *numbers: Any) -> Any:
    """A new array that `loop(*arrays, *numbers, out)` fills, called on vectors, piece by piece.

    None where the arrays differ in shape or dtype. Numbers are taken in their dtype.
    """
    shape, dtype = arrays[0].shape, arrays[0].dtype
    for array in arrays:
        if array.shape != shape or array.dtype != dtype:
            return None
        if type(array) is not numpy.ndarray:
            # A symbol, which stands for an array while a plan is made, notes the call.
            function = function_of(loop, len(arrays))
            return array.__array_ufunc__(function, "__call__", *arrays, *numbers)
    out = numpy.empty(shape, dtype)
    _fill(loop, arrays, numbers, out)
    return out


def _fill(loop: Callable[..., Any], arrays: Any, numbers: Any, out: Any) -> None:
    """Fill an array by a loop over arrays of its shape and dtype."""
    size, dtype = out.size, out.dtype
    threads, length = cut(size)
    given = []
    for array in arrays:
        vector = _vector(array)
        # A number that is seen everywhere is there for the longest piece.
        length = min(length, max(1, len(vector)))
        given.append(vector)
    given += [dtype.type(number) for number in numbers]
    together(shared(loop, cuts=True), threads, size, length, *given, out.reshape(-1))


def cut(size: int) -> tuple[int, int]:
    """On how many threads a loop over so many elements runs, and the length of a piece of it.

    Pieces are whole cache lines, and so vector registers are filled as in one long loop, to the
    same bits.
    """
    threads = lanes(size, LEAST)
    line = LINE * portions(size, threads)
    return threads, max(1, size if threads == 1 else -(-size // line) * LINE)


def _vector(array: Any) -> Any:
    """The elements in a row; one piece of them where all are the same number seen again."""
    if array.size > LEAST and not any(array.strides):
        return numpy.full(LEAST, array[(0,) * array.ndim], array.dtype)
    vector = numpy.ascontiguousarray(array).reshape(-1)
    # A view that cannot be written to is another type, to compile for once more.
    return vector if vector.flags.writeable else vector.copy()
