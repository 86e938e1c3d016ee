"""Loops over the elements of equal arrays: one pass, in pieces, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from minigrad.backend.lanes import lanes, run, share
from minigrad.kernels.compiled.compiler import compiled_in_order

LEAST = 1 << 16
"""Elements that make up for waking a thread."""


elementwise = compiled_in_order
"""A loop over elements, as every file of activation functions declares it."""


def over(loop: Callable[..., Any], arrays: tuple[Any, ...], *numbers: Any) -> Any:
    """A new array that `loop(*arrays, *numbers, out)` fills, called on vectors, piece by piece.

    None where the arrays differ in shape or dtype. Numbers are taken in their dtype.
    """
    shape, dtype = arrays[0].shape, arrays[0].dtype
    if any(array.shape != shape or array.dtype != dtype for array in arrays[1:]):
        return None
    out = numpy.empty(shape, dtype)
    flat = out.reshape(-1)
    size = flat.size
    constants = tuple(dtype.type(number) for number in numbers)
    vectors = [_vector(array) for array in arrays]
    threads = lanes(size, LEAST)
    if threads == 1 and all(len(vector) == size for vector in vectors):
        loop(*vectors, *constants, flat)
        return out

    # A number that is seen everywhere is there for the longest piece.
    length = min(share(size, threads), *map(len, vectors))

    def task(piece: int) -> None:
        start = piece * length
        end = min(start + length, size)
        cuts = [
            vector[start:end] if len(vector) == size else vector[: end - start]
            for vector in vectors
        ]
        loop(*cuts, *constants, flat[start:end])

    run(task, -(-size // length), threads)
    return out


def _vector(array: Any) -> Any:
    """The elements in a row; one piece of them where all are the same number seen again."""
    if array.size > LEAST and not any(array.strides):
        return numpy.full(LEAST, array[(0,) * array.ndim], array.dtype)
    vector = numpy.ascontiguousarray(array).reshape(-1)
    # A view that cannot be written to is another type, to compile for once more.
    return vector if vector.flags.writeable else vector.copy()
