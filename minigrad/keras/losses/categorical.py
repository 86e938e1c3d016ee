"""Losses of one class among many, whose targets are one-hot or class numbers."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.errors import ArgumentError, DtypeError, PositionError
from minigrad.keras.config import epsilon
from minigrad.keras.losses.binary import check_smoothing
from minigrad.keras.losses.loss import (
    MEANS,
    LossFunctionWrapper,
    check_not_negative,
    predictions,
    targets,
)
from minigrad.nn import functional as F
from minigrad.ops.fused import pick_classes
from minigrad.ops.probabilities import log_probabilities
from minigrad.ops.windows import raw
from minigrad.tensor import Tensor

__all__ = [
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "SparseCategoricalCrossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy",
]

_NOTHING_IGNORED = -(2**62)


def _check_one_hot(loss: str, y_true: Any, y_pred: Any, axis: int) -> None:
    a, b = tuple(y_true.shape), tuple(y_pred.shape)
    if a != b:
        if len(b) > 1 and (a == b[:-1] or a == (*b[:-1], 1)):
            raise ArgumentError(
                f"{loss}: y_true of shape {list(a)} holds class numbers beside y_pred of shape "
                f"{list(b)}, but this loss takes one-hot rows; use "
                f"'sparse_{loss.replace('focal_', '')}', or keras.utils.to_categorical(y, {b[-1]})"
            )
        if a[:-1] == b[:-1]:
            raise ArgumentError(
                f"{loss}: y_true of shape {list(a)} has {a[-1]} classes and y_pred of shape "
                f"{list(b)} has {b[-1]}; the last layer needs {a[-1]} units"
            )
        raise ArgumentError(
            f"{loss}: y_true of shape {list(a)} and y_pred of shape {list(b)} must have the same "
            f"shape"
        )
    if not b or b[axis] == 1:
        raise ArgumentError(
            f"{loss}: y_pred of shape {list(b)} has one class only, whose loss is always 0; for "
            f"yes-or-no answers use 'binary_crossentropy'"
        )


def _check_probabilities(loss: str, y_pred: Any) -> None:
    check_not_negative(
        loss,
        y_pred,
        "probabilities are at least 0: end the model with 'softmax', or say from_logits=True",
    )


def _logarithms(loss: str, y_pred: Any, axis: int) -> Any:
    """The logarithms of probabilities that are first made to add up to 1, and to be no 0 or 1."""
    _check_probabilities(loss, y_pred)
    small = epsilon()
    return log_probabilities(y_pred, dim=axis % y_pred.ndim, low=small, high=1 - small)


def _smoothed(y_true: Any, label_smoothing: float, axis: int) -> Any:
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[axis]


def _categorical(
    y_true: Any, y_pred: Any, from_logits: bool, label_smoothing: float, axis: int, reduction: str
) -> Any:
    loss = "categorical_crossentropy"
    y_pred = predictions(y_pred)
    y_true = targets(y_true, y_pred)
    _check_one_hot(loss, y_true, y_pred, axis)
    check_smoothing(loss, label_smoothing)
    if from_logits:
        if y_pred.ndim > 2:
            y_true, y_pred = y_true.movedim(axis, 1), y_pred.movedim(axis, 1)
        return F.cross_entropy(y_pred, y_true, reduction=reduction, label_smoothing=label_smoothing)
    y_true = _smoothed(y_true, label_smoothing, axis)
    terms = y_true * _logarithms(loss, y_pred, axis)
    if reduction == "none":
        return -terms.sum(axis)
    return terms.sum() / -(terms.numel() // terms.shape[axis])


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Minus the log-likelihood of one-hot targets (n, ..., classes): a loss for each sample.

    `y_pred` holds probabilities, which are made to add up to 1 and kept from 0 and 1 by
    `keras.config.epsilon()`, or logits. `label_smoothing` mixes that share of all classes into
    the targets. Raises ArgumentError for shapes that differ, or negative probabilities.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    return _categorical(y_true, y_pred, from_logits, label_smoothing, axis, "none")


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: Any = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The categorical cross-entropy, less for what is answered well (Lin et al. 2017).

    Each class's term is scaled by `alpha`, one number or one for each class, and by
    (1 - its probability) ** `gamma`.
    """
    loss = "categorical_focal_crossentropy"
    y_pred = predictions(y_pred)
    y_true = targets(y_true, y_pred)
    _check_one_hot(loss, y_true, y_pred, axis)
    check_smoothing(loss, label_smoothing)
    y_true = _smoothed(y_true, label_smoothing, axis)
    chances = minigrad.softmax(y_pred, axis) if from_logits else y_pred
    logarithms = _logarithms(loss, chances, axis)
    terms = y_true * logarithms * (1.0 - minigrad.exp(logarithms)) ** gamma
    share = alpha if isinstance(alpha, (int, float)) else targets(alpha, y_pred)
    return -(terms * share).sum(axis)


