"""Distances and similarities of vectors, and the losses made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn.functional.loss import check_reduction, check_shapes, reduced
from minigrad.ops.activation import logsigmoid
from minigrad.ops.dims import wrap_dim
from minigrad.ops.half import in_single
from minigrad.ops.lengths import vector_norm
from minigrad.ops.promotion import require_floating
from minigrad.ops.reduce import sum
from minigrad.ops.select import clamp_min, minimum, where

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "normalize",
    "pairwise_distance",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


@in_single
def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """The input over its `p`-norm along `dim`, which counts as at least `eps`."""
    require_floating("normalize", "input", input)
    return input / clamp_min(vector_norm(input, p, dim, True), eps)


@in_single
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`; norms count as at least `eps`.

    >>> import minigrad
    >>> a, b = minigrad.tensor([1.0, 0.0]), minigrad.tensor([0.0, 2.0])
    >>> minigrad.nn.functional.cosine_similarity(a, b, dim=0)
    tensor(0.)
    """
    require_floating("cosine_similarity", "x1", x1)
    require_floating("cosine_similarity", "x2", x2)
    lengths = []
    product = x1 * x2
    dim = wrap_dim("cosine_similarity", dim, product.ndim)
    for x in (x1, x2):
        # A vector of fewer dimensions is normalised along the same dimension once broadcast.
        wide = x.expand(product.shape) if x.shape != product.shape else x
        lengths.append(clamp_min(vector_norm(wide, 2.0, dim, True), eps))
    return sum(product / (lengths[0] * lengths[1]), dim)


@in_single
def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The `p`-norm of the difference of vectors along the last dimension, `eps` added to it."""
    return vector_norm(x1 - x2 + eps, p, -1, keepdim)


@in_single
def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """The input where the target is 1; what it lacks of the margin where the target is -1."""
    check_reduction("hinge_embedding_loss", reduction)
    check_shapes("hinge_embedding_loss", input, target)
    # As in torch, any other target counts as both.
    near = where(target != -1, input, 0.0)
    far = where(target != 1, clamp_min(margin - input, 0), 0.0)
    return reduced(near + far, reduction)


@in_single
def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """What input1 lacks of being above input2 (target 1) or below it (-1) by the margin."""
    operation = "margin_ranking_loss"
    check_reduction(operation, reduction)
    check_shapes(operation, input1, input2, "input2")
    check_shapes(operation, input1, target)
    return reduced(clamp_min(-target * (input1 - input2) + margin, 0), reduction)


@in_single
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """log(1 + exp(-target input)) for targets 1 and -1."""
    check_reduction("soft_margin_loss", reduction)
    check_shapes("soft_margin_loss", input, target)
    return reduced(-logsigmoid(target * input), reduction)


@in_single
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """One less the cosine of pairs with target 1; the cosine above the margin of those with -1.

    The inputs are (N, D) with a target (N,), or (D,) with a target of no dimensions.
    """
    operation = "cosine_embedding_loss"
    check_reduction(operation, reduction)
    check_shapes(operation, input1, input2, "input2")
    if input1.ndim not in (1, 2) or tuple(target.shape) != tuple(input1.shape[:-1]):
        raise ArgumentError(
            f"{operation}(): argument 'target' must have shape (N,) beside inputs (N, D), or () "
            f"beside inputs (D,); got {list(target.shape)} beside {list(input1.shape)}"
        )
    # Torch adds this to the squared lengths rather than limiting the lengths.
    eps = 1e-12
    lengths = (sum(input1 * input1, -1) + eps) * (sum(input2 * input2, -1) + eps)
    cosine = sum(input1 * input2, -1) / lengths**0.5
    near = where(target == 1, 1 - cosine, 0.0)
    far = where(target == -1, clamp_min(cosine - margin, 0), 0.0)
    return reduced(near + far, reduction)


@in_single
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """What anchors lack of being nearer to the positive than to the negative by the margin.

    With `swap` the negative's distance is the smaller one of those to anchor and positive. Source:
    Balntas and others, "Learning local feature descriptors with triplets", 2016.
    """
    operation = "triplet_margin_loss"
    _check_triplet(operation, anchor, positive, negative)
    _check_margin(operation, margin)

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return _triplet(operation, distance, anchor, positive, negative, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """`triplet_margin_loss` with any distance; `pairwise_distance` unless given."""
    operation = "triplet_margin_with_distance_loss"
    _check_margin(operation, margin)
    if distance_function is None:
        _check_triplet(operation, anchor, positive, negative)
    distance = distance_function or pairwise_distance
    return _triplet(operation, distance, anchor, positive, negative, margin, swap, reduction)


def _check_triplet(operation: str, anchor: Any, positive: Any, negative: Any) -> None:
    others = {"positive": positive, "negative": negative}
    for name, value in others.items():
        pairs = zip(value.shape, anchor.shape)
        if value.ndim != anchor.ndim or any(a != b and 1 not in (a, b) for a, b in pairs):
            raise ArgumentError(
                f"{operation}(): argument '{name}' of shape {list(value.shape)} does not fit "
                f"argument 'anchor' of shape {list(anchor.shape)}"
            )


def _check_margin(operation: str, margin: float) -> None:
    if not margin > 0:
        raise ArgumentError(f"{operation}(): argument 'margin' must be positive, got {margin}")


def _triplet(
    operation: str,
    distance: Callable[[Any, Any], Any],
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
    reduction: str,
) -> Any:
    check_reduction(operation, reduction)
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(clamp_min(margin + near - far, 0), reduction)
