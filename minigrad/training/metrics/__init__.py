"""Metrics: numbers about a model's outputs, gathered batch by batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from minigrad.training.metrics.auc import AUC
from minigrad.training.metrics.confusion import (
    ConfusionMatrix,
    F1Score,
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from minigrad.training.metrics.entropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from minigrad.training.metrics.metric import FunctionMetric, Mean, MeanMetric, Metric
from minigrad.training.metrics.regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    R2Score,
    RootMeanSquaredError,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "ConfusionMatrix",
    "F1Score",
    "FalseNegatives",
    "FalsePositives",
    "FunctionMetric",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanMetric",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Metric",
    "Precision",
    "R2Score",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "as_metric",
]

NAMES: dict[str, Callable[[], Metric]] = {
    "accuracy": Accuracy,
    "acc": lambda: Accuracy("acc"),
    "auc": AUC,
    "binary_accuracy": BinaryAccuracy,
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_accuracy": CategoricalAccuracy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "f1_score": F1Score,
    "mae": lambda: MeanAbsoluteError("mae"),
    "mape": lambda: MeanAbsolutePercentageError("mape"),
    "mean_absolute_error": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError,
    "mean_squared_error": MeanSquaredError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError,
    "mse": lambda: MeanSquaredError("mse"),
    "precision": Precision,
    "r2_score": R2Score,
    "recall": Recall,
    "rmse": lambda: RootMeanSquaredError("rmse"),
    "root_mean_squared_error": RootMeanSquaredError,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
}
"""What metrics are called."""


def as_metric(metric: Any) -> Metric:
    """The metric that a name, a function of output and target, or a metric stands for.

    Raises ArgumentError for an unknown name, with the nearest known ones, TypeError for others.

    >>> as_metric("mse")
    MeanSquaredError(name='mse')
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, str):
        make = NAMES.get(metric)
        if make is None:
            from difflib import get_close_matches

            near = get_close_matches(metric, NAMES, cutoff=0.5) or sorted(NAMES)
            raise ArgumentError(f"unknown metric {metric!r}; known are {', '.join(near)}")
        return make()
    if isinstance(metric, type):
        raise TypeError(
            f"a metric is given as an object: {metric.__name__}(), not {metric.__name__}"
        )
    if callable(metric):
        return FunctionMetric(metric)
    raise TypeError(
        f"a metric is a Metric, the name of one or a function, got {type(metric).__name__}"
    )
