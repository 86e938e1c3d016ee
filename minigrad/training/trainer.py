"""The Trainer: the one loop that trains, validates and predicts, whatever the face above it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.io import save
from minigrad.nn import Module
from minigrad.optim.lr_scheduler import ReduceLROnPlateau
from minigrad.training.batch import BatchWork, several
from minigrad.training.callback import BatchLogs, CallbackList
from minigrad.training.feed import Feed
from minigrad.training.history import History
from minigrad.training.nested import joined
from minigrad.training.state import read_state, restore, restore_run, state_of

__all__ = ["Trainer"]


class Trainer(BatchWork):
    """Trains `model` with `optimizer` so that `loss(output, target)` falls.

    A batch is `(inputs, target)` or `(inputs, target, weight)`, with a weight for each sample, as
    a DataLoader gives it; inputs and target are tensors, or tuples, lists or dicts of them, which
    reach the model and the loss as they are. `metrics` are objects of `minigrad.training.metrics`,
    names such as "accuracy", or functions of output and target. `scheduler` steps after each
    epoch, or after each step of the optimizer with `schedule_every="step"`. Gradients are clipped
    to the joint norm `clip_norm` or element by element to `clip_value`, and those of `accumulate`
    batches are averaged for one step. `device` is where the model and each batch are moved.
    With `compile` the steps of training and evaluation run through `minigrad.compile`: the same
    numbers with less overhead; what cannot be replayed runs as without, with one warning, and
    `explain()` tells which.

    `epoch` counts the complete epochs, `step` the steps of the optimizer; `history` has what was
    measured. A subclass may override `unpack`, `forward`, `compute_loss`, `update_metrics`,
    `train_batch` and `test_batch`.

    >>> from minigrad import nn, optim
    >>> from minigrad.utils.data import DataLoader, TensorDataset
    >>> x = minigrad.linspace(-1, 1, 64).unsqueeze(1)
    >>> model = nn.Linear(1, 1)
    >>> trainer = Trainer(model, optim.SGD(model.parameters(), lr=0.5), nn.MSELoss())
    >>> history = trainer.fit(DataLoader(TensorDataset(x, 2 * x), batch_size=16), epochs=20)
    >>> round(model.weight.item(), 3)
    2.0
    """

    def __init__(
        self,
        model: Any,
        optimizer: Any = None,
        loss: Callable[..., Any] | None = None,
        *,
        metrics: Iterable[Any] = (),
        callbacks: Iterable[Any] = (),
        scheduler: Any = None,
        schedule_every: str = "epoch",
        device: Any = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        accumulate: int = 1,
        compile: bool = False,
    ) -> None:
        super().__init__(
            model,
            optimizer,
            loss,
            metrics,
            scheduler,
            schedule_every,
            device,
            clip_norm,
            clip_value,
            accumulate,
            compile,
        )
        self.callbacks = several("callbacks", callbacks)
        self.history = History()
        self.epoch = 0
        self.stop_training = False
        self.listening: list[Any] = self.callbacks  # those of the last `fit`
        self.feed: Feed | None = None  # the data of the `fit` that goes on
        self.data_state: dict[str, Any] | None = None  # where that of the last one was
        self.saved_callbacks: list[dict[str, Any]] = []  # states that wait for the next `fit`
        self.resumed = False  # whether it is to go on in the data where the saved run was
        self._running = False

    # Whole runs.

    def fit(
        self,
        data: Iterable[Any],
        *,
        epochs: int = 1,
        validation: Iterable[Any] | None = None,
        initial_epoch: int | None = None,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: int = 1,
        callbacks: Iterable[Any] = (),
        params: Mapping[str, Any] | None = None,
    ) -> History:
        """Train until `epochs` epochs are complete, and give the history.

        The epochs before count: after `fit(data, epochs=5)` or `resume`, `fit(data, epochs=8)`
        trains three more. `initial_epoch=0` counts anew, with a new history. With
        `steps_per_epoch` an epoch goes on in the data where the last one stopped; the validation
        starts anew each time. `validation` is evaluated after every `validation_freq`-th epoch.
        `callbacks` are those of this run, told after the Trainer's own; they see `params`.
        Raises ArgumentError when there is nothing left to train or no data.
        """
        first = self._first_epoch(epochs, initial_epoch)
        self._check_run(validation_freq)
        feed = Feed(data, steps_per_epoch, "data")
        held_out = None
        if validation is not None:
            held_out = Feed(validation, validation_steps, "validation", anew=True)
        told = {
            "epochs": epochs,
            "initial_epoch": first,
            "steps": feed.length,
            "validation_freq": validation_freq,
            **(params or {}),
        }
        if initial_epoch is not None:
            self.history = History()
            self.epoch = first
            if first == 0:
                self.saved_callbacks, self.resumed = [], False
        self.history.set_trainer(self)
        self.history.set_params(told)
        self.stop_training = False
        self._waiting = 0
        logs: dict[str, float] = {}
        with self._listening(callbacks, told) as listeners, self._feeding(feed):
            self.listening = listeners.callbacks
            listeners.call("on_train_begin", None)
            restore_run(self, listeners.callbacks, feed)
            for epoch in range(first, epochs):
                listeners.call("on_epoch_begin", epoch, None)
                self._train_epoch(feed, listeners)
                logs = self.logs()
                if held_out is not None and (epoch + 1) % validation_freq == 0:
                    measured = self._evaluate(held_out, listeners)
                    logs.update({f"val_{name}": value for name, value in measured.items()})
                self._end_epoch(epoch, logs, validated=held_out is not None)
                listeners.call("on_epoch_end", epoch, logs)
                self.history.record(epoch, logs)
                if self.stop_training:
                    break
            listeners.call("on_train_end", logs)
        return self.history

    def evaluate(
        self,
        data: Iterable[Any],
        *,
        steps: int | None = None,
        callbacks: Iterable[Any] = (),
        params: Mapping[str, Any] | None = None,
    ) -> dict[str, float]:
        """The mean loss and the metrics on the data, in evaluation mode, without recording.

        A callback may evaluate, and predict, in the middle of a run: that leaves what the run
        measures as it is, and only the `callbacks` given here are told.
        """
        feed = Feed(data, steps, "data")
        told = {"steps": feed.length, **(params or {})}
        apart = self.apart() if self._running else contextlib.nullcontext()
        with apart, self._listening(callbacks, told) as listeners:
            return self._evaluate(feed, listeners)

    def predict(
        self,
        data: Iterable[Any],
        *,
        steps: int | None = None,
        callbacks: Iterable[Any] = (),
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The outputs for all batches joined, in evaluation mode, without recording."""
        feed = Feed(data, steps, "data")
        told = {"steps": feed.length, **(params or {})}
        parts = []
        with (
            self._listening(callbacks, told) as listeners,
            self._mode(training=False),
            minigrad.no_grad(),
        ):
            listeners.call("on_predict_begin", None)
            begin = listeners.overridden("on_predict_batch_begin")
            end = listeners.overridden("on_predict_batch_end")
            for number, batch in enumerate(feed.epoch()):
                _tell(begin, number, {})
                parts.append(self.predict_batch(batch))
                _tell(end, number, {"outputs": parts[-1]})
            listeners.call("on_predict_end", None)
        return joined(parts)

    # Saving and resuming.

    def state_dict(self) -> dict[str, Any]:
        """All that the next epoch depends on: see `save`."""
        return state_of(self)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up a state; the same kind of model, optimizer and scheduler must be there.

        Raises ArgumentError, KeyError or RuntimeError where the state does not fit.
        """
        restore(self, state_dict)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to a safetensors file; the old file is replaced once it is complete.

        It holds the model, the optimizer, the scheduler, the state of the callbacks and of the
        default generator and of the DataLoader's own, the counts and the history: a run that is
        resumed from it gives, bit for bit, the weights of one that was never stopped. An iterator
        as data is the exception: it must be given anew, at the place where it was.
        """
        save(self.state_dict(), path)

    def resume(self, path: str | os.PathLike[str]) -> Trainer:
        """Take up the state that `save` wrote, and give the Trainer itself."""
        restore(self, read_state(path))
        return self

    # How it is done.

    def _first_epoch(self, epochs: int, initial_epoch: int | None) -> int:
        if not hasattr(epochs, "__index__"):
            raise TypeError(f"fit(): epochs must be an integer, got {epochs!r}")
        if epochs < 1:
            raise ArgumentError(f"fit(): epochs must be at least 1, got {epochs}")
        if initial_epoch is not None:
            return initial_epoch
        if epochs <= self.epoch:
            raise ArgumentError(
                f"fit(): {self.epoch} epochs are complete already and epochs={epochs} counts them; "
                f"ask for more in all, for example epochs={self.epoch + epochs}, or count anew "
                "with initial_epoch=0"
            )
        return self.epoch

    def _check_run(self, validation_freq: int) -> None:
        """Raise ArgumentError where a run would go wrong without a word."""
        if self._running:
            raise ArgumentError(
                "fit(): this Trainer is in the middle of a run; a callback may call evaluate() and "
                "predict(), and train another model with a Trainer of its own"
            )
        if validation_freq < 1:
            raise ArgumentError(f"fit(): validation_freq must be at least 1, got {validation_freq}")
        if self.optimizer is None:
            raise ArgumentError("this Trainer has no optimizer; write Trainer(model, optimizer, …)")
        if isinstance(self.scheduler, ReduceLROnPlateau) and self.schedule_every == "step":
            raise ArgumentError(
                "ReduceLROnPlateau looks at the loss of an epoch; leave schedule_every='step' out"
            )
        if isinstance(self.model, Module):
            known = {id(parameter) for parameter in self.model.parameters()}
            if known and known.isdisjoint(map(id, self._parameters())):
                raise ArgumentError(
                    "fit(): the optimizer has none of the model's parameters, so that nothing "
                    "would be learned; make it from model.parameters() of this model"
                )

    def _train_epoch(self, feed: Feed, listeners: CallbackList) -> None:
        begin = listeners.overridden("on_train_batch_begin")
        end = listeners.overridden("on_train_batch_end")
        with self._mode(training=True):
            self.reset()
            for number, batch in enumerate(feed.epoch()):
                if begin:
                    _tell(begin, number, {})
                self.train_batch(batch)
                if end:
                    _tell(end, number, BatchLogs(self.logs))
                if self.stop_training:
                    break
            if self._waiting:
                self.take_step()

    def _end_epoch(self, epoch: int, logs: dict[str, float], *, validated: bool) -> None:
        """Bring everything into the state in which the next epoch finds it."""
        if self.scheduler is not None and self.schedule_every == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                # With a validation only its loss counts: the two must not be mixed.
                watched = "val_loss" if validated else "loss"
                if watched in logs:
                    self.scheduler.step(logs[watched])
            else:
                self.scheduler.step()
        self.epoch = epoch + 1
        # A callback that saves the run must find this epoch in its history; it is noted again
        # after them, with what they put into the logs.
        self.history.record(epoch, logs)

    def _evaluate(self, feed: Feed, listeners: CallbackList) -> dict[str, float]:
        begin = listeners.overridden("on_test_batch_begin")
        end = listeners.overridden("on_test_batch_end")
        with self._mode(training=False), minigrad.no_grad():
            self.reset()
            listeners.call("on_test_begin", None)
            for number, batch in enumerate(feed.epoch()):
                if begin:
                    _tell(begin, number, {})
                self.test_batch(batch)
                if end:
                    _tell(end, number, BatchLogs(self.logs))
            logs = self.logs()
            listeners.call("on_test_end", logs)
        return logs

    @contextlib.contextmanager
    def _listening(
        self, callbacks: Iterable[Any], params: dict[str, Any]
    ) -> Iterator[CallbackList]:
        """The callbacks to tell; within a run the Trainer's own are busy with that."""
        outer = self._running
        own = [] if outer else self.callbacks
        listeners = CallbackList([*own, *several("callbacks", callbacks)], self, params)
        self._running = True
        try:
            yield listeners
        finally:
            self._running = outer
            listeners.call("close")

    @contextlib.contextmanager
    def _feeding(self, feed: Feed) -> Iterator[None]:
        """The data of a run; afterwards only its place in them is remembered."""
        self.feed = feed
        try:
            yield
        finally:
            self.data_state, self.feed = feed.state_dict(), None

    @contextlib.contextmanager
    def _mode(self, *, training: bool) -> Iterator[None]:
        """The model in training or in evaluation mode; afterwards in the one it was in."""
        if not isinstance(self.model, Module):
            yield
            return
        # Each module gets back its own mode: a part may have been frozen with eval().
        before = [(module, module.training) for module in self.model.modules()]
        self.model.train(training)
        try:
            yield
        finally:
            for module, mode in before:
                module.training = mode


def _tell(hooks: Sequence[Callable[..., None]], number: int, logs: Mapping[str, Any]) -> None:
    for hook in hooks:
        hook(number, logs)
