"""The base of all callbacks: objects that a Trainer tells what happens, and the list it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

__all__ = ["BatchLogs", "Callback", "CallbackList"]

Logs = Mapping[str, float]

_OLD_HOOKS = {"on_batch_begin": "on_train_batch_begin", "on_batch_end": "on_train_batch_end"}


class Callback:
    """Is told of each event of a run; a subclass overrides the hooks that it needs.

    `trainer` is the Trainer and `model` its model. `params` holds "epochs", "initial_epoch" and
    "steps" (batches in an epoch, None if unknown). Epochs and batches count from 0. `logs` maps
    names to numbers: in a batch hook the means since the epoch began, at the end of an epoch also
    those of the validation, whose names begin with "val_". Set `self.trainer.stop_training = True`
    to stop.

    The hooks have the names of Keras's; `on_batch_begin` and `on_batch_end` are other names for
    those of a batch of training. A callback that remembers something from epoch to epoch
    gives it out in `state_dict()` and takes it back in `load_state_dict()`, so that a run that is
    resumed goes on as if it had never stopped. Callbacks are told in the order of the list, but
    one that saves the others' state has a higher `order` and is told after them.
    """

    order = 0
    trainer: Any = None
    model: Any = None
    params: dict[str, Any]

    def __init_subclass__(cls, **options: Any) -> None:
        # Keras's older names of the hooks of a batch of training.
        super().__init_subclass__(**options)
        for old, hook in _OLD_HOOKS.items():
            if old in vars(cls) and hook not in vars(cls):
                setattr(cls, hook, vars(cls)[old])

    def set_trainer(self, trainer: Any) -> None:
        """Called once before a run."""
        self.trainer = trainer
        self.model = trainer.model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called once before a run."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of `fit`."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch of `fit`, with the logs of that epoch."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """After an epoch and its validation; what is put into `logs` reaches the history."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of training."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of training and its step."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation, the validation of an epoch included."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction."""

    def close(self) -> None:
        """Called when a run is over, however it ended: the place to close files and bars."""

    def state_dict(self) -> dict[str, Any]:
        """What must be saved for a run to be resumed exactly; nothing by default."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave out; called after `on_train_begin`."""


class BatchLogs(Mapping[str, float]):
    """The running means of an epoch, computed only if somebody looks at them.

    Reading a number from a GPU waits for all the work before it, so a callback that looks at the
    logs of every tenth batch costs a tenth.
    """

    def __init__(self, compute: Callable[[], dict[str, float]]) -> None:
        self._compute = compute
        self._values: dict[str, float] | None = None

    @property
    def values_now(self) -> dict[str, float]:
        """The numbers as a dict."""
        if self._values is None:
            self._values = self._compute()
        return self._values

    def __getitem__(self, name: str) -> float:
        return self.values_now[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_now)

    def __len__(self) -> int:
        return len(self.values_now)

    def __repr__(self) -> str:
        return repr(self.values_now)


class CallbackList:
    """Several callbacks called in turn; of the batch hooks only those that somebody wrote."""

    def __init__(self, callbacks: Iterable[Any], trainer: Any, params: dict[str, Any]) -> None:
        self.callbacks = sorted(callbacks, key=lambda callback: getattr(callback, "order", 0))
        for callback in self.callbacks:
            if isinstance(callback, type):
                raise TypeError(
                    f"callbacks holds the class {callback.__name__}; make an instance: "
                    f"{callback.__name__}()"
                )
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks holds a {type(callback).__name__}; a callback is an instance of "
                    "minigrad.training.Callback"
                )
            callback.set_trainer(trainer)
            callback.set_params(params)

    def overridden(self, hook: str) -> list[Callable[..., None]]:
        """The methods of this name that are not the base's."""
        base = getattr(Callback, hook)
        return [
            getattr(callback, hook)
            for callback in self.callbacks
            if getattr(type(callback), hook) is not base or hook in vars(callback)
        ]

    def call(self, hook: str, *arguments: Any) -> None:
        """Call the hook of this name of every callback, in order."""
        for callback in self.callbacks:
            getattr(callback, hook)(*arguments)
