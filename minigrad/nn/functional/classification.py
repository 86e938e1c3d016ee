"""Losses of classifiers: cross entropy and negative log-likelihood over classes."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import namespace
from minigrad.dtypes import int64
from minigrad.errors import ArgumentError, DtypeError
from minigrad.nn.functional.loss import check_reduction, reduced
from minigrad.ops.fused import cross_entropy_of_classes, log_softmax, pick_classes
from minigrad.ops.half import in_single
from minigrad.ops.reduce import sum
from minigrad.ops.shape import reshape
from minigrad.ops.windows import raw

__all__ = ["cross_entropy", "nll_loss"]


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The negative log-likelihood of targets by logits (C,), (N, C) or (N, C, ...).

    The target holds class numbers, with the input's shape but for C, or class probabilities of the
    input's shape. `weight` (C,) rescales classes; targets of `ignore_index` do not count;
    `label_smoothing` mixes that share of all classes into the target.

    Raises IndexError naming a class that is not there, DtypeError for class numbers that are no
    integers, ArgumentError for shapes that do not fit.

    >>> import minigrad
    >>> logits = minigrad.tensor([[0.0, 0.0], [0.0, 0.0]])
    >>> minigrad.nn.functional.cross_entropy(logits, minigrad.tensor([0, 1]))
    tensor(0.6931)
    """
    classes, logits = raw(target), raw(input)
    for name, value in (("input", logits), ("target", classes)):
        if not hasattr(value, "ndim"):
            raise TypeError(
                f"cross_entropy(): argument '{name}' must be a Tensor, not {type(value).__name__}"
            )
    if (
        weight is None
        and not label_smoothing
        and reduction != "none"
        and logits.ndim == 2
        and logits.dtype.kind == "f"
        and classes.dtype == int64
        and classes.shape == logits.shape[:1]
        and classes.size
        and classes_exist(classes, logits.shape[1], ignore_index)
    ):
        check_reduction("cross_entropy", reduction)
        return cross_entropy_of_classes(input, classes, mean=reduction == "mean", saved=[])
    return _general(input, target, weight, ignore_index, reduction, label_smoothing)


def classes_exist(classes: Any, count: int, ignore_index: int) -> bool:
    """Whether all class numbers of a raw array are below `count`, and none is to be ignored."""
    # Seen as unsigned, a negative number is a large one: one look finds both kinds of errors.
    if classes.view("Q").max() >= count:
        return False
    return ignore_index < 0 or not (classes == ignore_index).any()


