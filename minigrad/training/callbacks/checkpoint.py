"""The callback that saves the run, or the weights alone, to files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.io import save
from minigrad.training.callbacks.monitored import Monitored, unknown
from minigrad.training.progress import write

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Monitored):
    """Saves the run after each epoch, or after every `save_freq` batches.

    `filepath` may name the epoch, counted from 1, and numbers of the logs, as in
    "run-{epoch:02d}-{val_loss:.2f}.safetensors"; with `save_freq` also the {batch}. With
    `save_best_only` a file is written only when `monitor` is better than in all epochs before, and
    than `initial_value_threshold` if that is given.

    What is written is the Trainer's state, which `Trainer.resume` takes up, or with
    `save_weights_only` the model's `state_dict()`. A subclass may write something else: see
    `save`. It is told of an epoch's end after the other callbacks, so that what it saves holds
    their state, the one that saves every epoch last. A run that was saved within an epoch resumes
    with that epoch from its beginning.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and (type(save_freq) is not int or save_freq < 1):
            raise ArgumentError(
                f"ModelCheckpoint: save_freq must be 'epoch' or a number of batches, got "
                f"{save_freq!r}"
            )
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self.order = 1 if save_best_only else 2
        self._batches = 0
        self._epoch = 0
        if save_freq != "epoch":
            # Only a callback that has a hook of its own is told of every batch.
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]

    def save(self, path: str) -> None:
        """Write the file; it takes the place of an older one once it is complete."""
        if self.save_weights_only:
            save(self.model.state_dict(), path)
        else:
            self.trainer.save(path)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Save, unless batches are counted."""
        if self.save_freq == "epoch":
            self._consider(epoch, None, logs)

    def _count_batch(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
        self._batches += 1
        if self._batches >= int(self.save_freq):
            self._batches = 0
            self._consider(self._epoch, batch, logs or {})

    def _consider(self, epoch: int, batch: int | None, logs: Mapping[str, float]) -> None:
        """Save, where it is better than before or nobody asked for that."""
        reason = ""
        if self.save_best_only:
            value = self.current(epoch, logs)
            if value is None:
                return
            best = "None" if self.best is None else f"{self.best:.5f}"
            if not self.improves(value, self.best):
                self._tell(epoch, f"{self.monitor} did not improve from {best}")
                return
            reason = f"{self.monitor} improved from {best} to {value:.5f}, "
            self.best = value
        path = self._path(epoch, batch, logs)
        self._tell(epoch, f"{reason}saving model to {path}")
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        self.save(path)
        self._tell(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Mapping[str, float]) -> str:
        """The path with its numbers; ArgumentError for a name that is not there."""
        known: dict[str, Any] = {"epoch": epoch + 1, **logs}
        if batch is not None:
            known["batch"] = batch + 1
        try:
            return self.filepath.format(**known)
        except KeyError as error:
            raise ArgumentError(
                f"ModelCheckpoint: filepath {self.filepath!r}: "
                f"{unknown('the name', str(error.args[0]), known)}"
            ) from None
        except (IndexError, ValueError, AttributeError, TypeError) as error:
            raise ArgumentError(
                f"ModelCheckpoint: filepath {self.filepath!r} is no pattern: {error}; name the "
                "numbers, as in 'run-{epoch:02d}-{val_loss:.2f}.safetensors'"
            ) from None

    def _tell(self, epoch: int, text: str) -> None:
        if self.verbose > 0:
            write(f"Epoch {epoch + 1}: {text}")

    def state_dict(self) -> dict[str, Any]:
        """The best number so far, and the batches since the last file."""
        return {"best": self.best, "batches": self._batches}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave out."""
        self.best = state_dict["best"]
        self._batches = state_dict["batches"]
