"""Keras's metrics of how far predicted numbers are from the true ones."""

from __future__ import annotations

from typing import Any

from minigrad.keras.metrics.metric import Known
from minigrad.training import metrics as known

__all__ = [
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "R2Score",
    "RootMeanSquaredError",
]


class MeanSquaredError(Known, known.MeanSquaredError):
    """The mean of squared differences.

    >>> MeanSquaredError()([1.0, 2.0], [1.0, 4.0])
    tensor(2.)
    """

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        self.start({}, name)


class RootMeanSquaredError(Known, known.RootMeanSquaredError):
    """The root of the mean of squared differences."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        self.start({}, name)


class MeanAbsoluteError(Known, known.MeanAbsoluteError):
    """The mean of absolute differences."""

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        self.start({}, name)


class MeanAbsolutePercentageError(Known, known.MeanAbsolutePercentageError):
    """The mean of absolute differences in percent of the targets."""

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        self.start({}, name)


class MeanSquaredLogarithmicError(Known, known.MeanSquaredLogarithmicError):
    """The mean of squared differences of log(x + 1)."""

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        self.start({}, name)


class R2Score(Known, known.R2Score):
    """The part of the targets' variance that the predictions explain, 1 at best."""

    def __init__(self, name: str = "r2_score", dtype: Any = None) -> None:
        self.start({}, name)
