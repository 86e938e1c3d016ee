"""keras.ops of networks: activations, one-hot rows, cross-entropies."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras import losses
from minigrad.keras.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparsemax,
    squareplus,
    swish,
    tanh_shrink,
    threshold,
)
from minigrad.keras.ops.translate import of_floats, operation, tensor

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "celu", "elu", "gelu", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid",
    "log_softmax", "multi_hot", "one_hot", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_categorical_crossentropy",
    "sparse_plus", "sparsemax", "squareplus", "swish", "tanh_shrink", "threshold",
]  # fmt: skip


@operation
def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    """For each class number a row with a one in its place; zeros for a number out of range."""
    x = tensor(x)
    rows = x.unsqueeze(-1) == minigrad.arange(num_classes, device=x.device)
    rows = tensor(rows, "float32" if dtype is None else dtype)
    return rows if axis in (-1, rows.ndim - 1) else minigrad.movedim(rows, -1, axis)


@operation
def multi_hot(inputs: Any, num_classes: int, axis: int = -1, dtype: Any = None) -> Any:
    """For each set of class numbers, the last axis, a row with ones in their places."""
    rows = one_hot(inputs, num_classes, dtype=dtype)
    return minigrad.amax(rows, 1 if rows.ndim > 2 else 0)


@operation
def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Any:
    """The cross-entropy of each single probability, or logit, with its target."""
    target, output = of_floats(target), of_floats(output)
    return losses.binary_crossentropy(
        target.unsqueeze(-1), output.unsqueeze(-1), from_logits=from_logits
    )


@operation
def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """The cross-entropy of probabilities, or logits, along the axis with target probabilities."""
    return losses.categorical_crossentropy(
        of_floats(target), of_floats(output), from_logits=from_logits, axis=axis
    )


@operation
def sparse_categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Any:
    """The cross-entropy of probabilities, or logits, along the axis with class numbers."""
    return losses.sparse_categorical_crossentropy(
        tensor(target), of_floats(output), from_logits=from_logits, axis=axis
    )
