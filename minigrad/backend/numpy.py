"""The CPU backend: NumPy."""

from __future__ import annotations

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

    def scatter_add(self, array: Any, index: Any, values: Any) -> None:
        numpy.add.at(array, index, values)
