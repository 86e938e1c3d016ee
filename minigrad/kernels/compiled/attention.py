"""Attention in blocks that stay in a core's cache: matrix products, and one loop between them.

A few heads are taken together where they are short. The gradient goes by blocks of keys, each met
by the queries that see it. Source: Dao, "FlashAttention-2", 2023.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.exponential import power
from minigrad.kernels.compiled.softmax import largest
from minigrad.kernels.compiled.workers import in_pieces

BLOCK = 1 << 17
"""How many scores are held at a time, at most."""

ACROSS = 512
"""Columns of a block; its rows are half as many in short sequences."""

ROWS = 128
SHORT = 256

SAFE = 20.0
"""Up to this size scores need no shift: exponentials are neither too large nor too small."""


@compiled
def _largest(scores: Any, first: int, start: int, causal: bool, fresh: bool, shifts: Any) -> None:
    """The largest scores of rows, among those of earlier blocks unless `fresh`."""
    best = numpy.empty(16, scores.dtype)
    heads, rows, width = scores.shape
    for h in range(heads):
        for i in range(rows):
            seen = min(width, max(0, first + i + 1 - start)) if causal else width
            most = largest(scores[h, i, :seen], best)
            if fresh or not shifts[h, i] > most:
                shifts[h, i] = most


@compiled
def _powers(
    scores: Any, first: int, start: int, causal: bool, fresh: bool, shifts: Any, totals: Any
) -> None:
    """Scores (heads, queries, keys), less shifts, become exponentials, and join their sums.

    The queries are those from `first` on, the keys those from `start` on.
    """
    heads, rows, width = scores.shape
    zero = scores.dtype.type(0)
    for h in range(heads):
        for i in range(rows):
            seen = min(width, max(0, first + i + 1 - start)) if causal else width
            row, rest = scores[h, i, :seen], scores[h, i, seen:]
            shift = shifts[h, i]
            total = zero
            for j in range(len(row)):
                value = power(row[j] - shift)
                row[j] = value
                total += value
            for j in range(len(rest)):
                rest[j] = zero
            totals[h, i] = total if fresh else totals[h, i] + total


@compiled
def _slopes(
    scores: Any, slopes: Any, logarithms: Any, levels: Any, first: int, start: int, causal: bool
) -> None:
    """Scores (heads, keys, queries) become weights, and the cotangents of weights those of scores.

    The keys are those from `first` on, the queries those from `start` on.
    """
    heads, rows, width = scores.shape
    zero = scores.dtype.type(0)
    for h in range(heads):
        for i in range(rows):
            hidden = min(width, max(0, first + i - start)) if causal else 0
            scores[h, i, :hidden] = zero
            slopes[h, i, :hidden] = zero
            weight, slope = scores[h, i, hidden:], slopes[h, i, hidden:]
            shift, level = logarithms[h, start + hidden :], levels[h, start + hidden :]
            for j in range(len(weight)):
                value = power(weight[j] - shift[j])
                weight[j] = value
                slope[j] = value * (slope[j] - level[j])


def _heads(array: Any) -> Any:
    """The array as (batch, heads, length, width), a view where that is possible."""
    if array.ndim == 4:
        return array
    if array.ndim < 4:
        return array.reshape(*(1,) * (4 - array.ndim), *array.shape)
    return array.reshape(-1, *array.shape[-3:])


class Blocks:
    """How scores are cut: rows and columns held at a time, and of which heads."""

    def __init__(self, batch: int, heads: int, rows: int, columns: int) -> None:
        self.rows = min(rows, ROWS if columns > SHORT else ROWS // 2)
        self.across = min(columns, ACROSS)
        count = max(1, BLOCK // (self.rows * self.across))
        step = min(heads, count)
        deep = min(batch, count // heads) if step == heads else 1
        self.heads = step * deep
        self.groups = [
            (slice(n, min(batch, n + deep)), slice(h, min(heads, h + step)))
            for n in range(0, batch, deep)
            for h in range(0, heads, step)
        ]

    def buffers(self, count: int, dtype: Any) -> Any:
        """Room for `count` blocks."""
        return numpy.empty((count, self.heads * self.rows * self.across), dtype)


def _views(buffer: Any, *sizes: int) -> tuple[Any, Any]:
    """The start of a buffer as a block (batch, heads, rows, columns), and with all heads in one."""
    batch, heads, rows, columns = sizes
    flat = buffer[: batch * heads * rows * columns]
    return flat.reshape(sizes), flat.reshape(batch * heads, rows, columns)


def _bound(queries: Any, keys: Any) -> float:
    """What no product of a query and a key exceeds; NaN where there is one."""
    squares = [numpy.einsum("nhle,nhle->nhl", part, part).max() for part in (queries, keys)]
    return float(numpy.sqrt(squares[0]) * numpy.sqrt(squares[1]))


def _turned(array: Any) -> Any:
    """The matrices transposed, in C order, with which products are fastest."""
    return numpy.ascontiguousarray(array.swapaxes(2, 3))


def _plus(total: Any, part: Any) -> Any:
    """The sum, in place; the first part where there is no sum yet."""
    return part if total is None else numpy.add(total, part, out=total)


def _fits(*arrays: Any) -> bool:
    return all(array.dtype is arrays[0].dtype and array.size for array in arrays)


def attend(
    xp: Any, query: Any, key: Any, value: Any, causal: bool, scale: float, block: int
) -> Any:
    """softmax(query @ key.mT * scale) @ value, and the logarithms of the sums of exponentials."""
    if not _fits(query, key, value):
        return None
    # Laid out as the query is: what was split into heads is joined again without a copy.
    result = numpy.empty_like(query, shape=(*query.shape[:-1], value.shape[-1]))
    q, k, v, out = map(_heads, (query, key, value, result))
    batch, heads, length, width = q.shape
    sources = k.shape[2]
    logarithms = numpy.empty((batch, heads, length), query.dtype)
    blocks = Blocks(batch, heads, length, sources)

    def piece(begin: int, end: int) -> None:
        (buffer,) = blocks.buffers(1, query.dtype)
        for some in blocks.groups[begin:end]:
            queries = numpy.multiply(q[some], scale, order="C", dtype=query.dtype)
            keys, values = _turned(k[some]), v[some]
            lead = queries.shape[:2]
            safe = _bound(queries, k[some]) <= SAFE
            for first in range(0, length, blocks.rows):
                stop = min(length, first + blocks.rows)
                seen = min(sources, stop) if causal else sources
                met = queries[:, :, first:stop]
                shifts = numpy.zeros((*lead, stop - first), query.dtype)
                totals = numpy.empty_like(shifts)
                flat = shifts.reshape(-1, stop - first), totals.reshape(-1, stop - first)
                cuts = [(c, min(seen, c + blocks.across)) for c in range(0, seen, blocks.across)]
                for start, to in () if safe else cuts:
                    scores, loose = _views(buffer, *lead, stop - first, to - start)
                    numpy.matmul(met, keys[..., start:to], out=scores)
                    _largest(loose, first, start, causal, start == 0, flat[0])
                total: Any = None
                for start, to in cuts:
                    scores, loose = _views(buffer, *lead, stop - first, to - start)
                    numpy.matmul(met, keys[..., start:to], out=scores)
                    _powers(loose, first, start, causal, start == 0, *flat)
                    total = _plus(total, scores @ values[:, :, start:to])
                numpy.divide(total, totals[..., None], out=out[some][:, :, first:stop])
                numpy.log(totals, out=totals)
                numpy.add(totals, shifts, out=logarithms[some][:, :, first:stop])

    in_pieces(piece, len(blocks.groups), blocks.heads * length * sources * width * 2)
    return result, logarithms.reshape(query.shape[:-1])


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
    results = tuple(map(numpy.empty_like, (query, key, value)))
    q, k, v, g, o = map(_heads, (query, key, value, grad, out))
    of_query, of_key, of_value = map(_heads, results)
    batch, heads, length, width = q.shape
    sources = k.shape[2]
    logarithms = logarithms.reshape(batch, heads, length)
    blocks = Blocks(batch, heads, sources, length)

    def piece(begin: int, end: int) -> None:
        buffers = blocks.buffers(2, query.dtype)
        for some in blocks.groups[begin:end]:
            queries = numpy.multiply(q[some], scale, order="C", dtype=query.dtype)
            slopes = numpy.ascontiguousarray(g[some])
            levels = numpy.einsum("nhle,nhle->nhl", slopes, o[some]).reshape(-1, length)
            logs = logarithms[some].reshape(-1, length)
            columns, steep = _turned(queries), _turned(slopes)
            lead = queries.shape[:2]
            total = numpy.zeros(queries.shape, query.dtype)
            for first in range(0, sources, blocks.rows):
                stop = min(sources, first + blocks.rows)
                keys, values = k[some][:, :, first:stop], v[some][:, :, first:stop]
                of_keys: Any = None
                of_values: Any = None
                for start in range(first if causal else 0, length, blocks.across):
                    to = min(length, start + blocks.across)
                    shape = (*lead, stop - first, to - start)
                    weights, loose = _views(buffers[0], *shape)
                    back, loose_back = _views(buffers[1], *shape)
                    numpy.matmul(keys, columns[..., start:to], out=weights)
                    numpy.matmul(values, steep[..., start:to], out=back)
                    _slopes(loose, loose_back, logs, levels, first, start, causal)
                    of_values = _plus(of_values, weights @ slopes[:, :, start:to])
                    of_keys = _plus(of_keys, back @ queries[:, :, start:to])
                    total[:, :, start:to] += numpy.matmul(back.swapaxes(2, 3), keys)
                # Keys that come after all queries meet none.
                of_key[some][:, :, first:stop] = 0 if of_keys is None else of_keys
                of_value[some][:, :, first:stop] = 0 if of_values is None else of_values
            numpy.multiply(total, scale, out=of_query[some])

    in_pieces(piece, len(blocks.groups), blocks.heads * length * sources * width * 5)
    return results
