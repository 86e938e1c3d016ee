"""The area under a curve that tells how well scores separate two classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from minigrad.backend import backend_of, to_numpy
from minigrad.errors import ArgumentError
from minigrad.training.metrics.metric import Metric, repeated

__all__ = ["AUC"]

_CURVES = ("ROC", "PR")
_METHODS = ("interpolation", "minoring", "majoring")
_BEYOND = 1e-7


class AUC(Metric):
    """The area under the ROC curve, or for `curve="PR"` under that of precision against recall.

    Outputs are scores and targets 0 or 1, of one shape; with `multi_label` each column of
    (n, labels) has its own curve, and the areas are averaged, weighted by `label_weights`.

    By default every score is kept and the area is exact: for "ROC" the probability that a positive
    has a higher score than a negative, a tie counting half; for "PR" the average precision. It is
    NaN where a class is missing. With `num_thresholds` (or `thresholds`, between 0 and 1) only
    counts at so many thresholds are kept, and the area is Keras's approximation, which is 0.0
    where a class is missing; the scores must be probabilities, or logits with `from_logits`.

    >>> area = AUC()
    >>> area.update([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> area.compute()
    0.75
    """

    higher_is_better = True

    def __init__(
        self,
        num_thresholds: int | None = None,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if curve not in _CURVES:
            raise ArgumentError(f"AUC: curve must be one of {', '.join(_CURVES)}, got {curve!r}")
        if summation_method not in _METHODS:
            raise ArgumentError(
                f"AUC: summation_method must be one of {', '.join(_METHODS)}, got "
                f"{summation_method!r}"
            )
        if label_weights is not None and not multi_label:
            raise ArgumentError("AUC: label_weights need multi_label=True")
        self.curve = curve
        self.summation_method = summation_method
        self.multi_label = multi_label
        self.label_weights = None if label_weights is None else list(label_weights)
        self.from_logits = from_logits
        self.thresholds = _thresholds(num_thresholds, thresholds)
        super().__init__(name)

    def reset(self) -> None:
        """Forget all batches."""
        self._parts: list[tuple[Any, Any, Any]] = []
        self._table: Any = None
        self._lowest: Any = 0.0
        self._highest: Any = 0.0
        self._labels: int | None = None

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's scores, the targets 0 or 1, and a weight per sample."""
        xp, output, target = self.aligned(output, target)
        if not output.size:
            return
        shares = None if weight is None else repeated(self.name, weight, output)
        columns = self._columns(output)
        scores = output.reshape(-1, columns)
        actual = target.reshape(-1, columns).astype(bool)
        shares = None if shares is None else shares.reshape(-1, columns)
        if self.thresholds is None:
            # A copy, since the caller may fill the same array with the next batch.
            self._parts.append((scores.copy(), actual, shares))
            return
        scores = scores.astype(xp.float64)
        if self.from_logits:
            scores = 0.5 * (1.0 + xp.tanh(0.5 * scores))
        self._lowest = xp.minimum(scores.min(), self._lowest)
        self._highest = xp.maximum(scores.max(), self._highest)
        self._count(xp, scores, actual, shares)

    def _columns(self, output: Any) -> int:
        """The number of curves; ArgumentError if it is not that of the batches before."""
        columns = 1
        if self.multi_label:
            if output.ndim != 2:
                raise ArgumentError(
                    f"{self.name}: multi_label needs an output (n, labels), got {output.shape}"
                )
            columns = output.shape[1]
        known = self._labels if self.label_weights is None else len(self.label_weights)
        if known is not None and known != columns:
            raise ArgumentError(
                f"{self.name}: expected an output with {known} labels, got {output.shape}"
            )
        self._labels = columns
        return columns

    def _count(self, xp: Any, scores: Any, actual: Any, shares: Any) -> None:
        """Add the weights of the negatives and positives between each two thresholds."""
        edges = backend_of(scores).from_numpy(
            numpy.array(self.thresholds), backend_of(scores).device_of(scores)
        )
        columns, bins = scores.shape[1], len(self.thresholds or ()) + 1
        # The number of thresholds below a score: it is a positive at just these.
        below = xp.searchsorted(edges, scores.reshape(-1)).reshape(scores.shape)
        places = (actual * columns + xp.arange(columns)) * bins + below
        found = xp.bincount(
            places.reshape(-1),
            weights=None if shares is None else shares.reshape(-1),
            minlength=2 * columns * bins,
        )
        self._table = found if self._table is None else self._table + found

    def compute(self) -> float:
        """The area over all batches since the last reset."""
        areas = self._areas()
        if areas is None:
            return math.nan if self.thresholds is None else 0.0
        if self.label_weights is None:
            return math.fsum(areas) / len(areas)
        weights = self.label_weights
        return math.fsum(a * w for a, w in zip(areas, weights)) / math.fsum(weights)

    def _areas(self) -> list[float] | None:
        """The area of each label's curve; None without batches."""
        if self._table is not None:
            lowest, highest = float(self._lowest), float(self._highest)
            if lowest < 0.0 or highest > 1.0:
                raise ArgumentError(
                    f"{self.name}: with thresholds the scores must be probabilities, they range "
                    f"from {lowest:g} to {highest:g}; give from_logits=True, or leave out "
                    "num_thresholds for the exact area, which takes any scores"
                )
            bins = len(self.thresholds or ()) + 1
            table = to_numpy(self._table).astype(float).reshape(2, -1, bins)
            return [self._approximate(table[:, label]) for label in range(table.shape[1])]
        if not self._parts:
            return None
        xp = backend_of(self._parts[0][0]).xp
        scores = xp.concatenate([part[0] for part in self._parts])
        actual = xp.concatenate([part[1] for part in self._parts])
        shares = xp.concatenate(
            [xp.ones(part[0].shape) if part[2] is None else part[2] for part in self._parts]
        )
        return [
            exact_area(xp, scores[:, label], actual[:, label], shares[:, label], self.curve)
            for label in range(scores.shape[1])
        ]

    def _approximate(self, table: Any) -> float:
        """Keras's sum over the thresholds, from the counts (2, bins) between them."""
        above = table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        false_positives, hits = above
        negatives, positives = table.sum(axis=1)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated(hits, hits + false_positives, positives)
        recall = hits / positives if positives else hits * 0.0
        if self.curve == "ROC":
            across = false_positives / negatives if negatives else false_positives * 0.0
            height = recall
        else:
            across = recall
            height = _divided(hits, hits + false_positives)
        if self.summation_method == "interpolation":
            heights = (height[:-1] + height[1:]) / 2.0
        elif self.summation_method == "minoring":
            heights = numpy.minimum(height[:-1], height[1:])
        else:
            heights = numpy.maximum(height[:-1], height[1:])
        return float(((across[:-1] - across[1:]) * heights).sum())


def exact_area(xp: Any, scores: Any, actual: Any, shares: Any, curve: str) -> float:
    """The area under the curve of all scores, NaN where it is undefined."""
    # A sample of no weight is no point of the curve.
    kept = shares > 0
    scores, actual, shares = scores[kept], actual[kept], shares[kept]
    if not scores.shape[0] or bool((scores != scores).any()):
        return math.nan
    order = xp.argsort(scores)[::-1]
    scores, shares = scores[order], shares[order]
    actual = actual[order]
    hits = xp.cumsum(shares * actual)
    misses = xp.cumsum(shares * ~actual)
    # One point per distinct score: the last of its samples has counted all of them.
    last = xp.concatenate([scores[1:] != scores[:-1], xp.ones(1, dtype=bool)])
    zero = xp.zeros(1)
    hits = xp.concatenate([zero, hits[last]])
    misses = xp.concatenate([zero, misses[last]])
    positives, negatives = float(hits[-1]), float(misses[-1])
    if not positives or (curve == "ROC" and not negatives):
        return math.nan
    if curve == "ROC":
        area = ((misses[1:] - misses[:-1]) * (hits[1:] + hits[:-1])).sum()
        return float(area) / (2.0 * positives * negatives)
    precision = hits[1:] / (hits[1:] + misses[1:])
    return float(((hits[1:] - hits[:-1]) * precision).sum()) / positives


def _interpolated(hits: Any, predicted: Any, positives: float) -> float:
    """The area under precision against recall with true positives linear in the predicted ones.

    Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves" (2006).
    """
    if not positives:
        return 0.0
    rise, run = hits[:-1] - hits[1:], predicted[:-1] - predicted[1:]
    slope = _divided(rise, run)
    intercept = hits[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    growth = numpy.where(both, _divided(predicted[:-1], predicted[1:]), 1.0)
    areas = slope * (rise + intercept * numpy.log(growth))
    return float(areas.sum() / positives)


def _divided(a: Any, b: Any) -> Any:
    """a / b, and 0 where b is not positive."""
    return numpy.where(b > 0, a / numpy.where(b > 0, b, 1.0), 0.0)


def _thresholds(number: int | None, given: Sequence[float] | None) -> list[float] | None:
    """The thresholds in rising order with one below 0 and one above 1; None for all scores."""
    if given is not None:
        inner = sorted(float(threshold) for threshold in given)
        if any(not 0.0 <= threshold <= 1.0 for threshold in inner):
            raise ArgumentError(f"AUC: thresholds must lie between 0 and 1, got {list(given)}")
    elif number is None:
        return None
    elif type(number) is not int or number < 2:
        raise ArgumentError(f"AUC: num_thresholds must be a whole number > 1, got {number!r}")
    else:
        inner = [(step + 1) / (number - 1) for step in range(number - 2)]
    return [-_BEYOND, *inner, 1.0 + _BEYOND]
