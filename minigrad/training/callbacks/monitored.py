"""The base of callbacks that watch one number of the logs and know which way it gets better."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.callback import Callback

__all__ = ["Monitored"]

_MODES = ("auto", "min", "max")
_LOWER = (
    "loss", "error", "mae", "mse", "rmse", "mape", "msle", "crossentropy", "divergence", "hinge",
    "perplexity", "poisson", "false_positives", "false_negatives",
)  # fmt: skip
_HIGHER = (
    "acc", "accuracy", "auc", "precision", "recall", "score", "iou", "similarity", "f1", "r2",
    "true_positives", "true_negatives",
)  # fmt: skip


class Monitored(Callback):
    """Watches `logs[monitor]`; `mode` is "min" if less is better, "max", or "auto".

    "auto" asks the Trainer's metric of that name which way it gets better, then goes by the name:
    losses and errors fall, accuracies and scores rise. Raises ArgumentError where neither tells.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        if mode not in _MODES:
            raise ArgumentError(
                f"{type(self).__name__}: mode must be one of {', '.join(_MODES)}, got {mode!r}"
            )
        self.monitor = monitor
        self.mode = mode
        self._warned = False

    def set_trainer(self, trainer: Any) -> None:
        """Called once before a run."""
        super().set_trainer(trainer)
        self._warned = False

    def rises(self) -> bool:
        """Whether more is better."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("val_")
        for metric in getattr(self.trainer, "metrics", ()):
            if metric.name == name and getattr(metric, "higher_is_better", None) is not None:
                return bool(metric.higher_is_better)
        if any(name == ending or name.endswith("_" + ending) for ending in _LOWER):
            return False
        if any(name == ending or name.endswith("_" + ending) for ending in _HIGHER):
            return True
        raise ArgumentError(
            f"{type(self).__name__}: cannot tell whether {self.monitor!r} should rise or fall; "
            "say mode='max' or mode='min'"
        )

    def improves(self, value: float, best: float | None, margin: float = 0.0) -> bool:
        """Whether the value is better than the best by more than the margin; NaN never is."""
        rises = self.rises()
        if best is None:
            return value == value
        return value - margin > best if rises else value + margin < best

    def current(self, epoch: int, logs: Mapping[str, float]) -> float | None:
        """The number that is watched; None, with a warning, in an epoch without validation.

        Raises ArgumentError when no number of that name is there although it could be.
        """
        if self.monitor in logs:
            return logs[self.monitor]
        kind = type(self).__name__
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in logs):
            due = (epoch + 1) % self.params.get("validation_freq", 1) == 0
            if due and not self._warned:
                self._warned = True
                warnings.warn(
                    f"{kind} watches {self.monitor!r}, but epoch {epoch + 1} had no validation; "
                    f"give fit() validation data, or watch one of: {', '.join(logs)}",
                    stacklevel=2,
                )
            return None
        raise ArgumentError(f"{kind}: {unknown('monitor', self.monitor, logs)}")


def unknown(argument: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is not there: the nearest, and those that are."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{argument} {name!r} is not known{meant} known are {', '.join(names)}"
