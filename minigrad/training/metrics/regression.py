"""How far predicted numbers lie from the targets."""

from __future__ import annotations

import math
from typing import Any

from minigrad.training.metrics.metric import MeanMetric, Metric, finite_mean, repeated

__all__ = [
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "R2Score",
    "RootMeanSquaredError",
]


class MeanAbsoluteError(MeanMetric):
    """The mean of |output - target|; both (n,) or (n, ...)."""

    higher_is_better = False

    def values(self, output: Any, target: Any) -> Any:
        """The absolute errors."""
        return abs(self._errors(output, target))

    def _errors(self, output: Any, target: Any) -> Any:
        """The differences in float64, so that sums of many stay exact and bytes do not wrap."""
        xp, output, target = self.aligned(output, target)
        return xp.subtract(output, target, dtype=xp.float64)


class MeanSquaredError(MeanAbsoluteError):
    """The mean of (output - target) squared; both (n,) or (n, ...).

    >>> error = MeanSquaredError()
    >>> error.update([1.0, 2.0], [1.0, 4.0])
    >>> error.compute()
    2.0
    """

    def values(self, output: Any, target: Any) -> Any:
        """The squared errors."""
        errors = self._errors(output, target)
        return errors * errors


class RootMeanSquaredError(MeanSquaredError):
    """The square root of the mean squared error."""

    def compute(self) -> float:
        """The root of the mean over all samples since the last reset."""
        return math.sqrt(super().compute())


class MeanAbsolutePercentageError(MeanMetric):
    """The mean of 100 |output - target| / max(|target|, epsilon), in percent as in Keras."""

    higher_is_better = False

    def __init__(self, name: str | None = None, epsilon: float = 1e-7) -> None:
        self.epsilon = epsilon
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """The errors in percent of the targets."""
        xp, output, target = self.aligned(output, target)
        target = target.astype(xp.float64)
        return 100.0 * abs(output - target) / xp.maximum(abs(target), self.epsilon)


class MeanSquaredLogarithmicError(MeanMetric):
    """The mean of (log(1 + output) - log(1 + target)) squared; negative numbers count as 0."""

    higher_is_better = False

    def values(self, output: Any, target: Any) -> Any:
        """The squared differences of the logarithms."""
        xp, output, target = self.aligned(output, target)
        output = xp.log1p(xp.maximum(output.astype(xp.float64), 0.0))
        target = xp.log1p(xp.maximum(target.astype(xp.float64), 0.0))
        return (output - target) ** 2


class R2Score(Metric):
    """The share of the targets' variance that the outputs explain; both (n,) or (n, outputs).

    Several outputs are averaged. Targets that do not vary give 1.0 for exact outputs and 0.0 for
    others, as in scikit-learn; fewer than two samples give NaN. The variance is gathered by the
    pairwise formula of Chan, Golub and LeVeque (1979), which loses no digits to large means.
    """

    higher_is_better = True

    def reset(self) -> None:
        """Forget all batches."""
        self._samples = 0
        self._weight: Any = 0.0
        self._mean: Any = 0.0
        self._spread: Any = 0.0
        self._error: Any = 0.0

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's outputs, the targets, and a weight per sample."""
        xp, output, target = self.aligned(output, target)
        samples = output.shape[0] if output.ndim else 1
        if not output.size:
            return
        output = output.astype(xp.float64).reshape(samples, -1)
        target = target.astype(xp.float64).reshape(samples, -1)
        if weight is None:
            shares = xp.ones((samples, 1))
        else:
            shares = repeated(self.name, weight, target[:, :1])
        total = shares.sum()
        # Only weights of 0 have no mean; dividing by 1 then leaves what was gathered as it was.
        mean = (shares * target).sum(axis=0) / xp.where(total == 0, 1.0, total)
        both = self._weight + total
        apart = mean - self._mean
        share = total / xp.where(both == 0, 1.0, both)
        self._spread = (
            self._spread
            + (shares * (target - mean) ** 2).sum(axis=0)
            + apart**2 * (self._weight * share)
        )
        self._error = self._error + (shares * (target - output) ** 2).sum(axis=0)
        self._mean = self._mean + apart * share
        self._weight = both
        self._samples += samples

    def compute(self) -> float:
        """The score over all samples since the last reset."""
        if self._samples < 2 or not float(self._weight):
            return math.nan
        scores = []
        for error, spread_ in zip(self._error.tolist(), self._spread.tolist()):
            if spread_:
                scores.append(1.0 - error / spread_)
            else:
                scores.append(1.0 if error == 0.0 else 0.0)
        return finite_mean(scores)
