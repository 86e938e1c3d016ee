"""Attention in blocks that stay in a core's cache: tiles of products, and one loop between them.

The forward goes by blocks of queries, whose largest score and sum of exponentials grow with the
keys that they meet; the gradient by blocks of keys, each met by the queries that see it. Source:
Dao, "FlashAttention-2", 2023.
"""

from __future__ import annotations

import functools
from math import prod
from typing import Any

import numpy
from numba import carray, types
from numba.extending import intrinsic

from minigrad.kernels.compiled.compiler import compiled, whole_registers
from minigrad.kernels.compiled.exponential import decay, power
from minigrad.kernels.compiled.pieces import spread
from minigrad.kernels.compiled.registers import MANY, REGISTER, largest
from minigrad.kernels.compiled.tiles import matrix

ROWS = 8 if MANY else 4
"""How many rows a tile has. Lengths are made up to whole tiles, with zeros."""

WIDTH = 2 * REGISTER
"""How many bytes a row of a tile has: two registers."""

BLOCK = 64
"""How many queries, or keys in the gradient, are taken at a time."""

ACROSS = 256
"""How many keys, or queries in the gradient, a block meets at a time."""

STEP = 64
"""Rows of scores are gone through in so many at a time: whole turns of a loop in registers."""

PITCH = ACROSS + 16
"""From one row of scores to the next. A power of two would put all rows in the same places of a
cache."""

_fresh, _more = matrix(ROWS, 2, True), matrix(ROWS, 2, False)


@compiled
def _up(count: int, unit: int) -> int:
    """The least multiple of `unit` that is not smaller."""
    return (count + unit - 1) // unit * unit


@intrinsic  # type: ignore[untyped-decorator]
def _pointer(typing: Any, address: Any, like: Any) -> Any:
    """Where numbers like `like` are."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(types.int64, like), generate


@compiled
def _read(head: int, step: int, count: int, width: int, factor: Any, target: Any) -> None:
    """Set a corner of a matrix to a factor times rows from an address on, `step` bytes apart."""
    for i in range(count):
        line = carray(_pointer(head + i * step, factor), width)
        into = target[i]
        for j in range(width):
            into[j] = line[j] * factor


@compiled
def _write(source: Any, factor: Any, head: int, step: int, count: int, width: int) -> None:
    """Set rows from an address on, `step` bytes apart, to a factor times the corner of a matrix."""
    for i in range(count):
        line = carray(_pointer(head + i * step, factor), width)
        of = source[i]
        for j in range(width):
            line[j] = of[j] * factor


@compiled
def _turn(head: int, step: int, length: int, width: int, factor: Any, panels: Any) -> None:
    """Copy rows from an address on, `step` bytes apart, times a factor, turned, to panels.

    A panel holds as many of the rows as a tile meets, so that they lie together.
    """
    unit = panels.shape[2]
    for i in range(length):
        line = carray(_pointer(head + i * step, factor), width)
        panel, place = i // unit, i % unit
        for j in range(width):
            panels[panel, j, place] = line[j] * factor


@compiled
def _weigh(line: Any, seen: int, i: int, shifts: Any, totals: Any, sums: Any) -> None:
    """A query's scores become exponentials less the largest so far, and 0 after what it sees."""
    whole_registers()
    for j in range(seen, len(line)):
        line[j] = -numpy.inf
    most = largest(line)
    if most > shifts[i]:
        factor = decay(shifts[i] - most)
        shifts[i] = most
        totals[i] *= factor
        for j in range(sums.shape[1]):
            sums[i, j] *= factor
    shift, total = shifts[i], totals[i]
    for j in range(len(line)):
        value = decay(line[j] - shift)
        line[j] = value
        total += value
    totals[i] = total


