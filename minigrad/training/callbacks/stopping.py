"""Callbacks that end a run before its last epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from minigrad.training.callback import Callback
from minigrad.training.callbacks.monitored import Monitored
from minigrad.training.progress import write

__all__ = ["EarlyStopping", "TerminateOnNaN"]


class EarlyStopping(Monitored):
    """Ends the run when a number has not become better for `patience` epochs.

    It is better when it changes by more than `min_delta`; with a `baseline`, only while it is
    better than that too. The epochs before `start_from_epoch` do not count. With
    `restore_best_weights` the model ends with the weights of the best epoch, whether the run was
    ended early or not. The semantics are Keras's.

    `best` is the best number and `best_epoch` its epoch, `wait` the epochs since then,
    `stopped_epoch` the epoch in which the run was ended, counted from 0, or 0.

    >>> stopping = EarlyStopping("val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode)
        self.min_delta = abs(min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: dict[str, Any] | None = None

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Forget the run before, so that the callback may be used again."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Look at the number, and end the run where it has not become better for too long."""
        value = self.current(epoch, logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # The first epoch is the best so far even where its number is NaN.
            self._keep(epoch)
        self.wait += 1
        if self.improves(value, self.best, self.min_delta):
            self.best = value
            self._keep(epoch)
            if self.baseline is None or self.improves(value, self.baseline, self.min_delta):
                self.wait = 0
                return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.trainer.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            weights = self.model.state_dict()
            self.best_weights = {name: value.detach().clone() for name, value in weights.items()}

    def on_train_end(self, logs: Mapping[str, float] | None = None) -> None:
        """Put the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            write(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose > 0:
                write(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.load_state_dict(self.best_weights)

    def state_dict(self) -> dict[str, Any]:
        """What it knows of the epochs before, the best weights included."""
        return {
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave out."""
        for name, value in state_dict.items():
            setattr(self, name, value)


class TerminateOnNaN(Callback):
    """Ends the run at the first batch after which the mean loss is NaN or infinite."""

    def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        """Look at the loss; reading it from a GPU waits for the batch."""
        # Not in the logs: looking there would compute every metric for every batch.
        if not math.isfinite(self.trainer.mean_loss()):
            write(f"Batch {batch}: Invalid loss, terminating training")
            self.trainer.stop_training = True
