"""Keras's metrics: those of minigrad.training under Keras's names, found by their names."""

from __future__ import annotations

from typing import Any

from minigrad.keras.lookup import Lookup
from minigrad.keras.losses import (
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from minigrad.keras.metrics import decisions, errors, likelihoods, matching
from minigrad.keras.metrics.decisions import *  # noqa: F403
from minigrad.keras.metrics.errors import *  # noqa: F403
from minigrad.keras.metrics.likelihoods import *  # noqa: F403
from minigrad.keras.metrics.matching import *  # noqa: F403
from minigrad.keras.metrics.metric import Mean, MeanMetricWrapper, Metric, Sum
from minigrad.keras.naming import snake_case
from minigrad.training.metrics import Metric as TrainingMetric

__all__ = [
    "MAE",
    "MAPE",
    "MSE",
    "MSLE",
    "Mean",
    "MeanMetricWrapper",
    "Metric",
    "Sum",
    "as_metric",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "deserialize",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mae",
    "mape",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "msle",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
]
__all__ += decisions.__all__
__all__ += errors.__all__
__all__ += likelihoods.__all__
__all__ += matching.__all__

_CLASSES = {
    **{
        name: getattr(family, name)
        for family in (decisions, errors, likelihoods, matching)
        for name in family.__all__
        if name[0].isupper()
    },
    "Mean": Mean,
    "MeanMetricWrapper": MeanMetricWrapper,
    "Sum": Sum,
}
_SHORT = {
    "bce": likelihoods.BinaryCrossentropy,
    "kld": likelihoods.KLDivergence,
    "mae": errors.MeanAbsoluteError,
    "mape": errors.MeanAbsolutePercentageError,
    "mse": errors.MeanSquaredError,
    "msle": errors.MeanSquaredLogarithmicError,
    "rmse": errors.RootMeanSquaredError,
}
LOOKUP = Lookup(
    "keras.metrics",
    "metric",
    {
        **{snake_case(name): found for name, found in _CLASSES.items()},
        **_CLASSES,
        **_SHORT,
        **{name.upper(): found for name, found in _SHORT.items()},
        "acc": matching.Accuracy,
        "huber": huber,
        "log_cosh": log_cosh,
        "binary_focal_crossentropy": binary_focal_crossentropy,
        "categorical_focal_crossentropy": categorical_focal_crossentropy,
    },
    Metric,
)


def get(identifier: Any) -> Any:
    """The metric of a name, class, instance, function or configuration; None stays None.

    Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> type(get("auc")).__name__
    'AUC'
    """
    return LOOKUP.get(identifier)


def as_metric(identifier: Any) -> Any:
    """The metric that `compile` means by an identifier: an object that gathers batch by batch.

    "accuracy" and "acc" are binary, categorical or sparse as the shapes of the first batch tell; a
    function of (y_true, y_pred) or a loss is averaged. It bears the name that was given. Raises
    ArgumentError for an unknown name, with the nearest known ones.

    >>> as_metric("mse").name
    'mse'
    """
    if isinstance(identifier, TrainingMetric):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in ("accuracy", "acc"):
        return matching.AccuracyByShape(identifier)
    found = get(identifier)
    if not isinstance(found, TrainingMetric):
        found = MeanMetricWrapper(found, getattr(found, "name", None))
    if isinstance(identifier, str):
        found.name = identifier
    return found


def serialize(metric: Any) -> Any:
    """A name or configuration that `get` turns back into the metric."""
    return LOOKUP.to_config(metric)


def deserialize(config: Any) -> Any:
    """The metric that `serialize` gave this for."""
    return get(config)