def _classes(y_true: Any, y_pred: Any, axis: int) -> Any:
    """Class numbers as int64, with the shape of the predictions but for the classes."""
    loss = "sparse_categorical_crossentropy"
    if not isinstance(y_true, Tensor):
        y_true = minigrad.as_tensor(y_true)
    alike = y_true._array.__class__ is y_pred._array.__class__
    wanted = y_pred._array.shape
    usual = axis == -1 and alike and y_true._array.dtype == minigrad.int64
    if usual and y_true._array.shape == wanted[:-1] and wanted[-1] != 1:
        return y_true
    shape = list(y_pred.shape)
    count = shape.pop(axis) if shape else 0
    if y_true.ndim == y_pred.ndim and y_true.ndim and y_true.shape[axis] == 1:
        y_true = y_true.squeeze(axis)
    if list(y_true.shape) != shape:
        if tuple(y_true.shape) == tuple(y_pred.shape):
            raise ArgumentError(
                f"{loss}: y_true of shape {list(y_true.shape)} looks one-hot, but this loss takes "
                f"class numbers of shape {shape}; use 'categorical_crossentropy', or "
                f"y_true.argmax(-1)"
            )
        raise ArgumentError(
            f"{loss}: beside y_pred of shape {list(y_pred.shape)}, y_true must hold class numbers "
            f"of shape {shape} or {[*shape, 1]}, got {list(y_true.shape)}"
        )
    if count == 1:
        raise ArgumentError(
            f"{loss}: y_pred of shape {list(y_pred.shape)} has one class only, whose loss is "
            f"always 0; for yes-or-no answers use 'binary_crossentropy'"
        )
    check_whole(y_true, count)
    if y_true._array.dtype == minigrad.int64 and y_true.device == y_pred.device:
        return y_true
    return y_true.to(y_pred.device, minigrad.int64)


def check_whole(y_true: Any, count: int) -> None:
    """Raise DtypeError for class numbers that are no whole numbers."""
    array = raw(y_true)
    whole = array.dtype.kind in "iub"
    if not whole and not (array.dtype.kind == "f" and bool((array % 1 == 0).all())):
        raise DtypeError(
            f"sparse_categorical_crossentropy: y_true holds {array.dtype} that are no whole "
            f"numbers, but class numbers are 0 to {count - 1}; for amounts use a loss such as "
            f"'mean_squared_error'"
        )


def are_classes(classes: Any, count: int) -> bool:
    """Whether there are class numbers, all of them from 0 to `count` - 1."""
    labels = raw(classes)
    return bool(labels.size and labels.min() >= 0 and labels.max() < count)


def as_column(classes: Any) -> Any:
    """The raw class numbers (n,) as (n, 1)."""
    return raw(classes)[:, None]


def _sparse(
    y_true: Any,
    y_pred: Any,
    from_logits: bool,
    ignore_class: int | None,
    axis: int,
    reduction: str,
) -> Any:
    y_pred = predictions(y_pred)
    classes = _classes(y_true, y_pred, axis)
    if not from_logits:
        y_pred = _logarithms("sparse_categorical_crossentropy", y_pred, axis)
    if y_pred.ndim > 2:
        y_pred = y_pred.movedim(axis, 1)
    elif (
        not from_logits
        and ignore_class is None
        and reduction == "mean"
        and y_pred.ndim == 2
        and are_classes(classes, y_pred.shape[1])
    ):
        # What nll_loss comes to for the batches of a classifier.
        picked = pick_classes(y_pred.unsqueeze(-1), as_column(classes))
        return picked.sum() / -len(classes)
    ignored = _NOTHING_IGNORED if ignore_class is None else ignore_class
    loss = F.cross_entropy if from_logits else F.nll_loss
    try:
        return loss(y_pred, classes, ignore_index=ignored, reduction=reduction)
    except IndexError:
        raise _no_class(classes, y_pred.shape[0 if y_pred.ndim == 1 else 1], ignore_class) from None


