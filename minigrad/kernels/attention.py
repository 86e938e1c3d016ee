"""Attention and its gradient in blocks of queries: the weights of a block are made and forgotten.

The forward leaves the logarithm of the sum of each query's exponentials, from which the gradient
makes the weights again. Source: Dao and others, "FlashAttention", 2022; Rabe and Staats,
"Self-attention Does Not Need O(n^2) Memory", 2021.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.kernels.exponentials import sums


def query_blocks(
    length: int, sources: int, block: int, causal: bool
) -> Iterator[tuple[int, int, int]]:
    """Where each block of queries starts and stops, and how many keys it takes.

    The last comes first, and takes all.
    """
    for start in range(0, length, block)[::-1]:
        stop = min(length, start + block)
        yield start, stop, min(sources, stop) if causal and stop < length else sources


def later(xp: Any, start: int, stop: int, keys: int) -> Any:
    """Which keys the queries of a block may not see."""
    return xp.arange(keys) > xp.arange(start, stop)[:, None]


def attend(
    xp: Any, query: Any, key: Any, value: Any, causal: bool, scale: float, block: int
) -> tuple[Any, Any]:
    """softmax(query @ key.mT * scale) @ value, and the logarithms of the sums of exponentials."""
    out = xp.empty((*query.shape[:-1], value.shape[-1]), query.dtype)
    logarithms = xp.empty(query.shape[:-1], query.dtype)
    for start, stop, keys in query_blocks(query.shape[-2], key.shape[-2], block, causal):
        scores = xp.matmul(query[..., start:stop, :] * scale, key[..., :keys, :].swapaxes(-1, -2))
        if causal:
            scores[..., later(xp, start, stop, keys)] = -xp.inf
        most = scores.max(-1, keepdims=True)
        scores -= most
        xp.exp(scores, out=scores)
        totals = sums(xp, scores, scores.ndim - 1)
        part = out[..., start:stop, :]
        xp.matmul(scores, value[..., :keys, :], out=part)
        part /= totals
        logarithms[..., start:stop] = (most + xp.log(totals))[..., 0]
    return out, logarithms


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
) -> tuple[Any, Any, Any]:
    """The cotangents of query, key and value, given that of the output `out`."""
    of_query = xp.empty(query.shape, query.dtype)
    of_key = xp.zeros(key.shape, query.dtype)
    of_value = xp.zeros(value.shape, query.dtype)
    levels = (grad * out).sum(-1, keepdims=True)
    for start, stop, keys in query_blocks(query.shape[-2], key.shape[-2], block, causal):
        queries, slope = query[..., start:stop, :] * scale, grad[..., start:stop, :]
        seen, taken = key[..., :keys, :], value[..., :keys, :]
        weights = xp.matmul(queries, seen.swapaxes(-1, -2))
        weights -= logarithms[..., start:stop, None]
        xp.exp(weights, out=weights)
        hidden = later(xp, start, stop, keys) if causal else None
        if hidden is not None:
            weights[..., hidden] = 0
        of_value[..., :keys, :] += xp.matmul(weights.swapaxes(-1, -2), slope)
        back = xp.matmul(slope, taken.swapaxes(-1, -2))
        back -= levels[..., start:stop, :]
        back *= weights
        if hidden is not None:
            back[..., hidden] = 0
        of_key[..., :keys, :] += xp.matmul(back.swapaxes(-1, -2), queries)
        of_query[..., start:stop, :] = xp.matmul(back, seen) * scale
    return of_query, of_key, of_value
