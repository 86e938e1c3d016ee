"""How often the predicted class is the right one, or among the first k."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.metrics.metric import MeanMetric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
]


class BinaryAccuracy(MeanMetric):
    """How often `output > threshold` is the target, 0 or 1; shapes (n,) or (n, ...).

    The outputs are probabilities; for logits give `threshold=0.0`.

    >>> accuracy = BinaryAccuracy()
    >>> accuracy.update([0.9, 0.2, 0.6, 0.4], [1, 0, 0, 0])
    >>> accuracy.compute()
    0.75
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, threshold: float = 0.5) -> None:
        self.threshold = threshold
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each prediction is right."""
        _, output, target = self.aligned(output, target)
        # In the target's dtype, since comparing two dtypes takes NumPy three times as long.
        return (output > self.threshold).astype(target.dtype) == target


class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest score is that of the target's class; the targets are class numbers.

    Outputs (n, classes, ...), targets (n, ...) or (n, 1); `dim` is the dimension of the classes.

    >>> accuracy = SparseCategoricalAccuracy()
    >>> accuracy.update([[0.1, 0.9], [0.8, 0.2]], [1, 1])
    >>> accuracy.compute()
    0.5
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, dim: int = 1) -> None:
        self.dim = dim
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each prediction is right."""
        _, output, target = self.arrays(output, target)
        target = class_numbers(self.name, output, target, self.dim)
        return output.argmax(self.dim) == target


class CategoricalAccuracy(MeanMetric):
    """How often the largest score is that of the target's class; the targets are one-hot.

    Outputs and targets (n, classes, ...); `dim` is the dimension of the classes.
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, dim: int = 1) -> None:
        self.dim = dim
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each prediction is right."""
        _, output, target = self.arrays(output, target)
        check_one_hot(self.name, output, target)
        return output.argmax(self.dim) == target.argmax(self.dim)


class SparseTopKCategoricalAccuracy(MeanMetric):
    """How often the target's class is among the k largest scores; the targets are class numbers.

    Outputs (n, classes), targets (n,) or (n, 1). The class is among them when fewer than k scores
    are larger than its own, so that a tie at the border counts, as in Keras.
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, k: int = 5) -> None:
        self.k = _positive(type(self).__name__, k)
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each target is among the first k."""
        xp, output, target = self.arrays(output, target)
        return _among(xp, output, class_numbers(self.name, output, target, -1), self.k)


class TopKCategoricalAccuracy(MeanMetric):
    """How often the target's class is among the k largest scores; the targets are one-hot.

    Outputs and targets (n, classes). Ties count as in SparseTopKCategoricalAccuracy.
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, k: int = 5) -> None:
        self.k = _positive(type(self).__name__, k)
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each target is among the first k."""
        xp, output, target = self.arrays(output, target)
        check_one_hot(self.name, output, target)
        return _among(xp, output, target.argmax(-1), self.k)


class Accuracy(MeanMetric):
    """Accuracy of the kind that the shapes of the first batch tell.

    Outputs (n,) or (n, 1): binary, `output > threshold`. Else targets of the outputs' shape are
    one-hot, and targets without the dimension `dim`, or of size 1 there, are class numbers.

    >>> accuracy = Accuracy()
    >>> accuracy.update([[0.1, 0.9], [0.8, 0.2]], [1, 0])
    >>> accuracy.compute()
    1.0
    """

    higher_is_better = True

    def __init__(self, name: str | None = None, threshold: float = 0.5, dim: int = 1) -> None:
        self.threshold = threshold
        self.dim = dim
        self.kind: MeanMetric | None = None
        super().__init__(name)

    def values(self, output: Any, target: Any) -> Any:
        """Whether each prediction is right."""
        if self.kind is None:
            _, scores, labels = self.arrays(output, target)
            if scores.ndim <= 1 or scores.shape[self.dim] == 1:
                self.kind = BinaryAccuracy(self.name, self.threshold)
            elif labels.shape == scores.shape:
                self.kind = CategoricalAccuracy(self.name, self.dim)
            else:
                self.kind = SparseCategoricalAccuracy(self.name, self.dim)
        return self.kind.values(output, target)


def class_numbers(metric: str, output: Any, target: Any, dim: int) -> Any:
    """The class numbers with the outputs' shape less their dimension `dim`; ArgumentError else."""
    shape = output.shape
    if output.ndim < 2:
        raise ArgumentError(
            f"{metric}: the output must be (n, classes), one score per class, got shape {shape}; "
            "for one probability per sample use BinaryAccuracy"
        )
    dim %= output.ndim
    expected = shape[:dim] + shape[dim + 1 :]
    if target.shape == expected:
        return target
    if target.ndim == output.ndim and target.shape == (*shape[:dim], 1, *shape[dim + 1 :]):
        return target.reshape(expected)
    advice = ""
    if target.shape == shape:
        advice = (
            "; these look like one-hot rows: use the metric without Sparse in its name, or "
            f"target.argmax({dim})"
        )
    raise ArgumentError(
        f"{metric}: the target must hold class numbers of shape {expected} for an output of shape "
        f"{shape}, got shape {target.shape}{advice}"
    )


def check_one_hot(metric: str, output: Any, target: Any) -> None:
    """Raises ArgumentError unless output and target are both (n, classes, ...)."""
    if output.shape == target.shape and output.ndim > 1:
        return
    advice = ""
    if target.ndim < output.ndim or (target.ndim and target.shape[-1] == 1):
        advice = (
            "; these look like class numbers: use the metric with Sparse in its name, or "
            "nn.functional.one_hot(target, classes)"
        )
    raise ArgumentError(
        f"{metric}: the target must be one-hot with the shape of the output, {output.shape}, got "
        f"shape {target.shape}{advice}"
    )


def _among(xp: Any, output: Any, target: Any, k: int) -> Any:
    """Whether fewer than k scores are larger than the target's; NaN and no class never are."""
    classes = output.shape[-1]
    known = (target >= 0) & (target < classes)
    index = xp.where(known, target, 0).astype(xp.int64)
    score = xp.take_along_axis(output, index[..., None], axis=-1)
    larger = xp.count_nonzero(output > score, axis=-1)
    return (larger < k) & known & (score == score)[..., 0]


def _positive(kind: str, k: int) -> int:
    if type(k) is not int or k < 1:
        raise ArgumentError(f"{kind}: k must be a whole number of at least 1, got {k!r}")
    return k
