"""Losses of scores that should be right by a margin: the hinge and its kin."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.losses.loss import LossFunctionWrapper, aligned
from minigrad.nn import functional as F
from minigrad.ops.windows import raw

__all__ = [
    "CategoricalHinge",
    "Hinge",
    "SquaredHinge",
    "categorical_hinge",
    "hinge",
    "squared_hinge",
]


def _signs(y_true: Any) -> Any:
    """Targets of 0 and 1 as -1 and 1; others themselves."""
    return 2.0 * y_true - 1.0 if are_answers(y_true) else y_true


def are_answers(y_true: Any) -> bool:
    """Whether all targets are 0 or 1."""
    array = raw(y_true)
    return bool(((array == 0) | (array == 1)).all())


def hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of max(1 - y_true * y_pred, 0); targets are -1 and 1, or 0 and 1.

    >>> hinge([[0.0, 1.0]], [[-2.0, 0.5]])
    tensor([0.2500])
    """
    y_true, y_pred = aligned("hinge", y_true, y_pred)
    return F.relu(1.0 - _signs(y_true) * y_pred).mean(-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """The mean of max(1 - y_true * y_pred, 0) squared; targets are -1 and 1, or 0 and 1."""
    y_true, y_pred = aligned("squared_hinge", y_true, y_pred)
    short = F.relu(1.0 - _signs(y_true) * y_pred)
    return (short * short).mean(-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """By how much the best wrong class comes within 1 of the right one; y_true is one-hot."""
    y_true, y_pred = aligned("categorical_hinge", y_true, y_pred)
    right = (y_true * y_pred).sum(-1)
    wrong = minigrad.amax((1.0 - y_true) * y_pred, -1)
    return F.relu(wrong - right + 1.0)


class Hinge(LossFunctionWrapper):
    """The mean of max(1 - y_true * y_pred, 0); targets are -1 and 1, or 0 and 1."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """The mean of max(1 - y_true * y_pred, 0) squared; targets are -1 and 1, or 0 and 1."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """By how much the best wrong class's score comes within 1 of the right one's."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
