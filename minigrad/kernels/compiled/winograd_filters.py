"""Winograd's transform of 3x3 filters: each becomes the 36 numbers that meet a tile of inputs."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import lanes
from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.registers import REGISTER, move
from minigrad.kernels.compiled.tiles import transforms
from minigrad.kernels.compiled.workers import LEAST, PIECES

PLACES = 36
LANES = REGISTER // 4
"""How many numbers a register holds, in single precision."""


_filters = transforms(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


@compiled
def _transform(w: Any, turned: bool, first: int, last: int, out: Any) -> None:
    """Rows `first` to `last` of filters (O, C, 3, 3) as matrices (36, O, columns), or those of the
    transposed filters, turned round, as (36, C, columns).
    """
    filters, channels = w.shape[:2]
    columns = filters if turned else channels
    flat, target = w.reshape(-1), out.reshape(-1)
    whole = out.shape[2]
    places = numpy.zeros(9 * LANES, w.dtype)
    halves = numpy.empty(18 * LANES, w.dtype)
    # A row of all matrices is made first: 36 lines of memory written at once are slow.
    made = numpy.empty(PLACES * whole, w.dtype)
    zero = w.dtype.type(0)
    for row in range(first, last):
        for column in range(0, columns, LANES):
            for i in range(min(LANES, columns - column)):
                if turned:
                    at = ((column + i) * channels + row) * 9
                    for k in range(9):
                        places[(8 - k) * LANES + i] = flat[at + k]
                else:
                    at = (row * channels + column + i) * 9
                    for k in range(9):
                        places[k * LANES + i] = flat[at + k]
            for k in range(3):
                _filters(places, k * LANES, 3 * LANES, halves, k * LANES, 3 * LANES, zero)
            for k in range(6):
                at = 6 * k * whole + column
                _filters(halves, 3 * k * LANES, LANES, made, at, whole, zero)
        for k in range(PLACES):
            move(made, k * whole, target, (k * out.shape[1] + row) * whole, whole)


def matrices(weight: Any, turned: bool) -> Any:
    """Filters (O, C, 3, 3) as 36 matrices (36, O, C); those of the gradient in the input, which
    are turned round, as (36, C, O).
    """
    weight = numpy.ascontiguousarray(weight)
    rows, columns = weight.shape[1::-1] if turned else weight.shape[:2]
    made = numpy.empty((PLACES, rows, -(-columns // LANES) * LANES), weight.dtype)

    def task(piece: int) -> None:
        _transform(weight, turned, rows * piece // PIECES, rows * (piece + 1) // PIECES, made)

    lanes.run(task, PIECES, lanes.lanes(made.size * 9, LEAST))
    return made[:, :, :columns]
