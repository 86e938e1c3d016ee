"""Losses of numbers: how far predicted amounts are from the true ones."""

from __future__ import annotations

from math import log
from typing import Any

import minigrad
from minigrad.keras.config import epsilon
from minigrad.keras.losses.loss import LossFunctionWrapper, aligned, check_not_negative
from minigrad.nn import functional as F

__all__ = [
    "CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson", "cosine_similarity", "huber",
    "log_cosh", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_error",
    "mean_squared_logarithmic_error", "poisson",
]  # fmt: skip

_LOG_2 = log(2)


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of squared differences along the last dimension.

    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    tensor([2.])
    """
    y_true, y_pred = aligned("mean_squared_error", y_true, y_pred)
    return F.mse_loss(y_pred, y_true, "none").mean(-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of absolute differences along the last dimension."""
    y_true, y_pred = aligned("mean_absolute_error", y_true, y_pred)
    return F.l1_loss(y_pred, y_true, "none").mean(-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of absolute differences in percent of the target, which is at least epsilon."""
    y_true, y_pred = aligned("mean_absolute_percentage_error", y_true, y_pred)
    sizes = minigrad.clamp(y_true.abs(), min=epsilon())
    return 100.0 * ((y_true - y_pred) / sizes).abs().mean(-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """The mean of squared differences of log(x + 1); numbers below epsilon count as it."""
    y_true, y_pred = aligned("mean_squared_logarithmic_error", y_true, y_pred)
    wanted = minigrad.log1p(minigrad.clamp(y_true, min=epsilon()))
    found = minigrad.log1p(minigrad.clamp(y_pred, min=epsilon()))
    return F.mse_loss(found, wanted, "none").mean(-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Half the squared difference up to `delta`, a straight line beyond (Huber 1964)."""
    y_true, y_pred = aligned("huber", y_true, y_pred)
    return F.huber_loss(y_pred, y_true, "none", delta).mean(-1)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """The logarithm of the hyperbolic cosine of the difference, which never overflows."""
    y_true, y_pred = aligned("log_cosh", y_true, y_pred)
    difference = y_pred - y_true
    return (minigrad.logaddexp(difference, -difference) - _LOG_2).mean(-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Minus the Poisson likelihood of counts by rates: rate - count * log(rate + epsilon).

    Raises ArgumentError for a rate below 0.
    """
    y_true, y_pred = aligned("poisson", y_true, y_pred)
    check_not_negative(
        "poisson", y_pred, "rates are at least 0: end the model with 'softplus' or 'exponential'"
    )
    return (y_pred - y_true * minigrad.log(y_pred + epsilon())).mean(-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between the vectors along `axis`: -1 where they agree."""
    y_true, y_pred = aligned("cosine_similarity", y_true, y_pred)
    return -F.cosine_similarity(y_pred, y_true, dim=axis, eps=epsilon())


class MeanSquaredError(LossFunctionWrapper):
    """The mean of squared differences.

    >>> MeanSquaredError()([[1.0, 2.0]], [[1.0, 4.0]])
    tensor(2.)
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        y_true, y_pred = aligned("mean_squared_error", y_true, y_pred)
        return F.mse_loss(y_pred, y_true)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of absolute differences."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        y_true, y_pred = aligned("mean_absolute_error", y_true, y_pred)
        return F.l1_loss(y_pred, y_true)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of absolute differences in percent of the targets."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of squared differences of log(x + 1)."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class Huber(LossFunctionWrapper):
    """Half the squared difference up to `delta`, a straight line beyond (Huber 1964)."""

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number."""
        y_true, y_pred = aligned("huber", y_true, y_pred)
        return F.huber_loss(y_pred, y_true, "mean", self.kwargs["delta"])


class LogCosh(LossFunctionWrapper):
    """The logarithm of the hyperbolic cosine of the difference."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """Minus the Poisson likelihood of counts by their predicted rates."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """Minus the cosine of the angle between the vectors along `axis`."""

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)