@compiled
def _attend(
    heads: Any,
    steps: Any,
    sizes: Any,
    scale: Any,
    causal: bool,
    logarithms: Any,
    blocks: int,
    start: int,
    stop: int,
) -> None:
    whole_registers()
    sources, width, values = sizes
    length = logarithms.shape[1]
    dtype = logarithms.dtype
    unit = WIDTH // logarithms.itemsize
    one = dtype.type(1)
    columns, deep = _up(sources, STEP), _up(values, unit)
    # One by one: what several are unpacked from would not be known to be contiguous.
    turned = numpy.zeros((columns // unit, width, unit), dtype)
    taken = numpy.zeros((sources, deep), dtype)
    queries = numpy.empty((BLOCK, width), dtype)
    scores = numpy.empty((BLOCK, PITCH), dtype)
    sums = numpy.empty((BLOCK, deep), dtype)
    shifts = numpy.empty(BLOCK, dtype)
    totals = numpy.empty(BLOCK, dtype)
    head = -1
    for number in range(start, stop):
        if number // blocks != head:
            head = number // blocks
            _turn(heads[1, head], steps[1], sources, width, one, turned)
            _read(heads[2, head], steps[2], sources, values, one, taken)
        first = number % blocks * BLOCK
        count = min(BLOCK, length - first)
        queries[:] = 0
        _read(heads[0, head] + first * steps[0], steps[0], count, width, scale, queries)
        sums[:] = 0
        shifts[:] = -numpy.inf
        totals[:] = 0
        reach = min(sources, first + count) if causal else sources
        for c in range(0, reach, ACROSS):
            most = min(ACROSS, reach - c)
            for i in range(0, count, ROWS):
                # What the last row of the tile sees; the others see less.
                met = min(most, first + i + ROWS - c) if causal else most
                if met <= 0:
                    continue
                for j in range(0, _up(met, STEP), unit):
                    to = i * PITCH + j
                    _fresh(
                        scores, to, PITCH, queries, i * width, width, 1, turned, (c + j) * width,
                        unit, width, scores, to, PITCH,
                    )  # fmt: skip
                for r in range(i, min(i + ROWS, count)):
                    seen = min(met, first + r + 1 - c) if causal else met
                    line = scores[r, : _up(met, STEP)]
                    _weigh(line, max(0, seen), r, shifts, totals, sums)
                for j in range(0, deep, unit):
                    _more(
                        sums, i * deep + j, deep, scores, i * PITCH, PITCH, 1, taken,
                        c * deep + j, deep, met, sums, i * deep + j, deep,
                    )  # fmt: skip
        for i in range(count):
            place = heads[3, head] + (first + i) * steps[3]
            _write(sums[i : i + 1], one / totals[i], place, 0, 1, values)
            logarithms[head, first + i] = shifts[i] + numpy.log(totals[i])


@compiled
def _slopes(weight: Any, slope: Any, hidden: int, shift: Any, level: Any) -> None:
    """A row of scores becomes weights, and the cotangents of weights those of scores."""
    whole_registers()
    for j in range(len(weight)):
        value = power(weight[j] - shift[j])
        weight[j] = value
        slope[j] = value * (slope[j] - level[j])
    for j in range(hidden):
        weight[j] = 0
        slope[j] = 0


@compiled
def _attend_grad(
    heads: Any,
    steps: Any,
    sizes: Any,
    scale: Any,
    causal: bool,
    logarithms: Any,
    start: int,
    stop: int,
) -> None:
    whole_registers()
    sources, width, values = sizes
    length = logarithms.shape[1]
    dtype = logarithms.dtype
    unit = WIDTH // logarithms.itemsize
    zero, one = dtype.type(0), dtype.type(1)
    columns = _up(length, STEP)
    wide, deep = _up(width, unit), _up(values, unit)
    queries = numpy.zeros((columns, wide), dtype)
    total = numpy.zeros((columns, wide), dtype)
    slopes = numpy.zeros((columns, deep), dtype)
    turned = numpy.zeros((columns // unit, width, unit), dtype)
    steep = numpy.zeros((columns // unit, values, unit), dtype)
    logs = numpy.zeros(columns, dtype)
    levels = numpy.zeros(columns, dtype)
    keys = numpy.empty((BLOCK, wide), dtype)
    of_keys = numpy.empty((BLOCK, wide), dtype)
    taken = numpy.empty((BLOCK, deep), dtype)
    of_taken = numpy.empty((BLOCK, deep), dtype)
    weights = numpy.empty((BLOCK, PITCH), dtype)
    back = numpy.empty((BLOCK, PITCH), dtype)
    for head in range(start, stop):
        _read(heads[0, head], steps[0], length, width, scale, queries)
        _turn(heads[0, head], steps[0], length, width, scale, turned)
        _read(heads[3, head], steps[3], length, values, one, slopes)
        _turn(heads[3, head], steps[3], length, values, one, steep)
        for i in range(length):
            level = zero
            out = carray(_pointer(heads[4, head] + i * steps[4], one), values)
            slope = slopes[i]
            for j in range(values):
                level += slope[j] * out[j]
            levels[i], logs[i] = level, logarithms[head, i]
        total[:] = 0
        for first in range(0, sources, BLOCK):
            count = min(BLOCK, sources - first)
            keys[:] = 0
            taken[:] = 0
            of_keys[:] = 0
            of_taken[:] = 0
            _read(heads[1, head] + first * steps[1], steps[1], count, width, one, keys)
            _read(heads[2, head] + first * steps[2], steps[2], count, values, one, taken)
            # Earlier queries see none of these keys.
            for c in range(first if causal else 0, length, ACROSS):
                most = min(ACROSS, length - c)
                filled = _up(most, STEP)
                for i in range(0, count, ROWS):
                    # From where on the first row of the tile is seen, in whole steps.
                    low = max(0, first + i - c) // STEP * STEP if causal else 0
                    if low >= most:
                        continue
                    for j in range(low, filled, unit):
                        to = i * PITCH + j
                        _fresh(
                            weights, to, PITCH, keys, i * wide, wide, 1, turned, (c + j) * width,
                            unit, width, weights, to, PITCH,
                        )  # fmt: skip
                        _fresh(
                            back, to, PITCH, taken, i * deep, deep, 1, steep, (c + j) * values,
                            unit, values, back, to, PITCH,
                        )  # fmt: skip
                    for r in range(i, i + ROWS):
                        hidden = max(0, first + r - c - low) if causal else 0
                        row, slope = weights[r, low:filled], back[r, low:filled]
                        shift, level = logs[c + low : c + filled], levels[c + low : c + filled]
                        _slopes(row, slope, hidden, shift, level)
                    at, met = i * PITCH + low, most - low
                    for j in range(0, deep, unit):
                        _more(
                            of_taken, i * deep + j, deep, weights, at, PITCH, 1, slopes,
                            (c + low) * deep + j, deep, met, of_taken, i * deep + j, deep,
                        )  # fmt: skip
                    for j in range(0, wide, unit):
                        _more(
                            of_keys, i * wide + j, wide, back, at, PITCH, 1, queries,
                            (c + low) * wide + j, wide, met, of_keys, i * wide + j, wide,
                        )  # fmt: skip
                for i in range(0, most, ROWS):
                    met = min(count, c + i + ROWS - first) if causal else count
                    for j in range(0, wide, unit):
                        _more(
                            total, (c + i) * wide + j, wide, back, i, 1, PITCH, keys, j, wide,
                            met, total, (c + i) * wide + j, wide,
                        )  # fmt: skip
            to = heads[6, head] + first * steps[6]
            _write(of_keys, one, to, steps[6], count, width)
            to = heads[7, head] + first * steps[7]
            _write(of_taken, one, to, steps[7], count, values)
        _write(total, scale, heads[5, head], steps[5], length, width)


@functools.lru_cache(256)
def _offsets(shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """How far each head lies from the first, in bytes."""
    found = numpy.zeros(1, numpy.int64)
    for length, stride in zip(shape, strides, strict=True):
        found = (found[:, None] + numpy.arange(length) * stride).reshape(-1)
    return found


def _heads(arrays: tuple[Any, ...]) -> tuple[Any, Any]:
    """The address of each head of each array, and the bytes from one of its rows to the next.

    So heads are read where they lie, as parts of a projection too. The numbers of a row lie
    together in all arrays.
    """
    heads = [array.ctypes.data + _offsets(array.shape[:-2], array.strides[:-2]) for array in arrays]
    return numpy.array(heads), numpy.array([array.strides[-2] for array in arrays], numpy.int64)


def _in_rows(array: Any) -> Any:
    """The array, or a copy of one whose rows' numbers do not lie together."""
    return array if array.strides[-1] == array.itemsize else numpy.ascontiguousarray(array)


def _like(array: Any, width: int) -> Any:
    """Room for (..., length, width), laid out as an array is whose heads were split."""
    made = numpy.empty_like(array, shape=(*array.shape[:-1], width))
    return made if made.strides[-1] == made.itemsize else numpy.empty(made.shape, made.dtype)


def _fits(*arrays: Any) -> bool:
    return all(array.dtype is arrays[0].dtype and array.size for array in arrays)


def _products(query: Any, key: Any) -> int:
    """How many scores there are."""
    return int(prod(query.shape[:-1]) * key.shape[-2])


def attend(
    xp: Any, query: Any, key: Any, value: Any, causal: bool, scale: float, block: int
) -> Any:
    """softmax(query @ key.mT * scale) @ value, and the logarithms of the sums of exponentials."""
    if not _fits(query, key, value):
        return None
    query, key, value = map(_in_rows, (query, key, value))
    out = _like(query, value.shape[-1])
    logarithms = numpy.empty((prod(query.shape[:-2]), query.shape[-2]), query.dtype)
    blocks = -(-query.shape[-2] // BLOCK)
    sizes = (*key.shape[-2:], value.shape[-1])
    given = (*_heads((query, key, value, out)), sizes, query.dtype.type(scale), causal)
    rest = (logarithms, blocks)
    spread(_attend, len(logarithms) * blocks, 4 * _products(query, key), *given, *rest)
    return out, logarithms.reshape(query.shape[:-1])


def attend_grad(
    xp: Any,
    grad: Any,
    query: Any,
    key: Any,
    value: Any,
    out: Any,
    logarithms: Any,
    causal: bool,
    scale: float,
    block: int,
) -> Any:
    """The cotangents of query, key and value, given that of the output `out`."""
    if not _fits(grad, query, key, value):
        return None
    query, key, value, grad, out = map(_in_rows, (query, key, value, grad, out))
    results = tuple(_like(array, array.shape[-1]) for array in (query, key, value))
    sizes = (*key.shape[-2:], value.shape[-1])
    logarithms = numpy.ascontiguousarray(logarithms).reshape(-1, query.shape[-2])
    given = (*_heads((query, key, value, grad, out, *results)), sizes, query.dtype.type(scale))
    spread(_attend_grad, len(logarithms), 8 * _products(query, key), *given, causal, logarithms)
    return results
