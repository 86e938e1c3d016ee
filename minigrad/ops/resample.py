"""Resampling along one dimension: every output is a weighted sum of a few inputs, by a table.

Interpolation, padding from a tensor's own values and pooling over uneven windows are such tables.
The gradient of a table is its transpose, so that one primitive is closed under differentiation.
"""

from __future__ import annotations

import functools
from typing import Any

from minigrad import kernels
from minigrad.backend import device_of
from minigrad.graph import primitive

Row = tuple[tuple[int, float], ...]

FEW_TAPS = 4
"""Up to so many weights a row are applied one by one; more make a matrix product."""


class Table:
    """For each output the inputs that it sums, as (position, weight); `size` counts the inputs."""

    def __init__(self, rows: tuple[Row, ...], size: int) -> None:
        self.rows = rows
        self.size = size
        self.width = max(map(len, rows), default=0)
        self._transposed: Table | None = None
        self._taps: dict[Any, list[tuple[Any, Any, Any]]] = {}

    def transposed(self) -> Table:
        """For each input the outputs that it went to."""
        if self._transposed is None:
            columns: list[list[tuple[int, float]]] = [[] for _ in range(self.size)]
            for place, row in enumerate(self.rows):
                for source, weight in row:
                    columns[source].append((place, weight))
            self._transposed = Table(tuple(map(tuple, columns)), len(self.rows))
            self._transposed._transposed = self
        return self._transposed

    def taps(self, xp: Any, array: Any) -> list[tuple[Any, Any, Any]]:
        """The table as arrays beside `array`, tap by tap: outputs, inputs and weights.

        Outputs are None where all have this tap, weights where all are one.
        """
        key = (array.dtype, device_of(array))
        if key not in self._taps:
            found = []
            for tap in range(self.width):
                places = [place for place, row in enumerate(self.rows) if len(row) > tap]
                chosen = [self.rows[place][tap] for place in places]
                plain = all(weight == 1 for _, weight in chosen)
                found.append((
                    None if len(places) == len(self.rows) else xp.asarray(places, xp.int64),
                    xp.asarray([source for source, _ in chosen], xp.int64),
                    None if plain else xp.asarray([weight for _, weight in chosen], array.dtype),
                ))  # fmt: skip
            self._taps[key] = found
        return self._taps[key]

    def matrix(self, xp: Any, dtype: Any) -> Any:
        """The table as an array of shape (inputs, outputs)."""
        matrix = xp.zeros((self.size, len(self.rows)), dtype)
        for outputs, inputs, weights in self.taps(xp, matrix):
            places = slice(None) if outputs is None else outputs
            columns = xp.arange(len(self.rows))[places]
            matrix[inputs, columns] += 1 if weights is None else weights
        return matrix


@primitive(input=lambda g, table, dim: resample(g, table=table.transposed(), dim=dim))
def resample(xp: Any, input: Any, *, table: Table, dim: int) -> Any:
    """Weighted sums along one dimension, by a table."""
    dtype = input.dtype
    input = kernels.in_single(xp, input)
    if table.width > FEW_TAPS and dtype.kind in "fc" and bool(xp.isfinite(input).all()):
        moved = xp.matmul(xp.moveaxis(input, dim, -1), table.matrix(xp, input.dtype))
        return xp.moveaxis(moved, -1, dim).astype(dtype, copy=False)
    behind = (1,) * (input.ndim - dim - 1)
    before = (slice(None),) * dim
    out = None
    for outputs, inputs, weights in table.taps(xp, input):
        part = input.take(inputs, dim)
        if weights is not None:
            part *= weights.reshape(-1, *behind)
        if outputs is None:
            out = part if out is None else xp.add(out, part, out=out)
            continue
        if out is None:
            out = _zeros(xp, input, table, dim)
        out[(*before, outputs)] += part
    if out is None:
        out = _zeros(xp, input, table, dim)
    return out.astype(dtype, copy=False)


@primitive()
def resample_bytes(xp: Any, input: Any, *, table: Table, dim: int) -> Any:
    """`resample` of uint8 in whole numbers: weights of 15 bits, as Pillow and torch have them."""
    most = max((abs(weight) for row in table.rows for _, weight in row), default=1.0)
    bits = 0
    while bits < 22 and int(0.5 + most * (1 << (bits + 1))) < 1 << 15:
        bits += 1
    behind = (1,) * (input.ndim - dim - 1)
    before = (slice(None),) * dim
    total = _zeros(xp, input, table, dim).astype(xp.int32)
    total += 1 << (bits - 1)
    for outputs, inputs, weights in table.taps(xp, xp.zeros(0)):
        weights = xp.ones(len(inputs)) if weights is None else weights
        scaled = xp.trunc(weights * (1 << bits) + xp.copysign(0.5, weights)).astype(xp.int32)
        part = input.take(inputs, dim) * scaled.reshape(-1, *behind)
        total[(*before, slice(None) if outputs is None else outputs)] += part
    return xp.clip(total >> bits, 0, 255).astype(xp.uint8)


def _zeros(xp: Any, input: Any, table: Table, dim: int) -> Any:
    return xp.zeros((*input.shape[:dim], len(table.rows), *input.shape[dim + 1 :]), input.dtype)


def adaptive_windows(size: int, count: int) -> list[tuple[int, int]]:
    """`count` windows, as (start, stop), that cover `size` cells as evenly as they can."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


@functools.lru_cache(maxsize=128)
def adaptive_means(size: int, count: int) -> Table:
    """The means of `count` windows over `size` cells."""
    rows = tuple(
        tuple((cell, 1 / (stop - start)) for cell in range(start, stop))
        for start, stop in adaptive_windows(size, count)
    )
    return Table(rows, size)
