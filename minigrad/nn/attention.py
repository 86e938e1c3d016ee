"""Attention as a layer."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import empty

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of `num_heads` heads, each on its part of `embed_dim` features.

    in_proj_weight [3 * embed_dim, embed_dim] projects queries, keys and values, or, where `kdim` or
    `vdim` differ from it, q_proj_weight, k_proj_weight and v_proj_weight do; out_proj maps what the
    heads give. `add_bias_kv` adds a trained key and value, `add_zero_attn` one of zeros. Source:
    Vaswani and others, "Attention Is All You Need", 2017.

    >>> import minigrad
    >>> x = minigrad.zeros(5, 2, 8)  # steps, batch, features
    >>> output, weights = MultiheadAttention(8, num_heads=2)(x, x, x)
    >>> output.shape, weights.shape
    (minigrad.Size([5, 2, 8]), minigrad.Size([2, 5, 5]))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim < 1 or num_heads < 1:
            raise ArgumentError(
                f"MultiheadAttention(): embed_dim and num_heads must be at least 1, got "
                f"{embed_dim} and {num_heads}"
            )
        if embed_dim % num_heads:
            raise ArgumentError(
                f"MultiheadAttention(): embed_dim {embed_dim} cannot be divided among {num_heads} "
                f"heads"
            )
        made = {"device": device, "dtype": dtype}
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn
        self.in_proj_weight: Any = None
        self.q_proj_weight: Any = None
        self.k_proj_weight: Any = None
        self.v_proj_weight: Any = None
        if self.kdim == embed_dim and self.vdim == embed_dim:
            self.in_proj_weight = Parameter(empty(3 * embed_dim, embed_dim, **made))
        else:
            self.q_proj_weight = Parameter(empty(embed_dim, embed_dim, **made))
            self.k_proj_weight = Parameter(empty(embed_dim, self.kdim, **made))
            self.v_proj_weight = Parameter(empty(embed_dim, self.vdim, **made))
        self.in_proj_bias = Parameter(empty(3 * embed_dim, **made)) if bias else None
        self.bias_k = Parameter(empty(1, 1, embed_dim, **made)) if add_bias_kv else None
        self.bias_v = Parameter(empty(1, 1, embed_dim, **made)) if add_bias_kv else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **made)
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        """Draw new values for all but the output's weight; biases are zero."""
        for weight in (
            self.in_proj_weight,
            self.q_proj_weight,
            self.k_proj_weight,
            self.v_proj_weight,
        ):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """The attended values, shaped as the query, and the weights (None unless needed).

        query (L, N, E), key and value (S, N, E), with `batch_first` (N, L, E) and (N, S, E), or
        all without a batch; masks as in `nn.functional.multi_head_attention_forward`.
        """
        swap = self.batch_first and query.ndim == 3
        if swap:
            same = key is query and value is query
            query = query.transpose(0, 1)
            value = query if same else value.transpose(0, 1)
            key = query if same else key.transpose(0, 1)
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=self.in_proj_weight is None,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return (output.transpose(0, 1) if swap else output), weights
