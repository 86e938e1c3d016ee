"""Attention: values averaged by how well their keys match each query."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras import regularizers
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.layout import fraction, known_channels, positive
from minigrad.keras.layers.options import keep, options
from minigrad.keras.symbolic import infer
from minigrad.nn import functional as F

__all__ = ["Attention", "MultiHeadAttention"]


class MultiHeadAttention(Layer):
    """Several attentions side by side: query (batch, T, d), value (batch, S, e) to (batch, T, d).

    A call takes query, value and key (the value unless given), `attention_mask` of shape
    (batch, T, S) whose False entries are not seen, `use_causal_mask`, and
    `return_attention_scores`. Query, key and value kernels: (d, num_heads, key_dim or value_dim),
    biases (num_heads, dim); the output's kernel: (num_heads, value_dim, d), bias (d,).
    Source: Vaswani et al. 2017.

    >>> x = minigrad.zeros(2, 5, 8)
    >>> MultiHeadAttention(num_heads=2, key_dim=4)(x, x).shape
    minigrad.Size([2, 5, 8])
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.num_heads = positive(self, "num_heads", num_heads)
        self.key_dim = positive(self, "key_dim", key_dim)
        self.value_dim = positive(self, "value_dim", value_dim or key_dim)
        self.dropout = fraction(self, "dropout", dropout)
        self.use_bias = use_bias
        self._wanted = (
            None if output_shape is None else positive(self, "output_shape", output_shape)
        )
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def _build_for(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = dict(zip(("query", "value", "key"), args)) | kwargs
        if "query" not in given or "value" not in given:
            raise ArgumentError(
                f"layer '{self.name}' (MultiHeadAttention) is called on a query and a value; for "
                "self-attention write attention(x, x)"
            )
        key = given.get("key")
        shapes = [given[name].shape for name in ("query", "value")]
        shapes.append(shapes[1] if key is None else key.shape)
        self._build_once([tuple(shape) for shape in shapes])

    def build(self, input_shape: Any) -> None:
        """Make the kernels and biases, for the shapes of query, value and key."""
        query, value, key = (known_channels(self, shape) for shape in input_shape)
        heads, depth, wide = self.num_heads, self.key_dim, self.value_dim
        self.query = self._projection("query", query, depth)
        self.key = self._projection("key", key, depth)
        self.value = self._projection("value", value, wide)
        self.output_size = self._wanted or query
        made: dict[str, Any] = {"bias": self.use_bias, "dtype": self.dtype}
        self.attention_output = nn.Linear(heads * wide, self.output_size, **made)
        self.track(
            self.attention_output,
            "weight",
            "attention_output/kernel",
            view=(self.output_size, heads, wide),
            axes=(1, 2, 0),
            **options(self, "kernel"),
        )
        if self.use_bias:
            self.track(
                self.attention_output, "bias", "attention_output/bias", **options(self, "bias")
            )

    def _projection(self, name: str, features: int, depth: int) -> Any:
        """A Linear that gives every head its part."""
        heads = self.num_heads
        linear = nn.Linear(features, heads * depth, bias=self.use_bias, dtype=self.dtype)
        self.track(
            linear,
            "weight",
            f"{name}/kernel",
            view=(heads, depth, features),
            axes=(2, 0, 1),
            **options(self, "kernel"),
        )
        if self.use_bias:
            self.track(linear, "bias", f"{name}/bias", view=(heads, depth), **options(self, "bias"))
        return linear

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, with `return_attention_scores` the weights too."""
        key = value if key is None else key
        q, k = self._heads(self.query, query), self._heads(self.key, key)
        v = self._heads(self.value, value)
        mask = self._seen(attention_mask, use_causal_mask, q.shape[2], k.shape[2], query.device)
        weights = None
        if return_attention_scores:
            scores = (q * self.key_dim**-0.5) @ k.transpose(2, 3)
            if mask is not None:
                scores = minigrad.where(mask, scores, -1e9)
            weights = F.softmax(scores, -1)
            rate = self.dropout if self.training else 0.0
            attended = F.dropout(weights, rate, self.training) @ v
        else:
            rate = self.dropout if self.training else 0.0
            attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=rate)
        joined = attended.transpose(1, 2).reshape(*query.shape[:2], -1)
        output = self.attention_output(joined)
        return output if weights is None else (output, weights)

    def _heads(self, linear: Any, x: Any) -> Any:
        """(batch, length, features) as (batch, heads, length, depth)."""
        return linear(x).reshape(*x.shape[:2], self.num_heads, -1).transpose(1, 2)

    def _seen(self, given: Any, causal: bool, length: int, sources: int, device: Any) -> Any:
        """What each query may look at, (batch or 1, 1, T, S), or None for everything."""
        mask = None
        if given is not None:
            mask = minigrad.as_tensor(given).bool()
            if mask.ndim == 3:
                mask = mask.unsqueeze(1)
        if causal:
            past = minigrad.ones(length, sources, device=device).tril().bool()[None, None]
            mask = past if mask is None else mask & past
        return mask

    def compute_output_shape(
        self, query_shape: Any, value_shape: Any = None, key_shape: Any = None
    ) -> Any:
        """The query's shape, with `output_shape` last."""
        return (*query_shape[:-1], self._wanted or query_shape[-1])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What comes out for KerasTensors; the scores too where they are asked for."""
        return infer(self.call, args, kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {**super().get_config(), "output_shape": self._wanted}


class Attention(Layer):
    """Dot-product attention without weights: [query, value] or [query, value, key].

    query (batch, T, d), value (batch, S, e), key (batch, S, d) to (batch, T, e). With `use_scale`
    the scores are multiplied by a learned number; they are not divided by the root of d. Source:
    Luong et al. 2015.
    """

    def __init__(self, use_scale: bool = False, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.dropout = fraction(self, "dropout", dropout)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        shapes = input_shape if isinstance(input_shape, (list, tuple)) else ()
        if len(shapes) not in (2, 3) or not all(isinstance(one, (list, tuple)) for one in shapes):
            raise ArgumentError(
                f"layer '{self.name}' (Attention) is called on [query, value] or "
                f"[query, value, key], got shape {input_shape}"
            )
        self.scale = None
        if self.use_scale:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    def call(self, inputs: Any, return_attention_scores: bool = False) -> Any:
        """The attended values."""
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        scores = query @ key.transpose(1, 2)
        if self.scale is not None:
            scores = scores * self.scale
        weights = F.softmax(scores, -1)
        attended = F.dropout(weights, self.dropout, self.training) @ value
        return (attended, weights) if return_attention_scores else attended

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, T, e)."""
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What comes out for KerasTensors; the scores too where they are asked for."""
        return infer(self.call, args, kwargs)
