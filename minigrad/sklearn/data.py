"""What an estimator is given, checked in scikit-learn's manner: classes, labels, sample weights."""

from __future__ import annotations

from typing import Any

import numpy
from sklearn.utils import check_array
from sklearn.utils.multiclass import unique_labels

from minigrad.errors import ArgumentError


def sample_weights(
    sample_weight: Any, X: Any, dtype: Any = None, *, all_zero_allowed: bool = False
) -> Any:
    """A weight for each sample of X, of its dtype: ones for None, a number for all, or an array.

    Raises ArgumentError for a shape that does not fit, for weights that are negative or all zero.
    """
    count = X.shape[0]
    dtype = X.dtype if dtype is None else dtype
    if sample_weight is None:
        return numpy.ones(count, dtype)
    if numpy.isscalar(sample_weight):
        weights = numpy.full(count, sample_weight, dtype)
    else:
        weights = check_array(
            sample_weight, ensure_2d=False, dtype=dtype, order="C", input_name="sample_weight"
        )
    if weights.ndim != 1:
        raise ArgumentError(
            f"Sample weights must be a 1D array or a number, got an array of shape {weights.shape}"
        )
    if weights.shape != (count,):
        raise ArgumentError(
            f"sample_weight.shape == {weights.shape}, expected {(count,)}, a weight for each sample"
        )
    if (weights < 0).any():
        raise ArgumentError(f"Sample weights must not be negative, got {weights.min()}")
    if not all_zero_allowed and not weights.any():
        raise ArgumentError("Sample weights must contain at least one non-zero number.")
    return weights


def used_samples(X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
    """X, y and float64 weights without the samples of weight zero; None for no weights.

    The weights are scaled to a mean of one, so that a mean over the samples is the one that each
    sample as often as it weighs would give. Raises ArgumentError as `sample_weights` does.
    """
    if sample_weight is None:
        return X, y, None
    weights = sample_weights(sample_weight, X, numpy.float64)
    used = weights > 0
    weights = weights[used]
    return X[used], y[used], weights * (len(weights) / weights.sum())


def first_classes(estimator: Any, classes: Any) -> bool:
    """Set `classes_` in the first call of `partial_fit`; whether it is the first.

    Raises ArgumentError where the first call names no classes or a later one names others.
    """
    known = getattr(estimator, "classes_", None)
    if known is None:
        if classes is None:
            raise ArgumentError(
                "classes must be passed on the first call to partial_fit, for example "
                "classes=numpy.unique(all_labels)"
            )
        estimator.classes_ = unique_labels(classes)
        return True
    if classes is not None and not numpy.array_equal(known, unique_labels(classes)):
        raise ArgumentError(
            f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}"
        )
    return False


def positions_of(y: Any, classes: Any) -> Any:
    """The place of each label among the sorted classes, int64.

    Raises ArgumentError, naming them, for labels that are not among the classes.
    """
    strangers = numpy.setdiff1d(y, classes)
    if len(strangers):
        shown = ", ".join(repr(label) for label in strangers[:5].tolist())
        raise ArgumentError(
            f"`y` has labels that are not among the classes {classes.tolist()}: {shown}; the first "
            "call of partial_fit must name every class, and classes should include all valid "
            "labels that can be in y"
        )
    return numpy.searchsorted(classes, y)


def check_several_classes(estimator: Any, classes: Any) -> None:
    """Raise ArgumentError where there is only one class."""
    if len(classes) < 2:
        raise ArgumentError(
            f"{type(estimator).__name__}: The number of classes has to be greater than one; "
            f"got {len(classes)} class"
        )
