"""Attention in blocks that stay in a core's cache: tiles of products, and one loop between them.

The forward goes by blocks of queries, whose largest score and sum of exponentials grow with the
keys that they meet; the gradient by blocks of keys, each met by the queries that see it. Source:
Dao, "FlashAttention-2", 2023.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

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


@compiled
def _copy(source: Any, factor: Any, target: Any) -> None:
    """Set the corner that two matrices share to the source's numbers times a factor."""
    for i in range(min(len(source), len(target))):
        for j in range(min(source.shape[1], target.shape[1])):
            target[i, j] = source[i, j] * factor


@compiled
def _turn(source: Any, factor: Any, panels: Any) -> None:
    """Copy source (length, width) times a factor, turned, to panels.

    A panel holds as many of the rows as a tile meets, so that they lie together.
    """
    length, width = source.shape
    unit = panels.shape[2]
    for panel in range(len(panels)):
        part = source[panel * unit : min(length, (panel + 1) * unit)]
        for j in range(width):
            for i in range(len(part)):
                panels[panel, j, i] = part[i, j] * factor


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
    q: Any,
    k: Any,
    v: Any,
    scale: Any,
    causal: bool,
    out: Any,
    logarithms: Any,
    blocks: int,
    start: int,
    stop: int,
) -> None:
    whole_registers()
    length, width = q.shape[1:]
    sources, values = k.shape[1], v.shape[2]
    unit = WIDTH // q.itemsize
    one = q.dtype.type(1)
    columns, deep = _up(sources, STEP), _up(values, unit)
    # One by one: what several are unpacked from would not be known to be contiguous.
    turned = numpy.zeros((columns // unit, width, unit), q.dtype)
    taken = numpy.zeros((sources, deep), q.dtype)
    queries = numpy.empty((BLOCK, width), q.dtype)
    scores = numpy.empty((BLOCK, PITCH), q.dtype)
    sums = numpy.empty((BLOCK, deep), q.dtype)
    shifts = numpy.empty(BLOCK, q.dtype)
    totals = numpy.empty(BLOCK, q.dtype)
    head = -1
    for number in range(start, stop):
        if number // blocks != head:
            head = number // blocks
            _turn(k[head], one, turned)
            _copy(v[head], one, taken)
        first = number % blocks * BLOCK
        count = min(BLOCK, length - first)
        queries[:] = 0
        _copy(q[head, first : first + count], scale, queries)
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
        into = out[head, first : first + count]
        for i in range(count):
            factor = one / totals[i]
            for j in range(values):
                into[i, j] = sums[i, j] * factor
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
    g: Any,
    q: Any,
    k: Any,
    v: Any,
    o: Any,
    logarithms: Any,
    scale: Any,
    causal: bool,
    of_query: Any,
    of_key: Any,
    of_value: Any,
    start: int,
    stop: int,
) -> None:
    whole_registers()
    length, width = q.shape[1:]
    sources, values = k.shape[1], v.shape[2]
    unit = WIDTH // q.itemsize
    zero, one = q.dtype.type(0), q.dtype.type(1)
    columns = _up(length, STEP)
    wide, deep = _up(width, unit), _up(values, unit)
    queries = numpy.zeros((columns, wide), q.dtype)
    total = numpy.zeros((columns, wide), q.dtype)
    slopes = numpy.zeros((columns, deep), q.dtype)
    turned = numpy.zeros((columns // unit, width, unit), q.dtype)
    steep = numpy.zeros((columns // unit, values, unit), q.dtype)
    logs = numpy.zeros(columns, q.dtype)
    levels = numpy.zeros(columns, q.dtype)
    keys = numpy.empty((BLOCK, wide), q.dtype)
    of_keys = numpy.empty((BLOCK, wide), q.dtype)
    taken = numpy.empty((BLOCK, deep), q.dtype)
    of_taken = numpy.empty((BLOCK, deep), q.dtype)
    weights = numpy.empty((BLOCK, PITCH), q.dtype)
    back = numpy.empty((BLOCK, PITCH), q.dtype)
    for head in range(start, stop):
        _copy(q[head], scale, queries)
        _turn(q[head], scale, turned)
        _copy(g[head], one, slopes)
        _turn(g[head], one, steep)
        for i in range(length):
            level = zero
            for j in range(values):
                level += g[head, i, j] * o[head, i, j]
            levels[i], logs[i] = level, logarithms[head, i]
        total[:] = 0
        for first in range(0, sources, BLOCK):
            count = min(BLOCK, sources - first)
            keys[:] = 0
            taken[:] = 0
            of_keys[:] = 0
            of_taken[:] = 0
            _copy(k[head, first : first + count], one, keys)
            _copy(v[head, first : first + count], one, taken)
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
            _copy(of_keys, one, of_key[head, first : first + count])
            _copy(of_taken, one, of_value[head, first : first + count])
        _copy(total, scale, of_query[head])


def _heads(array: Any) -> Any:
    """The array as (heads, length, width), all heads one after the other."""
    return numpy.ascontiguousarray(array).reshape(-1, *array.shape[-2:])


def _like(array: Any, width: int) -> Any:
    """Room for (heads, length, width)."""
    return numpy.empty((prod(array.shape[:-2]), array.shape[-2], width), array.dtype)


def _laid(found: Any, like: Any) -> Any:
    """The numbers of heads, laid out as an array is whose heads were split, or are to be joined."""
    shape = (*like.shape[:-1], found.shape[-1])
    if like.flags.c_contiguous:
        return found.reshape(shape)
    result = numpy.empty_like(like, shape=shape)
    result[...] = found.reshape(shape)
    return result


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
    out = _like(query, value.shape[-1])
    logarithms = numpy.empty(out.shape[:2], query.dtype)
    blocks = -(-query.shape[-2] // BLOCK)
    given = (*map(_heads, (query, key, value)), query.dtype.type(scale), causal)
    rest = (out, logarithms, blocks)
    spread(_attend, len(out) * blocks, 4 * _products(query, key), *given, *rest)
    return _laid(out, query), logarithms.reshape(query.shape[:-1])


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
    results = tuple(_like(array, array.shape[-1]) for array in (query, key, value))
    given = tuple(map(_heads, (grad, query, key, value, out)))
    rest = (logarithms.reshape(given[0].shape[:2]), query.dtype.type(scale), causal)
    spread(_attend_grad, len(given[0]), 8 * _products(query, key), *given, *rest, *results)
    return tuple(map(_laid, results, (query, key, value)))
