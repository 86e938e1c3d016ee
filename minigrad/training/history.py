"""What a run has measured, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.training.callback import Callback

__all__ = ["History"]


class History(Callback):
    """The numbers of each epoch: `history` maps a name to its list, `epoch` has their numbers.

    >>> history = History()
    >>> history.record(0, {"loss": 0.5, "val_loss": 0.75})
    >>> history.history
    {'loss': [0.5], 'val_loss': [0.75]}
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}
        self._last: tuple[str, ...] | None = None

    def record(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Note the numbers of an epoch; a second time they take the place of the first."""
        if self._last is not None and self.epoch[-1] == epoch:
            for name in self._last:
                self.history[name].pop()
        else:
            self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self._last = tuple(logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Note the numbers of the epoch."""
        self.record(epoch, logs)

    def state_dict(self) -> dict[str, Any]:
        """The epochs and the numbers."""
        return {
            "epoch": list(self.epoch),
            "history": {name: list(values) for name, values in self.history.items()},
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back the epochs and the numbers."""
        self.epoch = list(state_dict["epoch"])
        self.history = {name: list(values) for name, values in state_dict["history"].items()}
        self._last = None

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.history.items())
        return f"History({len(self.epoch)} epochs{'; last: ' if last else ''}{last})"
