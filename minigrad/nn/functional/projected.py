"""The cross entropy of a linear map's outputs."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn.functional.classification import cross_entropy
from minigrad.ops.matmul import linear
from minigrad.ops.shape import reshape

__all__ = ["linear_cross_entropy"]


def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Any:
    """`cross_entropy(linear(input, linear_weight, linear_bias), target)`, for (N, I) or (I,).

    linear_weight (C, I) makes the logits of C classes; (C, d1, ..., I) those of d1... places for
    each input, with a bias (C, d1, ...) and a target (N, d1, ...). `ignore_index` is -100 unless
    given, and has no meaning for a target of probabilities. `options` say to torch how many logits
    to hold at a time; the values do not depend on them, and here they are not looked at.

    Raises ArgumentError for shapes that do not fit.
    """
    operation = "linear_cross_entropy"
    if input.ndim not in (1, 2) or linear_weight.ndim < 2:
        raise ArgumentError(
            f"{operation}(): arguments 'input' and 'linear_weight' must have shapes (N, I) or (I,) "
            f"and (C, ..., I), got {list(input.shape)} and {list(linear_weight.shape)}"
        )
    if input.shape[-1] != linear_weight.shape[-1]:
        raise ArgumentError(
            f"{operation}(): the last sizes of arguments 'input' {list(input.shape)} and "
            f"'linear_weight' {list(linear_weight.shape)} must be equal"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise ArgumentError(
            f"{operation}(): argument 'linear_bias' must have shape {list(outputs)} beside a "
            f"'linear_weight' of shape {list(linear_weight.shape)}, got {list(linear_bias.shape)}"
        )
    if len(outputs) > 1 and input.ndim == 1:
        raise ArgumentError(
            f"{operation}(): a 'linear_weight' of shape {list(linear_weight.shape)} needs a batch: "
            f"argument 'input' (N, {input.shape[0]}), got {list(input.shape)}"
        )
    shape = (*input.shape[:-1], *outputs)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise ArgumentError(
            f"{operation}(): argument 'ignore_index' has no meaning for a target of probabilities"
        )
    if len(outputs) > 1:
        linear_weight = reshape(linear_weight, (-1, input.shape[-1]))
        linear_bias = None if linear_bias is None else reshape(linear_bias, (-1,))
    logits = linear(input, linear_weight, linear_bias)
    return cross_entropy(
        reshape(logits, shape) if len(outputs) > 1 else logits,
        target,
        weight,
        ignore_index=-100 if ignore_index is None else ignore_index,
        reduction=reduction,
        label_smoothing=label_smoothing,
    )
