"""Callbacks that change the optimizer's learning rate, and how they all do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.callback import Callback
from minigrad.training.callbacks.monitored import Monitored
from minigrad.training.progress import write

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau", "learning_rate", "set_learning_rate"]


def learning_rate(optimizer: Any) -> float:
    """The learning rate of the optimizer's first group of parameters."""
    return float(optimizer.param_groups[0]["lr"])


def set_learning_rate(optimizer: Any, change: float | Callable[[float], float]) -> None:
    """Give every group of parameters a learning rate, or what `change` makes of its own.

    Raises ArgumentError for an optimizer whose own schedule would undo it at the next step.

    >>> from minigrad import nn, optim
    >>> optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=0.5)
    >>> set_learning_rate(optimizer, lambda lr: lr / 10)
    >>> learning_rate(optimizer)
    0.05
    """
    for group in optimizer.param_groups:
        group["lr"] = change(float(group["lr"])) if callable(change) else float(change)
    # Keras's optimizers tell what their next step will use.
    rate = getattr(optimizer, "learning_rate", None)
    if rate is not None and rate != learning_rate(optimizer):
        raise ArgumentError(
            f"the learning rate of {type(optimizer).__name__} follows a schedule of its own, so "
            "that no callback can set it; give the optimizer a number instead"
        )


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of each epoch to `schedule(epoch, lr)`.

    A schedule of one argument gets the epoch, which counts from 0. What it gives must be a number,
    else ArgumentError. The rate is noted in the logs as "learning_rate".

    >>> halving = LearningRateScheduler(lambda epoch, lr: lr / 2 if epoch else lr)
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise TypeError(
                "LearningRateScheduler: schedule must be a function of the epoch, or of the epoch "
                f"and the learning rate, got {type(schedule).__name__}"
            )
        self.schedule = schedule
        self.verbose = verbose
        self._takes_rate = _takes_two(schedule)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Set the rate of the epoch."""
        optimizer = self.trainer.optimizer
        found: Any
        if self._takes_rate:
            found = self.schedule(epoch, learning_rate(optimizer))
        else:
            found = self.schedule(epoch)
        try:
            rate = float(found.item() if hasattr(found, "item") else found)
        except (TypeError, ValueError):
            rate = -1.0
        if isinstance(found, str) or not rate >= 0.0:
            raise ArgumentError(
                f"LearningRateScheduler: schedule must give a number that is not negative, for "
                f"epoch {epoch} it gave {found!r}"
            )
        set_learning_rate(optimizer, rate)
        if self.verbose > 0:
            write(f"Epoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Note the rate."""
        logs["learning_rate"] = learning_rate(self.trainer.optimizer)


class ReduceLROnPlateau(Monitored):
    """Multiplies the learning rate by `factor` when a number has not improved for a while.

    That is `patience` epochs without a change for the better of more than `min_delta`. After a
    reduction it rests for `cooldown` epochs. No rate falls below `min_lr`. Each group of
    parameters keeps its own rate. The rate is noted in the logs as "learning_rate".
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode)
        if not 0.0 < factor < 1.0:
            raise ArgumentError(
                f"ReduceLROnPlateau: factor must lie between 0 and 1, got {factor}; the learning "
                "rate is multiplied by it"
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Mapping[str, float] | None = None) -> None:
        """Forget the run before, so that the callback may be used again."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Look at the number, and reduce the rate where it has not improved for too long."""
        optimizer = self.trainer.optimizer
        value = self.current(epoch, logs)
        logs["learning_rate"] = learning_rate(optimizer)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best, self.min_delta):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience and self._can_fall(optimizer):
                set_learning_rate(optimizer, self._reduced)
                if self.verbose > 0:
                    write(
                        f"Epoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                        f"{learning_rate(optimizer)}."
                    )
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _can_fall(self, optimizer: Any) -> bool:
        return any(float(group["lr"]) > self.min_lr for group in optimizer.param_groups)

    def _reduced(self, rate: float) -> float:
        # A group that starts below the limit is not lifted to it.
        return min(rate, max(rate * self.factor, self.min_lr))

    def state_dict(self) -> dict[str, Any]:
        """What it knows of the epochs before."""
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave out."""
        for name, value in state_dict.items():
            setattr(self, name, value)


def _takes_two(schedule: Callable[..., Any]) -> bool:
    """Whether a function takes the learning rate beside the epoch."""
    import inspect

    try:
        signature = inspect.signature(schedule)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(0, 0.1)
    except TypeError:
        return False
    return True
