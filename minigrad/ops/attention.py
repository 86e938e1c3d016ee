"""Attention: values averaged by how well their keys match each query."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.attend import attend
from minigrad.ops.dropout import check_probability, dropped
from minigrad.ops.fused import softmax
from minigrad.ops.half import in_single
from minigrad.ops.matmul import matmul
from minigrad.ops.rearrange import repeat_interleave
from minigrad.ops.select import where
from minigrad.ops.shape import transpose
from minigrad.ops.windows import raw, same_dtype

__all__: list[str] = []

BLOCK = 256
"""Queries whose weights are made at a time; longer sequences take memory that is linear in them."""


@in_single
def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(query @ key.mT * scale + mask) @ value, for (..., L, E), (..., S, E), (..., S, V).

    `attn_mask` is bool, true where a query may look at a key, or floats that are added. `scale` is
    1 / sqrt(E) unless given. With `enable_gqa` groups of query heads share a key head. A query
    that may look at no key gets zeros. Source: Vaswani and others, "Attention Is All You Need",
    2017.

    Raises ArgumentError for shapes that do not fit, or both `attn_mask` and `is_causal`.
    """
    operation = "scaled_dot_product_attention"
    for name, argument in (("query", query), ("key", key), ("value", value)):
        if argument.ndim < 2:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must have shape (..., length, width), got "
                f"{list(argument.shape)}"
            )
        if argument.dtype.kind != "f":
            raise DtypeError(
                f"{operation}(): argument '{name}' must be floating, got {argument.dtype}"
            )
        if argument.dtype != query.dtype:
            raise DtypeError(
                f"{operation}(): argument 'query' is {query.dtype} and argument '{name}' is "
                f"{argument.dtype}; convert one, for example {name}.to(query.dtype)"
            )
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ArgumentError(
            f"{operation}(): arguments 'query' {list(query.shape)}, 'key' {list(key.shape)} and "
            f"'value' {list(value.shape)} must be (..., L, E), (..., S, E) and (..., S, V)"
        )
    if enable_gqa:
        key, value = _grouped(operation, query, key), _grouped(operation, query, value)
    length, sources = query.shape[-2], key.shape[-2]
    xp = namespace(operation, query=raw(query))
    if scale is None:
        scale = 1 / sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    alike = query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
    if attn_mask is None and not dropout_p and alike and 0 not in key.shape:
        return attend(query, key, value, causal=bool(is_causal), scale=scale, block=BLOCK, saved=[])
    if is_causal:
        if attn_mask is not None:
            raise ArgumentError(
                f"{operation}(): give either argument 'attn_mask' or is_causal=True, not both"
            )
        attn_mask = _earlier(xp, length, sources)
    scores = matmul(query * scale, transpose(key, -2, -1))
    seen = None
    if attn_mask is not None:
        scores, seen = _mask(operation, scores, attn_mask)
    weights = softmax(scores, -1)
    if seen is not None:
        weights = where(seen, weights, 0.0)
    if dropout_p:
        check_probability(operation, query, dropout_p)
        weights = dropped(weights, dropout_p)
    return matmul(weights, value)


def _grouped(operation: str, query: Any, heads: Any) -> Any:
    """Key or value heads, each repeated for the query heads that share it."""
    if query.ndim < 3 or heads.ndim < 3 or query.shape[-3] % heads.shape[-3]:
        raise ArgumentError(
            f"{operation}(): with enable_gqa the heads of 'query' {list(query.shape)} must be a "
            f"multiple of those of 'key' and 'value' {list(heads.shape)} in dimension -3"
        )
    times = query.shape[-3] // heads.shape[-3]
    return heads if times == 1 else repeat_interleave(heads, times, dim=heads.ndim - 3)


def _mask(operation: str, scores: Any, attn_mask: Any) -> tuple[Any, Any]:
    """The scores with the mask applied, and which queries see a key (None where all do).

    The scores of a query that sees none are left alone: a softmax over nothing would be NaN.
    """
    mask = raw(attn_mask)
    if mask.dtype.kind == "b":
        some = _seeing(mask, True)
        whole = all_see(some)
        # Added, a mask costs one pass, and its gradient none.
        added = _hiding(mask, None if whole else some, scores.dtype)
        return scores + added, None if whole else some
    if mask.dtype.kind != "f":
        raise DtypeError(
            f"{operation}(): argument 'attn_mask' must be bool or floating, got {mask.dtype}; "
            f"for a mask of zeros and ones write attn_mask.bool()"
        )
    same_dtype(operation, scores, attn_mask=attn_mask)
    some = _seeing(mask, False)
    if all_see(some):
        return scores + attn_mask, None
    return scores + where(some, attn_mask, 0.0), some


def _earlier(xp: Any, length: int, sources: int) -> Any:
    """The raw mask by which query n sees the keys up to n."""
    return xp.tri(length, sources, dtype=bool)


def _seeing(mask: Any, boolean: bool) -> Any:
    """Which queries a raw mask lets see a key."""
    return (mask if boolean else mask != -inf).any(-1, keepdims=True)


def all_see(some: Any) -> bool:
    """Whether every query sees a key."""
    return bool(some.all())


def _hiding(mask: Any, some: Any, dtype: Any) -> Any:
    """What is added to scores by a raw bool mask; nothing for queries that are not in `some`."""
    xp = namespace("scaled_dot_product_attention", attn_mask=mask)
    seen = mask if some is None else mask | ~some
    return xp.where(seen, xp.zeros((), dtype), xp.asarray(-xp.inf, dtype))
