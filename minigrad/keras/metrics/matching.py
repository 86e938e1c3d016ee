"""Keras's accuracies: how often a prediction is right."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.metrics.metric import Known, MeanMetricWrapper
from minigrad.training import metrics as known

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy", "accuracy", "binary_accuracy",
    "categorical_accuracy", "sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]  # fmt: skip


class AccuracyByShape(Known, known.Accuracy):
    """What "accuracy" means to `compile`: binary, categorical or sparse, as the shapes tell."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        self.start({}, name, dim=-1)


class BinaryAccuracy(Known, known.BinaryAccuracy):
    """How often `y_pred > threshold` is the target, 0 or 1.

    >>> BinaryAccuracy()([[1], [0]], [[0.9], [0.6]])
    tensor(0.5000)
    """

    def __init__(
        self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5
    ) -> None:
        self.start({"threshold": threshold}, name, threshold)


class CategoricalAccuracy(Known, known.CategoricalAccuracy):
    """How often the largest prediction is that of the class of a one-hot target."""

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        self.start({}, name, dim=-1)


class SparseCategoricalAccuracy(Known, known.SparseCategoricalAccuracy):
    """How often the largest prediction is that of the class whose number is the target."""

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        self.start({}, name, dim=-1)


class TopKCategoricalAccuracy(Known, known.TopKCategoricalAccuracy):
    """How often the class of a one-hot target is among the k largest predictions."""

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        self.start({"k": k}, name, k)


class SparseTopKCategoricalAccuracy(Known, known.SparseTopKCategoricalAccuracy):
    """How often the class whose number is the target is among the k largest predictions."""

    def __init__(
        self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: Any = None
    ) -> None:
        self.start({"k": k}, name, k)


class Accuracy(MeanMetricWrapper):
    """How often the predictions equal the targets; for class numbers, not for probabilities."""

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(accuracy, name, dtype)


def _right(metric: known.MeanMetric, y_true: Any, y_pred: Any) -> Any:
    return minigrad.as_tensor(metric.values(y_pred, y_true)).to(minigrad.get_default_dtype())


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the prediction equals the target, else 0."""
    _, found, wanted = known.Accuracy().aligned(y_pred, y_true)
    return minigrad.as_tensor(found == wanted).to(minigrad.get_default_dtype())


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where `y_pred > threshold` is the target, else 0."""
    return _right(known.BinaryAccuracy(threshold=threshold), y_true, y_pred)


def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the one-hot target's class, else 0.

    >>> categorical_accuracy([[0, 1], [0, 1]], [[0.1, 0.9], [0.8, 0.2]])
    tensor([1., 0.])
    """
    return _right(known.CategoricalAccuracy(dim=-1), y_true, y_pred)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest prediction is that of the class whose number is the target, else 0."""
    return _right(known.SparseCategoricalAccuracy(dim=-1), y_true, y_pred)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the one-hot target's class is among the k largest predictions, else 0."""
    return _right(known.TopKCategoricalAccuracy(k=k), y_true, y_pred)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the class whose number is the target is among the k largest, else 0."""
    return _right(known.SparseTopKCategoricalAccuracy(k=k), y_true, y_pred)