def _by_logits(y_pred: Any, classes: Any) -> Any:
    """The mean loss of a batch that needs no preparation."""
    try:
        return F.cross_entropy(y_pred, classes, ignore_index=_NOTHING_IGNORED)
    except IndexError:
        raise _no_class(classes, y_pred.shape[1], None) from None


def _no_class(classes: Any, count: int, ignore_class: int | None) -> PositionError:
    """The error for labels out of range: how many, and the first of them."""
    array = classes._array
    wrong = (array < 0) | (array >= count)
    if ignore_class is not None:
        wrong &= array != ignore_class
    at = int(wrong.reshape(-1).argmax())
    label = int(array.reshape(-1)[at])
    hint = ""
    if label == count and not bool((array == 0).any()):
        hint = "; classes count from 0: subtract 1 from the labels"
    elif label >= count:
        hint = f"; the last layer needs at least {int(array.max()) + 1} units"
    elif ignore_class is None:
        hint = f"; to leave such samples out, say ignore_class={label}"
    return PositionError(
        f"sparse_categorical_crossentropy: y_true holds the label {label} (at {at} of "
        f"{array.size}), but y_pred has {count} classes, 0 to {count - 1}{hint}"
    )


def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Any:
    """Minus the log-likelihood of class numbers (n, ...) or (n, ..., 1): a loss for each sample.

    `y_pred` (n, ..., classes) holds probabilities, treated as by `categorical_crossentropy`, or
    logits. The loss of targets of `ignore_class` is 0.

    Raises PositionError (an IndexError) for a class that is not there, DtypeError for class
    numbers that are not whole, ArgumentError for shapes that do not fit.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]])
    tensor([0.6931])
    """
    return _sparse(y_true, y_pred, from_logits, ignore_class, axis, "none")


class CategoricalCrossentropy(LossFunctionWrapper):
    """Minus the log-likelihood of one-hot targets, by probabilities or by logits.

    >>> CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])
    tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        return _categorical(y_true, y_pred, **self.kwargs, reduction="mean")


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The categorical cross-entropy, less for what is answered well (Lin et al. 2017)."""

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Minus the log-likelihood of class numbers, by probabilities or by logits.

    With `ignore_class` the mean is one over the targets that count.

    >>> SparseCategoricalCrossentropy(from_logits=True)([0, 1], [[0.0, 0.0], [0.0, 0.0]])
    tensor(0.6931)
    """

    targets_are_classes = True

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

        self._plain = from_logits and ignore_class is None and axis == -1 and dtype is None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss; `sample_weight` holds a number for each sample."""
        if self._plain and sample_weight is None and self.reduction in MEANS:
            # The usual batch of a classifier goes straight to the function that knows it.
            tensors = isinstance(y_true, Tensor) and isinstance(y_pred, Tensor)
            if tensors and y_true._array.__class__ is y_pred._array.__class__:
                shape = y_pred._array.shape
                usual = y_true._array.dtype == minigrad.int64 and len(shape) == 2 and shape[1] > 1
                single = y_pred._array.dtype == minigrad.float32
                if usual and single and y_true._array.shape == shape[:1]:
                    return _by_logits(y_pred, y_true)
        return super().__call__(y_true, y_pred, sample_weight)

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        return _sparse(y_true, y_pred, **self.kwargs, reduction="mean")

    def mask(self, y_true: Any) -> Any:
        """Which targets count, or None where all do."""
        ignored = self.kwargs["ignore_class"]
        if ignored is None:
            return None
        return minigrad.as_tensor(y_true) != ignored