@in_single
def _general(
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Any:
    operation = "cross_entropy"
    check_reduction(operation, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"{operation}(): argument 'label_smoothing' must be between 0 and 1, got "
            f"{label_smoothing}"
        )
    dim = _class_dim(operation, input)
    count = input.shape[dim]
    check_weight(operation, input, weight, count)
    if raw(target).dtype.kind == "f" and tuple(target.shape) == tuple(input.shape):
        return _of_probabilities(input, target, weight, reduction, label_smoothing, dim)
    safe, used = class_numbers(operation, input, target, dim, ignore_index)
    scores = log_softmax(input, dim)
    loss = _negative_log(scores, safe, used, weight, reduction)
    if not label_smoothing:
        return loss
    # The rest of the target is spread evenly: each class's score counts by its weight.
    scale = _beside(weight, input.ndim, dim)
    even = -sum(scores if weight is None else scores * scale, dim)
    shares = shares_of(scores, safe, used, weight)
    even = even * shares_of(scores, safe, used, None)
    if reduction == "mean":
        even = mean_by(even, shares)
    else:
        even = reduced(even, reduction)
    return (1 - label_smoothing) * loss + (label_smoothing / count) * even


def check_probabilities(target: Any) -> None:
    """Raise ArgumentError for a target of class probabilities with NaN among them."""
    array = raw(target)
    xp = namespace("cross_entropy", target=array)
    if array.size and bool(xp.isnan(array.min())):
        raise ArgumentError(
            "cross_entropy(): argument 'target' holds NaN probabilities; drop those samples, or "
            "give class numbers as integers"
        )


def _of_probabilities(
    input: Any, target: Any, weight: Any, reduction: str, label_smoothing: float, dim: int
) -> Any:
    check_probabilities(target)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[dim]
    terms = log_softmax(input, dim) * target
    if weight is not None:
        terms = terms * _beside(weight, input.ndim, dim)
    if reduction == "none":
        return -sum(terms, dim)
    total = -sum(terms)
    return total / (terms.numel() // input.shape[dim]) if reduction == "mean" else total


@in_single
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """Minus the log-probability of each target class, from log-probabilities (N, C, ...) or (C,).

    `weight` (C,) rescales classes; targets of `ignore_index` do not count.

    Raises IndexError naming a class that is not there, DtypeError for class numbers that are no
    integers, ArgumentError for shapes that do not fit.
    """
    operation = "nll_loss"
    check_reduction(operation, reduction)
    dim = _class_dim(operation, input)
    check_weight(operation, input, weight, input.shape[dim])
    safe, used = class_numbers(operation, input, target, dim, ignore_index)
    return _negative_log(input, safe, used, weight, reduction)


def _class_dim(operation: str, input: Any) -> int:
    """The dimension of the classes."""
    if not hasattr(input, "ndim") or input.ndim == 0:
        raise ArgumentError(
            f"{operation}(): argument 'input' must have shape (C,), (N, C) or (N, C, ...), got "
            f"{list(getattr(input, 'shape', ()))}"
        )
    if input.dtype.kind != "f":
        raise DtypeError(
            f"{operation}(): argument 'input' must be floating, got {input.dtype}; convert it, for "
            f"example input.float()"
        )
    return 0 if input.ndim == 1 else 1


def check_weight(operation: str, input: Any, weight: Any, count: int) -> None:
    """Raise an error unless a weight has one number for each class, in the input's dtype."""
    if weight is None:
        return
    if tuple(weight.shape) != (count,):
        raise ArgumentError(
            f"{operation}(): argument 'weight' must have shape [{count}], one number for each "
            f"class, got {list(weight.shape)}"
        )
    if weight.dtype != input.dtype:
        raise DtypeError(
            f"{operation}(): argument 'weight' is {weight.dtype} and argument 'input' is "
            f"{input.dtype}; convert it, for example weight.to(input.dtype)"
        )


def class_numbers(
    operation: str, input: Any, target: Any, dim: int, ignore_index: int | None
) -> tuple[Any, Any]:
    """The class numbers, with 0 for those that do not count, and which count.

    All count when `ignore_index` is None.
    """
    array = raw(target)
    if not hasattr(array, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'target' must be a Tensor, not {type(target).__name__}"
        )
    shape, count = tuple(input.shape), input.shape[dim]
    wanted = (*shape[:dim], *shape[dim + 1 :])
    if array.dtype.kind not in "iu":
        also = ""
        if array.dtype.kind == "f" and array.size:
            xp = namespace(operation, target=array)
            also = " with NaN among them" if bool(xp.isnan(array).any()) else ""
        raise DtypeError(
            f"{operation}(): argument 'target' of shape {list(array.shape)} holds "
            f"{array.dtype}{also}, but class numbers are integers: convert it, for example "
            f"target.long(); class probabilities have the input's shape {list(shape)}"
        )
    if tuple(array.shape) != wanted:
        raise ArgumentError(
            f"{operation}(): argument 'target' must have shape {list(wanted)} beside argument "
            f"'input' of shape {list(shape)}, got {list(array.shape)}"
        )
    if ignore_index is None:
        used = namespace(operation, target=array).ones(wanted, bool)
    else:
        used = array != ignore_index
    wrong = used & ((array < 0) | (array >= count))
    if bool(wrong.any()):
        raise _no_class(operation, array, wrong, count)
    return array * used, used


def _no_class(operation: str, array: Any, wrong: Any, count: int) -> IndexError:
    """The error for a class that is not there: which, and where it stands."""
    at = int(wrong.reshape(-1).argmax())
    label = int(array.reshape(-1)[at])
    place: list[int] = []
    for size in reversed(array.shape):
        at, rest = divmod(at, size)
        place.insert(0, rest)
    return IndexError(
        f"{operation}(): argument 'target' has the label {label} at position {place}, but argument "
        f"'input' has only {count} classes, 0 to {count - 1}"
    )


def shares_of(scores: Any, safe: Any, used: Any, weight: Any) -> Any:
    """How much each target counts, as a raw array."""
    counted = used.astype(scores.dtype)
    return counted if weight is None else raw(weight)[safe] * counted


def mean_by(loss: Any, shares: Any) -> Any:
    """The sum of losses over the sum of raw shares; where none counts NaN, with no slope."""
    total, excess = divisor_of(shares)
    return sum(loss) / total + excess


def divisor_of(shares: Any) -> tuple[Any, Any]:
    """The sum of raw shares, one for zero, and what to add: NaN where it was zero."""
    xp = namespace("cross_entropy", target=shares)
    total = xp.asarray(shares.sum(), shares.dtype)
    none = total == 0
    return xp.where(none, total + 1, total), xp.where(none, total + xp.nan, total * 0)


def _negative_log(scores: Any, safe: Any, used: Any, weight: Any, reduction: str) -> Any:
    """Minus the score of each target's class, by how much it counts; reduced."""
    shares = shares_of(scores, safe, used, weight)
    shape = tuple(scores.shape) if scores.ndim > 1 else (1, *scores.shape)
    batch, count, length = shape[0], shape[1], prod(shape[2:])
    columns = reshape(scores, (batch, count, length))
    picked = pick_classes(columns, reshape(safe, (batch, length)))
    picked = reshape(picked, tuple(safe.shape))
    loss = -(picked * shares)
    if reduction == "mean":
        return mean_by(loss, shares)
    return reduced(loss, reduction)


def _beside(weight: Any, ndim: int, dim: int) -> Any:
    """A weight for each class, seen along the classes' dimension."""
    if weight is None:
        return None
    return reshape(weight, (*(1,) * dim, -1, *(1,) * (ndim - dim - 1)))
