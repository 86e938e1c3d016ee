"""Loops over the elements of equal arrays: one pass, in pieces, on all cores."""

from __future__ import annotations

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


def over(loop: Callable[..., Any], arrays: tuple[Any, ...], *numbers: Any) -> Any:
    """A new array that `loop(*arrays, *numbers, out)` fills, called on vectors, piece by piece.

    None where the arrays differ in shape or dtype. Numbers are taken in their dtype.
    """
    shape, dtype, size = arrays[0].shape, arrays[0].dtype, arrays[0].size
    threads, length = cut(size)
    given = []
    for array in arrays:
        if array.shape != shape or array.dtype != dtype:
            return None
        vector = _vector(array)
        # A number that is seen everywhere is there for the longest piece.
        length = min(length, max(1, len(vector)))
        given.append(vector)
    given += [dtype.type(number) for number in numbers]
    out = numpy.empty(shape, dtype)
    together(shared(loop, cuts=True), threads, size, length, *given, out.reshape(-1))
    return out


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
