"""Asking a model for its answers: modules, estimators and plain functions, on many points."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

import minigrad
from minigrad.dtypes import get_default_dtype
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.nn.module import Module
from minigrad.plot.inputs import array_of

__all__ = ["Answer", "ask"]

_ROWS = 8192  # points asked for at once


class Answer(NamedTuple):
    """What a model says: `values` (n,) or (n, k), and which label each column speaks of."""

    values: numpy.ndarray[Any, Any]
    classes: numpy.ndarray[Any, Any] | None
    threshold: float | None


def ask(operation: str, model: Any, x: numpy.ndarray[Any, Any], *, scores: bool) -> Answer:
    """The answers of `model` for the rows `x` (n, features).

    A Module is asked in eval mode without recording, and is left as it was. Of an estimator,
    `predict_proba` or `decision_function` is asked where `scores` are wanted, `predict` otherwise.
    Anything else is called. Raises TypeError for what cannot be called, ArgumentError for an answer
    that has not one entry or row a sample.
    """
    if isinstance(model, type):
        raise TypeError(
            f"{operation}(): argument 'predict' is the class {model.__name__}; pass a trained "
            "instance of it"
        )
    classes = getattr(model, "classes_", None)
    threshold = None
    if isinstance(model, Module):
        values, classes = _ask_module(model, x), None
        if scores and values.size == len(x) and not _is_share(model, x):
            threshold = 0.0
    elif scores and hasattr(model, "predict_proba"):
        values, threshold = array_of(operation, "predict", model.predict_proba(x)), 0.5
    elif scores and hasattr(model, "decision_function"):
        values, threshold = array_of(operation, "predict", model.decision_function(x)), 0.0
    elif hasattr(model, "predict"):
        values, classes = array_of(operation, "predict", model.predict(x)), None
    elif callable(model):
        values, classes = array_of(operation, "predict", model(x)), None
    else:
        raise TypeError(
            f"{operation}(): argument 'predict' must be a module, an estimator with predict() or "
            f"a function of an array, not {type(model).__name__}"
        )
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2) or len(values) != len(x):
        raise ArgumentError(
            f"{operation}(): for {len(x)} samples 'predict' gave shape {values.shape}; it must "
            f"give ({len(x)},) or ({len(x)}, classes)"
        )
    return Answer(values, None if classes is None else numpy.asarray(classes), threshold)


def _is_share(model: Module, x: numpy.ndarray[Any, Any]) -> bool:
    """Whether a module with one output gives probabilities, which stay so far from the data.

    A score may happen to lie between 0 and 1 on all of `x`, before training above all.
    """
    low, high = x.min(axis=0), x.max(axis=0)
    far = numpy.concatenate([x[:1] - 1000 * (high - low), x[:1] + 1000 * (high - low), x[:1]])
    values = _ask_module(model, far)
    return not ((values < 0) | (values > 1)).any()


def _ask_module(model: Module, x: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """Its outputs, in batches, on the device and in the dtype of its parameters."""
    first = next((entry for entry in model.parameters() if entry.dtype.kind == "f"), None)
    dtype = get_default_dtype() if first is None else first.dtype
    device = None if first is None else first.device
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with no_grad():
            parts = [
                model(minigrad.tensor(x[start : start + _ROWS], dtype=dtype, device=device))
                for start in range(0, len(x), _ROWS)
            ]
    finally:
        for part, training in modes:
            part.training = training
    return numpy.concatenate([array_of("predict", "output", part) for part in parts])
