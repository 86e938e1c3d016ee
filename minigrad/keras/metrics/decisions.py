"""Keras's metrics of yes-or-no decisions: counts, precision and recall, areas under curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.keras.metrics.metric import Known, auto_name
from minigrad.training import metrics as known

__all__ = [
    "AUC",
    "F1Score",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "Recall",
    "TrueNegatives",
    "TruePositives",
]

Thresholds = float | Sequence[float] | None


class Precision(Known, known.Precision):
    """The part of the positive predictions that is right.

    A prediction is positive above a threshold, 0.5 at first, or among the `top_k` largest;
    `class_id` looks at one class alone.

    >>> Precision()([0, 1, 1], [0.9, 0.8, 0.1])
    tensor(0.5000)
    """

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        settings = {"thresholds": thresholds, "top_k": top_k, "class_id": class_id}
        self.start(settings, name=name or auto_name(self), **settings)


class Recall(Known, known.Recall):
    """The part of the positive targets that is found; see Precision."""

    def __init__(
        self,
        thresholds: Thresholds = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        settings = {"thresholds": thresholds, "top_k": top_k, "class_id": class_id}
        self.start(settings, name=name or auto_name(self), **settings)


class TruePositives(Known, known.TruePositives):
    """How many positive predictions are right."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        self.start({"thresholds": thresholds}, thresholds, name or auto_name(self))


class FalsePositives(Known, known.FalsePositives):
    """How many positive predictions are wrong."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        self.start({"thresholds": thresholds}, thresholds, name or auto_name(self))


class TrueNegatives(Known, known.TrueNegatives):
    """How many negative predictions are right."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        self.start({"thresholds": thresholds}, thresholds, name or auto_name(self))


class FalseNegatives(Known, known.FalseNegatives):
    """How many negative predictions are wrong."""

    def __init__(
        self, thresholds: Thresholds = None, name: str | None = None, dtype: Any = None
    ) -> None:
        self.start({"thresholds": thresholds}, thresholds, name or auto_name(self))


class AUC(Known, known.AUC):
    """The area under the ROC curve, or under that of precision against recall (`curve="PR"`).

    As in Keras it is gathered at 200 thresholds; `num_thresholds=None` keeps every score and
    gives the exact area.
    """

    def __init__(
        self,
        num_thresholds: int | None = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        settings = {
            "num_thresholds": num_thresholds if thresholds is None else None,
            "curve": curve,
            "summation_method": summation_method,
            "thresholds": thresholds,
            "multi_label": multi_label,
            "label_weights": label_weights,
            "from_logits": from_logits,
        }
        self.start(settings, name=name or auto_name(self), **settings)


class F1Score(Known, known.F1Score):
    """The harmonic mean of precision and recall, for each class or averaged."""

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str = "f1_score",
        dtype: Any = None,
    ) -> None:
        settings = {"average": average, "threshold": threshold}
        self.start(settings, name=name, **settings)
