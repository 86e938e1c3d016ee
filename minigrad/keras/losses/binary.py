"""Losses of yes-or-no questions, by probabilities or by logits."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.config import epsilon
from minigrad.keras.losses.loss import LossFunctionWrapper, aligned, check_not_negative
from minigrad.nn import functional as F
from minigrad.ops.windows import raw

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "binary_crossentropy",
    "binary_focal_crossentropy",
]

_NO_PROBABILITIES = (
    "probabilities lie between 0 and 1: end the model with 'sigmoid', or say from_logits=True"
)


def check_smoothing(loss: str, label_smoothing: float) -> None:
    """Raise ArgumentError unless the smoothing lies between 0 and 1."""
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(
            f"{loss}: label_smoothing must be between 0 and 1, got {label_smoothing}"
        )


def _probabilities(loss: str, y_pred: Any) -> Any:
    """Probabilities kept from 0 and 1 by epsilon. Raises ArgumentError for other numbers."""
    check_chances(loss, y_pred)
    return minigrad.clamp(y_pred, epsilon(), 1 - epsilon())


def check_chances(loss: str, y_pred: Any) -> None:
    """Raise ArgumentError if some prediction is below 0 or above 1; NaN passes."""
    array = raw(y_pred)
    check_not_negative(loss, array, _NO_PROBABILITIES)
    if array.size and bool(array.max() > 1):
        raise ArgumentError(
            f"{loss}: y_pred holds numbers above 1 (the largest is {float(array.max()):g}); "
            f"{_NO_PROBABILITIES}"
        )


def are_positive(chance: Any) -> bool:
    """Whether all numbers are above 0; NaN is not."""
    array = raw(chance)
    return not array.size or bool(array.min() > 0)


def _entropy(y_true: Any, chance: Any, reduction: str) -> Any:
    """The cross-entropy by probabilities; NaN where they are NaN."""
    if not are_positive(chance):
        # A run that went astray gives NaN here, which its callbacks look for.
        return chance.mean() if reduction == "mean" else chance + y_true
    return F.binary_cross_entropy(chance, y_true, reduction=reduction)


def _prepared(loss: str, y_true: Any, y_pred: Any, label_smoothing: float) -> tuple[Any, Any]:
    y_true, y_pred = aligned(loss, y_true, y_pred)
    check_smoothing(loss, label_smoothing)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return y_true, y_pred


def _binary(
    y_true: Any, y_pred: Any, from_logits: bool, label_smoothing: float, reduction: str
) -> Any:
    loss = "binary_crossentropy"
    y_true, y_pred = _prepared(loss, y_true, y_pred, label_smoothing)
    if from_logits:
        return F.binary_cross_entropy_with_logits(y_pred, y_true, reduction=reduction)
    return _entropy(y_true, _probabilities(loss, y_pred), reduction)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Minus the log-likelihood of targets in [0, 1], meaned along `axis`.

    `y_pred` holds probabilities, kept from 0 and 1 by `keras.config.epsilon()`, or logits.
    `label_smoothing` draws the targets towards 0.5. Raises ArgumentError for shapes that differ,
    or numbers that are no probabilities.

    >>> binary_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    tensor([0.6931])
    """
    return _binary(y_true, y_pred, from_logits, label_smoothing, "none").mean(axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """The binary cross-entropy, less for what is answered well (Lin et al. 2017).

    Each loss is scaled by (1 - the probability of the right answer) ** `gamma`; the balancing by
    `alpha` for yes and 1 - `alpha` for no.
    """
    loss = "binary_focal_crossentropy"
    y_true, y_pred = _prepared(loss, y_true, y_pred, label_smoothing)
    chance = _probabilities(loss, minigrad.sigmoid(y_pred) if from_logits else y_pred)
    right = y_true * chance + (1.0 - y_true) * (1.0 - chance)
    values = _entropy(y_true, chance, "none") * (1.0 - right) ** gamma
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return values.mean(axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """Minus the log-likelihood of yes-or-no targets, by probabilities or by logits.

    >>> BinaryCrossentropy(from_logits=True)([[0.0], [1.0]], [[0.0], [0.0]])
    tensor(0.6931)
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        settings = self.kwargs
        return _binary(y_true, y_pred, settings["from_logits"], settings["label_smoothing"], "mean")


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy, less for what is answered well (Lin et al. 2017)."""

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
