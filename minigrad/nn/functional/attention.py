"""Attention of several heads, with its projections: the function under `nn.MultiheadAttention`."""

from __future__ import annotations

from math import inf
from typing import Any

from minigrad.dtypes import float16
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.attention import scaled_dot_product_attention
from minigrad.ops.creation import zeros
from minigrad.ops.dropout import dropped
from minigrad.ops.fused import softmax
from minigrad.ops.half import widened
from minigrad.ops.join import cat
from minigrad.ops.matmul import linear, matmul
from minigrad.ops.pad import pad
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import mean
from minigrad.ops.select import where

__all__ = ["multi_head_attention_forward"]

_OPERATION = "multi_head_attention_forward"


def multi_head_attention_forward(
    query: Any,
    key: Any,
    value: Any,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Any,
    in_proj_bias: Any,
    bias_k: Any,
    bias_v: Any,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Any,
    out_proj_bias: Any,
    training: bool = True,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Any = None,
    k_proj_weight: Any = None,
    v_proj_weight: Any = None,
    static_k: Any = None,
    static_v: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, ...]:
    """The attended values (L, N, E), and the weights (N, L, S) or None without `need_weights`.

    query (L, N, E), key and value (S, N, E), or all without the batch N. Masks are bool, true for
    what must not be looked at, or floats that are added: `key_padding_mask` (N, S), `attn_mask`
    (L, S) or (N * heads, L, S). With `is_causal` the `attn_mask` is said to be the causal one.
    Weights are averaged over the heads unless `average_attn_weights` is False: (N, heads, L, S).

    Raises ArgumentError for shapes that do not fit. Source: Vaswani and others, "Attention Is All
    You Need", 2017.
    """
    if query.dtype == float16:
        given = {name: widened(argument) for name, argument in locals().items()}
        return tuple(
            part if part is None else convert(part, float16)
            for part in multi_head_attention_forward(**given)
        )
    _check_shapes(query, key, value, embed_dim_to_check, num_heads)
    had_batch = query.ndim == 3
    if is_causal and attn_mask is None:
        raise ArgumentError(
            f"{_OPERATION}(): is_causal=True says what argument 'attn_mask' is; give it too"
        )
    if use_separate_proj_weight:
        weights = q_proj_weight, k_proj_weight, v_proj_weight
    else:
        if in_proj_weight is None:
            raise ArgumentError(
                f"{_OPERATION}(): argument 'in_proj_weight' is None; give it, or the three "
                f"projections and use_separate_proj_weight=True"
            )
        weights = in_proj_weight.chunk(3)
    heads: list[Any]
    if key is query and value is query and not use_separate_proj_weight:
        heads = list(linear(query, in_proj_weight, in_proj_bias).chunk(3, -1))
    else:
        biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        heads = [linear(*given) for given in zip((query, key, value), weights, biases)]
    if not had_batch:
        heads = [each.unsqueeze(1) for each in heads]
    length, batch, width = heads[0].shape
    mask, padding = _masks(attn_mask, key_padding_mask, heads, num_heads, had_batch)
    if (bias_k is None) != (bias_v is None):
        raise ArgumentError(f"{_OPERATION}(): give both of 'bias_k' and 'bias_v', or neither")
    if bias_k is not None:
        extra = [bias.reshape(1, 1, -1).expand(1, batch, width) for bias in (bias_k, bias_v)]
        heads = [heads[0], cat([heads[1], extra[0]]), cat([heads[2], extra[1]])]
        mask, padding = (None if m is None else pad(m, (0, 1)) for m in (mask, padding))
    # (batch, heads, length, width of a head)
    parts = [
        each.reshape(each.shape[0], batch, num_heads, -1).permute(1, 2, 0, 3) for each in heads
    ]
    for place, given in ((1, static_k), (2, static_v)):
        if given is not None:
            parts[place] = given.reshape(batch, num_heads, *given.shape[1:])
    if add_zero_attn:
        none = zeros(
            batch, num_heads, 1, parts[0].shape[-1], dtype=query.dtype, device=query.device
        )
        parts = [parts[0], cat([parts[1], none], 2), cat([parts[2], none], 2)]
        mask, padding = (None if m is None else pad(m, (0, 1)) for m in (mask, padding))
    if mask is not None and mask.ndim == 3:
        mask = mask.reshape(batch, num_heads, *mask.shape[1:])
    if padding is not None:
        padding = padding.reshape(batch, 1, 1, -1)
        mask = padding if mask is None else mask + padding
    probability = dropout_p if training else 0.0
    attended, looks = _attend(parts, mask, probability, need_weights)
    attended = attended.permute(2, 0, 1, 3).reshape(length, batch, width)
    out = linear(attended, out_proj_weight, out_proj_bias)
    if looks is not None and average_attn_weights:
        looks = mean(looks, 1)
    if not had_batch:
        out, looks = out.squeeze(1), None if looks is None else looks.squeeze(0)
    return out, looks


