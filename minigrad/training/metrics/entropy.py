"""The cross-entropy of predicted probabilities, or of logits, as a metric: the log loss."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.metrics.accuracy import check_one_hot, class_numbers
from minigrad.training.metrics.metric import MeanMetric

__all__ = ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"]


class Crossentropy(MeanMetric):
    """What the three have in common: logits or probabilities, and how near to 0 these may come.

    Probabilities are clipped to [epsilon, 1 - epsilon]; None is the precision of their dtype, as
    in scikit-learn's `log_loss` (Keras clips at 1e-7).
    """

    higher_is_better = False

    def __init__(
        self,
        name: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        epsilon: float | None = None,
    ) -> None:
        if not 0.0 <= label_smoothing <= 1.0:
            raise ArgumentError(
                f"{type(self).__name__}: label_smoothing must be between 0 and 1, got "
                f"{label_smoothing}"
            )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.epsilon = epsilon
        super().__init__(name)

    def _clipped(self, xp: Any, output: Any) -> Any:
        """The probabilities in float64, kept away from 0 and 1."""
        epsilon = self.epsilon
        if epsilon is None:
            kind = output.dtype if output.dtype.kind == "f" else xp.dtype("float64")
            epsilon = float(xp.finfo(kind).eps)
        return xp.clip(output.astype(xp.float64), epsilon, 1.0 - epsilon)

    def _logarithms(self, xp: Any, output: Any, dim: int) -> Any:
        """The logarithms of the classes' probabilities, in float64."""
        if not self.from_logits:
            return xp.log(self._clipped(xp, output))
        output = output.astype(xp.float64)
        shifted = output - output.max(axis=dim, keepdims=True)
        return shifted - xp.log(xp.exp(shifted).sum(axis=dim, keepdims=True))


class BinaryCrossentropy(Crossentropy):
    """The mean of -(t log p + (1 - t) log(1 - p)); outputs and targets (n,) or (n, ...).

    >>> loss = BinaryCrossentropy()
    >>> loss.update([0.5, 0.5], [1, 0])
    >>> round(loss.compute(), 4)
    0.6931
    """

    def values(self, output: Any, target: Any) -> Any:
        """The loss of each prediction."""
        xp, output, target = self.aligned(output, target)
        target = target.astype(xp.float64)
        if self.label_smoothing:
            target = target * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing
        if self.from_logits:
            # log(1 + exp(x)) - t x, written so that nothing overflows.
            output = output.astype(xp.float64)
            return xp.maximum(output, 0.0) - output * target + xp.log1p(xp.exp(-abs(output)))
        output = self._clipped(xp, output)
        return -(target * xp.log(output) + (1.0 - target) * xp.log1p(-output))


class CategoricalCrossentropy(Crossentropy):
    """The mean of -sum(t log p) over the classes; outputs and one-hot targets (n, classes, ...).

    `dim` is the dimension of the classes.
    """

    def __init__(
        self,
        name: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        epsilon: float | None = None,
        dim: int = 1,
    ) -> None:
        self.dim = dim
        super().__init__(name, from_logits, label_smoothing, epsilon)

    def values(self, output: Any, target: Any) -> Any:
        """The loss of each sample."""
        xp, output, target = self.arrays(output, target)
        check_one_hot(self.name, output, target)
        target = target.astype(xp.float64)
        if self.label_smoothing:
            share = self.label_smoothing / output.shape[self.dim]
            target = target * (1.0 - self.label_smoothing) + share
        products = target * self._logarithms(xp, output, self.dim)
        # A class that is impossible and does not occur costs nothing, though 0 inf is NaN.
        return -xp.where(target == 0, 0.0, products).sum(axis=self.dim)


class SparseCategoricalCrossentropy(Crossentropy):
    """The mean of -log p of the target's class; outputs (n, classes, ...), targets class numbers.

    `dim` is the dimension of the classes. A number that is no class gives NaN.
    """

    def __init__(
        self,
        name: str | None = None,
        from_logits: bool = False,
        epsilon: float | None = None,
        dim: int = 1,
    ) -> None:
        self.dim = dim
        super().__init__(name, from_logits, 0.0, epsilon)

    def values(self, output: Any, target: Any) -> Any:
        """The loss of each sample."""
        xp, output, target = self.arrays(output, target)
        target = class_numbers(self.name, output, target, self.dim)
        dim = self.dim % output.ndim
        known = (target >= 0) & (target < output.shape[dim])
        index = xp.expand_dims(xp.where(known, target, 0).astype(xp.int64), dim)
        found = xp.take_along_axis(self._logarithms(xp, output, dim), index, axis=dim)
        return xp.where(known, -xp.squeeze(found, axis=dim), xp.nan)
