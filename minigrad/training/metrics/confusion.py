"""What is counted in a table of predicted against true classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.ops.data import from_numpy
from minigrad.training.metrics.accuracy import class_numbers
from minigrad.training.metrics.metric import Metric, finite_mean, ratio, repeated

__all__ = [
    "ConfusionMatrix",
    "F1Score",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]


class Counts(Metric):
    """Weighted counts of true and false positives and negatives at one threshold or several.

    `output > threshold` is a positive; targets are 0 or 1, both of one shape. With `class_id` only
    that column of (n, classes) counts. With `top_k` only the k largest scores of a row may be
    positives, and the threshold is none unless one is given. Where several thresholds are given,
    `compute` gives a list.
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        kind = type(self).__name__
        if thresholds is None:
            thresholds = 0.5 if top_k is None else float("-inf")
        self.several = isinstance(thresholds, Sequence)
        self.thresholds = [
            float(threshold)
            for threshold in (thresholds if isinstance(thresholds, Sequence) else [thresholds])
        ]
        for threshold in self.thresholds:
            if not 0.0 <= threshold <= 1.0 and (top_k is None or threshold != float("-inf")):
                raise ArgumentError(f"{kind}: thresholds must be between 0 and 1, got {threshold}")
        if top_k is not None and top_k < 1:
            raise ArgumentError(f"{kind}: top_k must be at least 1, got {top_k}")
        self.top_k = top_k
        self.class_id = class_id
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        zeros = [0.0] * len(self.thresholds)
        self._true_positives: list[Any] = list(zeros)
        self._predicted: list[Any] = list(zeros)
        self._actual: Any = 0.0
        self._all: Any = 0.0

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's scores, the targets 0 or 1, and a weight per sample."""
        xp, output, target = self.aligned(output, target)
        if self.top_k is not None:
            output = self._largest(xp, output, self.top_k)
        if weight is None:
            shares = None
        else:
            shares = repeated(self.name, weight, output)
        if self.class_id is not None:
            if output.ndim < 2 or not -output.shape[-1] <= self.class_id < output.shape[-1]:
                raise ArgumentError(
                    f"{self.name}: class_id {self.class_id} is no column of an output of shape "
                    f"{output.shape}"
                )
            output = output[..., self.class_id]
            target = target[..., self.class_id]
            shares = None if shares is None else shares[..., self.class_id]
        actual = target.astype(bool)
        self._actual = self._actual + _sum(xp, actual, shares)
        self._all = self._all + (actual.size if shares is None else shares.sum())
        for place, threshold in enumerate(self.thresholds):
            positive = output > threshold
            self._predicted[place] = self._predicted[place] + _sum(xp, positive, shares)
            hits = positive & actual
            self._true_positives[place] = self._true_positives[place] + _sum(xp, hits, shares)

    def _largest(self, xp: Any, output: Any, top_k: int) -> Any:
        """The output with -inf in place of what is not among a row's k largest.

        The first of equals come first.
        """
        if output.ndim < 2 or output.shape[-1] < top_k:
            raise ArgumentError(
                f"{self.name}: top_k={top_k} needs an output (n, classes) with that many classes, "
                f"got shape {output.shape}"
            )
        ranks = xp.argsort(xp.argsort(-output, axis=-1, kind="stable"), axis=-1)
        return xp.where(ranks < top_k, output, -xp.inf)

    def count(self, place: int) -> tuple[float, float, float, float]:
        """True positives, false positives, false negatives, true negatives at a threshold."""
        hits = float(self._true_positives[place])
        false_positives = float(self._predicted[place]) - hits
        false_negatives = float(self._actual) - hits
        rest = float(self._all) - hits - false_positives - false_negatives
        return hits, false_positives, false_negatives, rest

    def at(self, place: int) -> float:
        """The number at a threshold."""
        raise NotImplementedError(f"{type(self).__name__} must define at()")

    def compute(self) -> float | list[float]:
        """The number over all batches since the last reset; a list for a list of thresholds."""
        found = [self.at(place) for place in range(len(self.thresholds))]
        return found if self.several else found[0]


class Precision(Counts):
    """The share of the predicted positives that are positive; 0.0 without predicted ones.

    >>> precision = Precision()
    >>> precision.update([0.9, 0.6, 0.2], [1, 0, 1])
    >>> precision.compute()
    0.5
    """

    higher_is_better = True

    def at(self, place: int) -> float:
        """The precision at a threshold."""
        hits, false_positives, _, _ = self.count(place)
        return ratio(hits, hits + false_positives)


class Recall(Counts):
    """The share of the positives that are predicted; 0.0 without any."""

    higher_is_better = True

    def at(self, place: int) -> float:
        """The recall at a threshold."""
        hits, _, false_negatives, _ = self.count(place)
        return ratio(hits, hits + false_negatives)


class OneCount(Counts):
    """One of the four counts."""

    position: int

    def __init__(
        self, thresholds: float | Sequence[float] | None = None, name: str | None = None
    ) -> None:
        super().__init__(thresholds, name=name)

    def at(self, place: int) -> float:
        """The count at a threshold."""
        return self.count(place)[self.position]


class TruePositives(OneCount):
    """The weight of the samples that are positive and predicted so."""

    higher_is_better = True
    position = 0


