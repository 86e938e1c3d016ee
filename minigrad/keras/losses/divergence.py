"""Losses of whole distributions: how far predicted probabilities are from the true ones."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.config import epsilon
from minigrad.keras.losses.loss import LossFunctionWrapper, aligned

__all__ = ["KLDivergence", "kl_divergence"]


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """The Kullback-Leibler divergence along the last dimension; probabilities are at least epsilon.

    >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]])
    tensor([0.1438])
    """
    y_true, y_pred = aligned("kl_divergence", y_true, y_pred)
    y_true = minigrad.clamp(y_true, epsilon(), 1.0)
    y_pred = minigrad.clamp(y_pred, epsilon(), 1.0)
    return (y_true * minigrad.log(y_true / y_pred)).sum(-1)


class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence of targets and predictions, both probabilities."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)
