"""Attention in blocks, so that memory grows linearly with the length, and its gradients.

The weights of a block are made, used and forgotten, and made again in the backward pass: see
`minigrad.kernels.attention`. An argument `saved` is a memory, as in `minigrad.ops.fused`.
"""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.backend import namespace
from minigrad.errors import ArgumentError
from minigrad.graph import Declaration
from minigrad.kernels.attention import later, query_blocks
from minigrad.ops.fused import _softmax, softmax_grad
from minigrad.ops.join import cat
from minigrad.ops.reduce import sum_to
from minigrad.ops.select import plus
from minigrad.ops.windows import raw


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


def _onto(total: Any, part: Any) -> Any:
    """The sum of rows and a part that reaches as far as the first of them; None is zero."""
    if total is None:
        return part
    rows = part.shape[-2]
    if rows == total.shape[-2]:
        return total + part
    return cat((total[..., :rows, :] + part, total[..., rows:, :]), part.ndim - 2)


def _times(a: Any, b: Any) -> Any:
    """The matrix product; None where there is nothing to multiply with."""
    return None if a is None or b is None else a @ b


def _row_sums(value: Any) -> Any:
    return sum_to(value, size=(*value.shape[:-1], 1))


def _grad_rule(
    g: Any, grad: Any, query: Any, key: Any, value: Any, causal: bool, scale: float, block: int
) -> Any:
    """The cotangents of all that `attend_grad` takes, block by block.

    With weights P, cotangents of weights D = grad @ value.mT and of scores B = P (D - sum(P D)),
    its results are B @ key * scale, B.mT @ query * scale and P.mT @ grad. Given cotangents a, b
    and c of these, what meets B is E = (a @ key.mT + query @ b.mT) * scale.
    """
    xp = namespace("attend", query=raw(query))
    of_query, of_key, of_value = g
    first: list[Any] = []
    second: list[Any] = []
    g_key = g_value = None
    for start, stop, keys in query_blocks(query.shape[-2], key.shape[-2], block, causal):
        rows = (Ellipsis, slice(start, stop), slice(None))
        columns = (Ellipsis, slice(0, keys), slice(None))
        queries, slope = query[rows] * scale, grad[rows]
        seen, taken = key[columns], value[columns]
        scores = queries @ seen.swapaxes(-1, -2)
        if causal:
            hidden = later(xp, start, stop, keys)
            nothing, never = (xp.asarray(number, query.dtype) for number in (0, -xp.inf))
            scores = scores + xp.where(hidden, never, nothing)
        last = scores.ndim - 1
        weights = _softmax(scores, dim=last)
        given = slope @ taken.swapaxes(-1, -2)
        back = softmax_grad(given, weights, dim=last)
        a = None if of_query is None else of_query[rows] * scale
        b = None if of_key is None else of_key[columns]
        c = None if of_value is None else of_value[columns]
        met = plus(
            None if a is None else a @ seen.swapaxes(-1, -2),
            None if b is None else queries @ b.swapaxes(-1, -2),
        )
        steep = None if c is None else slope @ c.swapaxes(-1, -2)
        bent = None
        if met is not None:
            bent = softmax_grad(met, weights, dim=last)
            level = _row_sums(given * weights)
            steep = plus(met * (given - level) - given * _row_sums(met * weights), steep)
            g_value = _onto(g_value, bent.swapaxes(-1, -2) @ slope)
        tilted = softmax_grad(steep, weights, dim=last)
        first.append(plus(_times(bent, taken), _times(weights, c)))
        moved = tilted @ seen
        second.append((moved if b is None else moved + back @ b) * scale)
        changed = tilted.swapaxes(-1, -2) @ queries
        g_key = _onto(g_key, changed if a is None else changed + back.swapaxes(-1, -2) @ a)
    axis = query.ndim - 2
    return cat(first[::-1], axis), cat(second[::-1], axis), g_key, g_value


@Declaration(outputs=3)(joint=_grad_rule)
def attend_grad(
    xp: Any,
    grad: Any,
    query: Any,
    key: Any,
    value: Any,
    *,
    causal: bool,
    scale: float,
    block: int,
    saved: list[Any],
) -> Any:
    """The cotangents of attend's query, key and value, given that of its output.

    `saved` holds the output and the logarithms of the sums of exponentials, or receives them.
    """
    if not saved:
        saved[:] = kernels.attend(xp, query, key, value, causal, scale, block)
    return kernels.attend_grad(xp, grad, query, key, value, *saved, causal, scale, block)


@Declaration()(
    joint=lambda g, query, key, value, out, causal, scale, block, saved: attend_grad(
        g, query, key, value, causal=causal, scale=scale, block=block, saved=[raw(out), *saved]
    )
)
def attend(
    xp: Any,
    query: Any,
    key: Any,
    value: Any,
    *,
    causal: bool,
    scale: float,
    block: int,
    saved: list[Any],
) -> Any:
    """softmax(query @ key.mT * scale) @ value, `block` queries at a time.

    query (..., L, E), key (..., S, E) and value (..., S, V). If `causal`, query n sees the keys up
    to n. `saved` receives the logarithms of the sums of exponentials.
    """
    _check(query, key, value)
    out, logarithms = kernels.attend(xp, query, key, value, causal, scale, block)
    saved[:] = [logarithms]
    return out
