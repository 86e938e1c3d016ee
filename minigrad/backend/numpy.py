"""The CPU backend: NumPy."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.backend.device import Backend, device

_CPU = device("cpu")


class NumpyBackend(Backend):
    """Arrays in the host's memory."""

    name = "cpu"
    xp = numpy
    array_type = numpy.ndarray

    def device_of(self, array: Any) -> device:
        return _CPU

    def from_numpy(self, array: Any, place: device) -> Any:
        return array

    def to_numpy(self, array: Any) -> Any:
        return array

    def address(self, array: Any) -> int:
        return int(array.__array_interface__["data"][0])

    def as_strided(
        self, array: Any, size: tuple[int, ...], stride: tuple[int, ...], start: int
    ) -> Any:
        width = array.itemsize
        if not prod(size):
            return array[:0].reshape(size)
        return numpy.ndarray(size, array.dtype, array, start * width, [n * width for n in stride])

    def broadcast_to(self, array: Any, size: tuple[int, ...]) -> Any:
        # NumPy's own function takes four times as long, and every gradient of a sum needs one.
        if not array.ndim:
            strides = (0,) * len(size)
        else:
            found = _strides(array, size)
            if found is None:
                return numpy.broadcast_to(array, size)
            strides = found
        out = numpy.ndarray(size, array.dtype, numpy.asarray(array), 0, strides)
        out.flags.writeable = False
        return out

    def spread(self, array: Any, size: tuple[int, ...]) -> Any:
        # To set up a view takes longer than to copy so little, as does work on what it shows.
        if prod(size) > _LITTLE:
            return self.broadcast_to(array, size)
        out = numpy.empty(size, array.dtype)
        out[...] = array
        return out

    def join(self, arrays: list[Any]) -> tuple[Any, list[Any]] | None:
        # Views of an array would have it as their base; the base of these is no array.
        memory = bytearray(sum(array.nbytes for array in arrays))
        parts = []
        start = 0
        for array in arrays:
            part = numpy.ndarray(array.shape, array.dtype, memory, start)
            part[...] = array
            parts.append(part)
            start += part.nbytes
        return numpy.ndarray(start // array.itemsize, array.dtype, memory), parts

    def scatter_add(self, array: Any, index: Any, values: Any) -> None:
        positions = _flat_positions(array, index, values)
        if positions is None:
            numpy.add.at(array, index, values)
        else:
            values = numpy.broadcast_to(values, positions.shape)
            numpy.add.at(array.reshape(-1), positions.reshape(-1), values.reshape(-1))


def _strides(array: Any, size: tuple[int, ...]) -> tuple[int, ...] | None:
    """The steps in bytes that show a contiguous array at a larger size; None where none do."""
    lead = len(size) - array.ndim
    if lead < 0 or not array.flags.c_contiguous:
        return None
    if size[lead:] == array.shape:
        return (*(0,) * lead, *array.strides)
    strides = [0] * len(size)
    for axis, (length, step) in enumerate(zip(array.shape, array.strides), lead):
        if length == size[axis]:
            strides[axis] = step
        elif length != 1:
            return None
    return tuple(strides)


_FEW = 2048
_LITTLE = 4096


def _flat_positions(array: Any, index: Any, values: Any) -> Any:
    """Where an index points in the flattened array, if adding there is the faster way, else None.

    NumPy adds quickly at one vector of positions in one dimension, several times faster than at
    rows or at pairs of positions; finding the positions pays from some thousands of values on.
    """
    index = index if isinstance(index, tuple) else (index,)
    vectors = index[:-1] if index and index[-1] is Ellipsis else index
    if numpy.size(values) < _FEW or not array.flags.c_contiguous or (array.ndim == len(index) == 1):
        return None
    if not all(isinstance(item, numpy.ndarray) and item.dtype.kind in "iu" for item in vectors):
        return None
    rows: Any = 0
    for item, size in zip(vectors, array.shape):
        if item.size and (item.min() < -size or item.max() >= size):
            return None  # NumPy's own way raises the error
        rows = rows * size + numpy.where(item < 0, item + size, item)
    block = array.shape[len(vectors) :]
    width = numpy.prod(block, dtype=int)
    if not block:
        return rows
    positions = (rows * width)[..., None] + numpy.arange(width)
    return positions.reshape(rows.shape + block)
