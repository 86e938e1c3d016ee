"""KerasTrainer: the Trainer with a compiled model's losses, penalties, metrics and constraints."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras.config import epsilon, floatx
from minigrad.keras.layers import Layer
from minigrad.keras.layers.weight import Weight
from minigrad.keras.models.compiled import Losses, Measures
from minigrad.keras.models.recorded import record_keras
from minigrad.keras.optimizers.optimizer import Optimizer
from minigrad.training import Trainer

__all__ = ["KerasTrainer"]


class KerasTrainer(Trainer):
    """Trains a compiled Keras model; what is measured comes in the order of the names."""

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        losses: Losses,
        measures: Measures,
        *,
        compile: bool = False,
    ) -> None:
        self.losses = losses
        self.measures = measures
        self._penalised: list[Weight] = []
        self._constrained: list[Weight] = []
        self._layers: list[Layer] = []
        self.order: list[str] = []  # the names of what was measured last, as they were compiled
        super().__init__(model, optimizer, compile=compile)
        if compile:
            record_keras()

    # A user's callback says `self.model.stop_training = True`.

    @property
    def stop_training(self) -> bool:
        """Whether the training ends with this epoch."""
        return bool(self.model.stop_training)

    @stop_training.setter
    def stop_training(self, value: bool) -> None:
        self.model.stop_training = value

    def prepare(self) -> None:
        """Look up, once for a run, which weights have penalties and bounds."""
        weights = self.model.weights
        self._penalised = [one for one in weights if one.regularizer is not None and one.trainable]
        self._constrained = [one for one in weights if one.constraint is not None]
        self._layers = self.model._sublayers()
        first = next(iter(self.model.parameters()), None)
        placed = first is not None and first.device.type != "cpu"
        self.device = first.device if placed and first is not None else None

    def unpack(self, batch: Any) -> tuple[Any, Any, Any]:
        """The inputs, the targets and the weights of a batch."""
        return batch if len(batch) == 3 else (*batch, None, None)[:3]

    def compute_loss(self, output: Any, target: Any, weight: Any) -> Any:
        """The compiled losses, the penalties of the regularizers, and what layers added."""
        total = self.losses.compute(output, target, weight)
        for one in self._penalised:
            penalty = one.regularizer(one.value)
            total = penalty if total is None else total + penalty
        if Layer.any_added_losses:
            for layer in self._layers:
                for added in layer._added_losses:
                    total = added if total is None else total + added
        if total is None:
            raise ArgumentError(
                "there is nothing to minimize: compile the model with a loss, for example "
                "compile(optimizer='adam', loss='mse')"
            )
        return total

    def aside(self) -> Any:
        """The losses of several outputs."""
        return self.losses.values

    def measure(self, found: Any, inputs: Any, target: Any, weight: Any) -> None:
        """Count the losses of a batch and tell the metrics."""
        output, _, losses = found
        self.losses.count(losses, output)
        super().measure(found, inputs, target, weight)

    def settings(self) -> tuple[Any, ...]:
        """All that the steps read of the Trainer itself, and of the optimizer."""
        losses = self.losses
        optimizer = None if self.optimizer is None else self.optimizer.settings()
        return (
            self.model, optimizer, losses.each, losses.weights, self._penalised,
            [one.regularizer for one in self._penalised], self._constrained,
            [one.constraint for one in self._constrained], Layer.any_added_losses, epsilon(),
            floatx(),
        )  # fmt: skip

    def before_step(self) -> None:
        """The optimizer takes the rate of its schedule."""
        if not self._steps_itself():
            self.optimizer.set_rate()

    def change_parameters(self, count: int) -> None:
        """A step of the optimizer; then weights go back to where their constraints want them."""
        if self._steps_itself():
            super().change_parameters(count)
        else:
            self.optimizer.change()
        for one in self._constrained:
            one.constrain()

    def after_step(self) -> None:
        """Count the step."""
        super().after_step()
        if not self._steps_itself():
            self.optimizer.iterations += 1

    def _steps_itself(self) -> bool:
        """Whether the optimizer is a user's, with a step of its own."""
        return type(self.optimizer).step is not Optimizer.step

    def update_metrics(self, output: Any, target: Any, weight: Any) -> None:
        """Tell the metrics of a batch."""
        self.measures.update(output, target, weight)

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Measure something else: what the epoch has measured is put aside and taken back."""
        kept = self.measures, self.losses.parts
        self.measures, self.losses.parts = copy.deepcopy(kept)
        try:
            with super().apart():
                yield
        finally:
            self.measures, self.losses.parts = kept

    def reset(self) -> None:
        """Forget the loss and the metrics of the epoch."""
        self._mean_loss.reset()
        self.losses.reset()
        self.measures.reset()

    def ordered_logs(self) -> dict[str, float]:
        """The loss, those of the outputs, then the metrics as they were compiled."""
        names = self.measures.names or [
            f"output_{place + 1}" for place in range(len(self.losses.parts))
        ]
        return {
            "loss": self._mean_loss.compute(),
            **self.losses.logs(names),
            **self.measures.logs(),
        }

    def logs(self) -> dict[str, float]:
        """The means since the epoch began, sorted by their names as Keras shows them."""
        found = self.ordered_logs()
        self.order = list(found)
        return dict(sorted(found.items()))

    def on_one_batch(self, batch: Any, *, training: bool) -> dict[str, float]:
        """Train or test on one batch; the numbers are those of this batch alone."""
        self.prepare()
        apart = self.apart() if self._running else contextlib.nullcontext()
        with apart, self._mode(training=training):
            self.reset()
            if training:
                self.train_batch(batch)
            else:
                self.test_batch(batch)
            return self.ordered_logs()