def _attend(parts: list[Any], mask: Any, probability: float, need_weights: bool) -> Any:
    """The attended values, and the weights where they are asked for."""
    query, key, value = parts
    if not need_weights:
        return scaled_dot_product_attention(query, key, value, mask, probability), None
    scores = matmul(query * query.shape[-1] ** -0.5, key.transpose(-2, -1))
    weights = softmax(scores if mask is None else scores + mask, -1)
    if probability:
        weights = dropped(weights, probability)
    return matmul(weights, value), weights


def _check_shapes(query: Any, key: Any, value: Any, width: int, num_heads: int) -> None:
    shapes = [list(each.shape) for each in (query, key, value)]
    if query.ndim not in (2, 3) or key.ndim != query.ndim or value.ndim != query.ndim:
        raise ArgumentError(
            f"{_OPERATION}(): arguments 'query', 'key' and 'value' must have shapes (L, N, E), "
            f"(S, N, E) and (S, N, E), or all without the batch N; got {shapes}"
        )
    if query.shape[-1] != width:
        raise ArgumentError(
            f"{_OPERATION}(): argument 'query' of shape {shapes[0]} must have {width} features"
        )
    if width % num_heads:
        raise ArgumentError(
            f"{_OPERATION}(): {width} features cannot be divided among {num_heads} heads"
        )
    if key.shape[:-1] != value.shape[:-1]:
        raise ArgumentError(
            f"{_OPERATION}(): arguments 'key' and 'value' must be equally long and of one batch, "
            f"got {shapes[1]} and {shapes[2]}"
        )


def _masks(
    attn_mask: Any, key_padding_mask: Any, heads: list[Any], num_heads: int, had_batch: bool
) -> tuple[Any, Any]:
    """Both masks as floats to be added, checked: (L, S) or (N * heads, L, S), and (N, S)."""
    length, batch, _ = heads[0].shape
    sources = heads[1].shape[0]
    mask = _added("attn_mask", attn_mask, heads[0])
    padding = _added("key_padding_mask", key_padding_mask, heads[0])
    if mask is not None:
        wanted = ((length, sources), (batch * num_heads, length, sources))
        if tuple(mask.shape) not in wanted:
            raise ArgumentError(
                f"{_OPERATION}(): argument 'attn_mask' must have shape {list(wanted[0])} or "
                f"{list(wanted[1])}, got {list(mask.shape)}"
            )
    if padding is not None:
        if not had_batch and padding.ndim == 1:
            padding = padding.unsqueeze(0)
        if tuple(padding.shape) != (batch, sources):
            raise ArgumentError(
                f"{_OPERATION}(): argument 'key_padding_mask' must have shape {[batch, sources]}, "
                f"got {list(key_padding_mask.shape)}"
            )
    return mask, padding


def _added(name: str, mask: Any, like: Any) -> Any:
    """A mask as floats to be added: minus infinity where a bool one is true."""
    if mask is None:
        return None
    if mask.dtype.kind == "b":
        return where(mask, -inf, zeros((), dtype=like.dtype, device=like.device))
    if mask.dtype.kind != "f":
        raise DtypeError(
            f"{_OPERATION}(): argument '{name}' must be bool or floating, got {mask.dtype}; for a "
            f"mask of zeros and ones write {name}.bool()"
        )
    return mask
