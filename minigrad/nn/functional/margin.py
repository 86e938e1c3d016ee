"""Losses of classifiers that want the right class ahead of the others by a margin."""

from __future__ import annotations

from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn.functional.classification import check_weight, class_numbers
from minigrad.nn.functional.loss import check_reduction, check_shapes, reduced
from minigrad.ops.activation import logsigmoid
from minigrad.ops.gather import gather
from minigrad.ops.half import in_single
from minigrad.ops.promotion import require_floating
from minigrad.ops.reduce import mean, sum
from minigrad.ops.select import clamp_min
from minigrad.ops.shape import reshape, unsqueeze
from minigrad.ops.windows import raw

__all__ = ["multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss"]


def _rows(operation: str, input: Any) -> Any:
    """The scores as (N, C); raises ArgumentError for other than (N, C), (C,) or ()."""
    if not hasattr(input, "ndim"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    if input.ndim > 2 or (input.ndim and not input.shape[-1]):
        raise ArgumentError(
            f"{operation}(): argument 'input' must have shape (N, C) or (C,), got "
            f"{list(input.shape)}"
        )
    require_floating(operation, "input", input)
    return input if input.ndim == 2 else reshape(input, (1, -1))


@in_single
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """What the right class's score lacks of being ahead of each other one by the margin.

    The scores are (N, C) or (C,), the target holds class numbers (N,) or (). The lacks, to the
    power `p` of 1 or 2 and times the right class's `weight` (C,), are averaged over all C classes.
    """
    operation = "multi_margin_loss"
    check_reduction(operation, reduction)
    rows = _rows(operation, input)
    if p not in (1, 2):
        raise ArgumentError(f"{operation}(): argument 'p' must be 1 or 2, got {p}")
    count = rows.shape[1]
    check_weight(operation, input, weight, count)
    if input.ndim < 2 and tuple(getattr(target, "shape", ())) in ((), (1,)):
        target = reshape(target, (1,))
    classes, _ = class_numbers(operation, rows, target, 1, None)
    classes = reshape(classes, (-1, 1))
    lack = clamp_min(margin - gather(rows, 1, classes) + rows, 0)
    # The right class does not compete with itself.
    lack = lack * wrong_classes(classes, count)
    if p == 2:
        lack = lack * lack
    if weight is not None:
        lack = lack * weight[classes]
    loss = mean(lack, 1)
    return reduced(loss if input.ndim == 2 else reshape(loss, ()), reduction)


@in_single
def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """What the scores of a sample's labels lack of being 1 above those of all other classes.

    Input and target are (N, C) or (C,); a row of the target lists the labels and ends at the first
    -1. The lacks of all pairs are summed and divided by C.
    """
    operation = "multilabel_margin_loss"
    check_reduction(operation, reduction)
    rows = _rows(operation, input)
    check_shapes(operation, input, target)
    count = rows.shape[1]
    safe, pairs = listed_labels(operation, target, count)
    lack = clamp_min(1 - unsqueeze(gather(rows, 1, safe), 2) + unsqueeze(rows, 1), 0)
    loss = sum(lack * pairs, (1, 2)) / count
    return reduced(loss if input.ndim == 2 else reshape(loss, ()), reduction)


def wrong_classes(classes: Any, count: int) -> Any:
    """For raw class numbers (N, 1) which of all classes they are not, (N, count)."""
    xp = namespace("multi_margin_loss", target=classes)
    return xp.arange(count) != classes


def listed_labels(operation: str, target: Any, count: int) -> tuple[Any, Any]:
    """The labels that rows list, 0 elsewhere, and which pairs of label and other class count."""
    labels = raw(target)
    if labels.dtype.kind not in "iu":
        raise DtypeError(
            f"{operation}(): argument 'target' holds {labels.dtype}, but labels are class numbers: "
            f"convert it, for example target.long()"
        )
    xp = namespace(operation, target=labels)
    labels = labels.reshape(-1, count)
    listed = xp.cumprod(labels >= 0, 1) != 0
    if bool((listed & (labels >= count)).any() or (labels < -1).any()):
        raise IndexError(
            f"{operation}(): argument 'target' holds a label outside 0 to {count - 1}; a row lists "
            f"labels and ends with -1"
        )
    safe = labels * listed
    right = ((safe[:, :, None] == xp.arange(count)) & listed[:, :, None]).any(1)
    return safe, listed[:, :, None] & ~right[:, None, :]


@in_single
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """Binary cross-entropy of logits (..., C) with targets 0 and 1, averaged over the classes.

    `weight` (C,) rescales classes.
    """
    operation = "multilabel_soft_margin_loss"
    check_reduction(operation, reduction)
    check_shapes(operation, input, target)
    require_floating(operation, "input", input)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(mean(loss, -1), reduction)