class FalsePositives(OneCount):
    """The weight of the samples that are predicted positive and are not."""

    higher_is_better = False
    position = 1


class FalseNegatives(OneCount):
    """The weight of the samples that are positive and not predicted so."""

    higher_is_better = False
    position = 2


class TrueNegatives(OneCount):
    """The weight of the samples that are negative and predicted so."""

    higher_is_better = True
    position = 3


class F1Score(Metric):
    """The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0.0 where undefined.

    Outputs and one-hot or multi-label targets (n, classes), or (n,) for one class. Without a
    threshold the largest score of a row is its positive (for one class: the threshold is 0.5).
    `average` is "micro", "macro" or "weighted" (by the classes' weight), or None for a list.
    """

    higher_is_better = True

    def __init__(
        self,
        average: str | None = "macro",
        threshold: float | None = None,
        name: str | None = None,
    ) -> None:
        if average not in ("micro", "macro", "weighted", None):
            raise ArgumentError(
                f"F1Score: average must be 'micro', 'macro', 'weighted' or None, got {average!r}"
            )
        self.average = average
        self.threshold = threshold
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        self._hits: Any = None
        self._predicted: Any = 0.0
        self._actual: Any = 0.0

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's scores, the targets 0 or 1, and a weight per sample."""
        xp, output, target = self.aligned(output, target)
        if not output.size:
            return
        output = output.reshape(output.shape[0] if output.ndim else 1, -1)
        actual = target.reshape(output.shape).astype(bool)
        classes = output.shape[1]
        if self.threshold is None and classes > 1:
            positive = output.argmax(1)[:, None] == xp.arange(classes)
        else:
            positive = output > (0.5 if self.threshold is None else self.threshold)
        shares = 1.0 if weight is None else repeated(self.name, weight, output)
        hits = ((positive & actual) * shares).sum(axis=0)
        self._hits = hits if self._hits is None else self._hits + hits
        self._predicted = self._predicted + (positive * shares).sum(axis=0)
        self._actual = self._actual + (actual * shares).sum(axis=0)

    def compute(self) -> float | list[float]:
        """The score over all batches since the last reset."""
        if self._hits is None:
            return 0.0
        hits: list[float] = self._hits.tolist()
        both: list[float] = (self._predicted + self._actual).tolist()
        actual: list[float] = self._actual.tolist()
        if self.average == "micro":
            return ratio(2.0 * sum(hits), sum(both))
        scores = [ratio(2.0 * hit, total) for hit, total in zip(hits, both)]
        if self.average is None:
            return scores
        if self.average == "macro":
            return finite_mean(scores)
        return ratio(sum(score * share for score, share in zip(scores, actual)), sum(actual))


class ConfusionMatrix(Metric):
    """How often each class (row) was predicted as each class (column).

    Outputs (n, classes) of scores or (n,) of class numbers, targets (n,) of class numbers.
    `compute` gives a Tensor (classes, classes) on the CPU: counts, or the sums of the weights.
    """

    def __init__(self, classes: int, name: str | None = None) -> None:
        if type(classes) is not int or classes < 1:
            raise ArgumentError(
                f"ConfusionMatrix: classes must be a whole number of at least 1, got {classes!r}"
            )
        self.classes = classes
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        self._table: Any = None
        self._unknown: Any = 0
        self._weighted = False

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's scores or classes, the targets, and a weight per sample."""
        xp, output, target = self.arrays(output, target)
        if output.ndim > 1:
            target = class_numbers(self.name, output, target, 1)
            output = output.argmax(1)
        elif output.shape != target.shape or output.dtype.kind not in "biu":
            raise ArgumentError(
                f"{self.name}: the output must be scores (n, classes) or class numbers of the "
                f"target's shape {target.shape}, got {output.dtype} of shape {output.shape}"
            )
        weights = None
        if weight is not None:
            self._weighted = True
            weights = repeated(self.name, weight, target).reshape(-1)
        # One more row and column take what is no class, to be told of in compute().
        size = self.classes + 1
        rows = xp.where((target >= 0) & (target < size), target, self.classes).reshape(-1)
        columns = xp.where((output >= 0) & (output < size), output, self.classes).reshape(-1)
        places = rows.astype(xp.int64) * size + columns
        found = xp.bincount(places, weights=weights, minlength=size * size).astype(xp.float64)
        self._table = found if self._table is None else self._table + found

    def compute(self) -> Any:
        """The table over all batches since the last reset; ArgumentError for unknown classes."""
        size = self.classes + 1
        if self._table is None:
            return from_numpy(numpy.zeros((self.classes, self.classes), numpy.int64))
        table = backend_of(self._table).to_numpy(self._table).reshape(size, size)
        if table[-1].any() or table[:, -1].any():
            raise ArgumentError(
                f"{self.name}: there were classes outside 0 to {self.classes - 1}; give "
                f"ConfusionMatrix the number of all classes"
            )
        table = table[:-1, :-1].copy()
        return from_numpy(table if self._weighted else table.astype("int64"))


def _sum(xp: Any, chosen: Any, shares: Any) -> Any:
    """The weight of what was chosen."""
    return xp.count_nonzero(chosen) if shares is None else (chosen * shares).sum()
