"""What a run of an estimator needs beside the Trainer: the seed, the optimizer, who listens."""

from __future__ import annotations

import contextlib
import inspect
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

import minigrad
from minigrad import optim
from minigrad.errors import ArgumentError
from minigrad.sklearn.parameters import check_number, lookup, nearest_hint, refuse
from minigrad.training import Callback
from minigrad.training.progress import write

__all__ = [
    "OPTIMIZERS", "Guard", "Report", "make_optimizer", "released", "seed_of", "seeded",
    "warn_of_rise",
]  # fmt: skip

OPTIMIZERS = {
    name: getattr(optim, name)
    for name in optim.__all__
    if inspect.isclass(getattr(optim, name)) and name != "Optimizer"
}


def seed_of(random_state: Any) -> int | None:
    """The seed for minigrad's generator; None stands for going on from where that is."""
    if random_state is None:
        return None
    if isinstance(random_state, (int, numpy.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(numpy.iinfo(numpy.int32).max))


@contextlib.contextmanager
def seeded(random_state: Any, state: Any = None) -> Iterator[None]:
    """Draw inside from this seed, or from the place `state`; the user's own sequence stands still.

    With neither, draw from the user's own sequence.
    """
    seed = seed_of(random_state)
    if seed is None:
        yield
        return
    with minigrad.random.fork_rng():
        if state is None:
            minigrad.random.manual_seed(seed)
        else:
            minigrad.random.set_rng_state(state)
        yield


def make_optimizer(estimator: Any, parameters: Any) -> Any:
    """The optimizer of the estimator's `optimizer` (a name or class), `learning_rate`, options.

    Raises ArgumentError for an unknown name or option, naming the nearest known one.
    """
    kind = estimator.optimizer
    if isinstance(kind, str):
        kind = lookup(estimator, "optimizer", OPTIMIZERS)
    elif not (inspect.isclass(kind) and issubclass(kind, optim.Optimizer)):
        refuse(estimator, "optimizer", "the name or the class of an optimizer of minigrad.optim")
    check_number(estimator, "learning_rate", 0, open_low=True)
    options = dict(estimator.optimizer_options or {})
    known = [name for name in inspect.signature(kind).parameters if name not in ("params", "lr")]
    for name in options:
        if name not in known:
            refuse(
                estimator,
                "optimizer_options",
                f"options of {kind.__name__}: {', '.join(known)}",
                nearest_hint(name, known),
            )
    return kind(parameters, lr=estimator.learning_rate, **options)


@contextlib.contextmanager
def released(estimator: Any) -> Iterator[list[Any]]:
    """The estimator's callbacks; afterwards they hold nothing of the run, so that they pickle."""
    callbacks = list(estimator.callbacks or ())
    try:
        yield callbacks
    finally:
        for callback in callbacks:
            if isinstance(callback, Callback):
                callback.trainer = callback.model = None


def warn_of_rise(estimator: Any, losses: Sequence[float]) -> None:
    """Warn with ConvergenceWarning where the loss ends far above where it began."""
    if losses[-1] > 2 * losses[0]:
        warnings.warn(
            f"{type(estimator).__name__}: the cost rose from {losses[0]:.4g} to {losses[-1]:.4g}: "
            f"the steps are too long; use a learning_rate below {estimator.learning_rate:g}, or "
            "scale the data with StandardScaler",
            ConvergenceWarning,
            stacklevel=4,
        )


class Guard(Callback):
    """Raises ArgumentError at the end of an epoch whose loss is not a finite number."""

    def __init__(self, estimator: Any) -> None:
        self.name = type(estimator).__name__
        self.rate = estimator.learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Look at the loss."""
        if not math.isfinite(logs["loss"]):
            raise ArgumentError(
                f"{self.name}: the loss is {logs['loss']} after epoch {epoch + 1}: the steps are "
                f"too long; use a learning_rate below {self.rate:g}, or scale the data with "
                "StandardScaler"
            )


class Report(Callback):
    """Writes a line for every epoch, as scikit-learn's `verbose` does."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Write the numbers of the epoch."""
        numbers = ", ".join(f"{name} = {value:.8f}" for name, value in logs.items())
        write(f"Epoch {epoch + 1}, {numbers}")
