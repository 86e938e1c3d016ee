"""Attention in blocks of queries, so that memory grows linearly with the length.

The weights of a block are made, used and forgotten, and made again in the backward pass. Source:
Dao and others, "FlashAttention", 2022; Rabe and Staats, "Self-attention Does Not Need O(n^2)
Memory", 2021.

The rule uses operators and primitives only, so that it can be differentiated in its turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad import kernels
from minigrad.backend import namespace
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration
from minigrad.ops.fused import _softmax, softmax_grad
from minigrad.ops.join import cat
from minigrad.ops.windows import raw


def _blocks(length: int, sources: int, block: int, causal: bool) -> Iterator[tuple[int, int, int]]:
    """Where each block of queries starts and stops, and how many keys it takes.

    The last comes first, and takes all.
    """
    for start in range(0, length, block)[::-1]:
        stop = min(length, start + block)
        yield start, stop, min(sources, stop) if causal and stop < length else sources


def _hidden(xp: Any, start: int, stop: int, keys: int, dtype: Any) -> Any:
    """What hides later keys from the queries of a block, when it is added to their scores."""
    seen = xp.arange(keys) <= xp.arange(start, stop)[:, None]
    return xp.where(seen, xp.zeros((), dtype), xp.asarray(-xp.inf, dtype))


def _onto(total: Any, part: Any) -> Any:
    """The sum of rows and a part that reaches as far as the first of them; None is zero."""
    if total is None:
        return part
    rows = part.shape[-2]
    if rows == total.shape[-2]:
        return total + part
    return cat((total[..., :rows, :] + part, total[..., rows:, :]), part.ndim - 2)


def _attend_rule(
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    causal: bool,
    scale: float,
    block: int,
    needed: Any,
) -> Any:
    xp = namespace("attend", query=raw(query))
    parts = []
    g_key = g_value = None
    for start, stop, keys in _blocks(query.shape[-2], key.shape[-2], block, causal):
        queries = query[..., start:stop, :] * scale
        seen, taken = key[..., :keys, :], value[..., :keys, :]
        scores = queries @ seen.swapaxes(-1, -2)
        if causal:
            scores = scores + _hidden(xp, start, stop, keys, query.dtype)
        weights = _softmax(scores, dim=scores.ndim - 1)
        slope = g[..., start:stop, :]
        if needed[2]:
            g_value = _onto(g_value, weights.swapaxes(-1, -2) @ slope)
        back = softmax_grad(slope @ taken.swapaxes(-1, -2), weights, dim=scores.ndim - 1)
        if needed[0]:
            parts.append((back @ seen) * scale)
        if needed[1]:
            g_key = _onto(g_key, back.swapaxes(-1, -2) @ queries)
    return cat(parts[::-1], query.ndim - 2) if parts else None, g_key, g_value


def _check(query: Any, key: Any, value: Any) -> None:
    """Raise ArgumentError unless the arguments fit each other."""
    lead = query.shape[:-2]
    fits = query.shape[-1:] == key.shape[-1:] and key.shape[-2:-1] == value.shape[-2:-1]
    if not fits or key.shape[:-2] != lead or value.shape[:-2] != lead or 0 in key.shape:
        raise ArgumentError(
            f"attend(): arguments 'query' {list(query.shape)}, 'key' {list(key.shape)} and "
            f"'value' {list(value.shape)} must be (..., L, E), (..., S, E) and (..., S, V), with "
            f"the same leading dimensions and at least one key"
        )


@Declaration()(joint=_attend_rule)
def attend(
    xp: Any, query: Any, key: Any, value: Any, *, causal: bool, scale: float, block: int
) -> Any:
    """softmax(query @ key.mT * scale) @ value, `block` queries at a time.

    query (..., L, E), key (..., S, E) and value (..., S, V). If `causal`, query n sees the keys up
    to n.
    """
    _check(query, key, value)
    out = xp.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    for start, stop, keys in _blocks(query.shape[-2], key.shape[-2], block, causal):
        scores = xp.matmul(query[..., start:stop, :] * scale, key[..., :keys, :].swapaxes(-1, -2))
        if causal:
            scores += _hidden(xp, start, stop, keys, query.dtype)
        weights = kernels.softmax(xp, scores, scores.ndim - 1)
        xp.matmul(weights, value[..., :keys, :], out=out[..., start:stop, :])
    return out
