"""What a run has measured, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.training.callback import Callback

__all__ = ["History"]


class History(Callback):
    """The numbers of each epoch: `history` maps a name to its list, `epoch` has their numbers.

    As in Keras a list is shorter where not every epoch had that number, such as "val_loss" with a
    `validation_freq`; `epochs_of(name)` tells which epochs those of the list are.

    >>> history = History()
    >>> history.record(0, {"loss": 0.5, "val_loss": 0.75})
    >>> history.history
    {'loss': [0.5], 'val_loss': [0.75]}
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self._epochs: dict[str, list[int]] = {}
        self._last: Mapping[str, float] | None = None  # the logs that were noted last

    def record(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Note the numbers of an epoch; a second time they take the place of the first."""
        if self._last is not None and self.epoch[-1] == epoch:
            for name, epochs in self._epochs.items():
                if epochs and epochs[-1] == epoch:
                    epochs.pop()
                    self.history[name].pop()
        else:
            self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
            self._epochs.setdefault(name, []).append(epoch)
        self._last = logs

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Note the numbers of the epoch."""
        self.record(epoch, logs)

    def epochs_of(self, name: str) -> list[int]:
        """The epochs of the numbers in `history[name]`, counted from 0; KeyError if unknown."""
        return list(self._epochs[name])

    def state_dict(self) -> dict[str, Any]:
        """The epochs and the numbers, with what callbacks have put into the last logs since."""
        if self._last is not None:
            self.record(self.epoch[-1], self._last)
        return {
            "epoch": list(self.epoch),
            "history": {name: list(values) for name, values in self.history.items()},
            "epochs": {name: list(epochs) for name, epochs in self._epochs.items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back the epochs and the numbers."""
        self.epoch = list(state_dict["epoch"])
        self.history = {name: list(values) for name, values in state_dict["history"].items()}
        self._epochs = {name: list(epochs) for name, epochs in state_dict["epochs"].items()}
        self._last = None

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.history.items())
        return f"History({len(self.epoch)} epochs{'; last: ' if last else ''}{last})"
