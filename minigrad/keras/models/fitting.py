"""What a compiled model can do: fit, evaluate, predict, and the same on one batch."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras import optimizers
from minigrad.keras.models.arrays import is_stream
from minigrad.keras.models.checks import check_inputs, check_losses, check_own_steps, jits
from minigrad.keras.models.compiled import Losses, Measures
from minigrad.keras.models.data import ArrayData, Stream, weights_of_classes
from minigrad.keras.models.recorded import Apart
from minigrad.keras.models.trainer import KerasTrainer
from minigrad.keras.symbolic import map_structure
from minigrad.training import Callback, History
from minigrad.training.progress import ProgressLine

__all__ = ["Fitting"]


class Fitting:
    """The part of a Model that trains and measures; the loops are the Trainer's."""

    optimizer: Any = None
    history: Any = Apart()
    stop_training = False
    _losses: Losses | None = None
    _measures: Measures | None = None
    _trainer: KerasTrainer | None = None
    _compiled_with: dict[str, Any] | None = None

    # Compiling.

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train: an optimizer, a loss for each output, and what to measure.

        Losses and metrics are names, functions `f(y_true, y_pred)` or objects; for several outputs
        in lists or in dicts by the names of the outputs. Raises ArgumentError for an unknown name,
        with the nearest known ones. With `jit_compile=True` the steps of training and evaluation
        run through `minigrad.compile`: the same numbers with less overhead, eager where that fails;
        "auto" is False, and so is all with `run_eagerly`. The others change nothing.
        """
        if isinstance(optimizer, type):
            raise ArgumentError(
                f"compile(): optimizer is the class {optimizer.__name__}; make an instance: "
                f"{optimizer.__name__}(learning_rate=0.001)"
            )
        model: Any = self
        check_own_steps(model)
        names, jit = list(model.output_names), jits(jit_compile, run_eagerly)
        self.optimizer = optimizers.get(optimizer)
        self._losses = Losses(loss, loss_weights, names)
        self._measures = Measures(metrics, weighted_metrics, names)
        self._compiled_with = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "jit_compile": jit,
        }
        self._trainer = None
        self.loss = loss
        check_losses(self)

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled_with is not None

    @property
    def metrics(self) -> list[Any]:
        """The compiled metrics."""
        if self._measures is None:
            return []
        return [metric for _, metric, _ in self._measures.places if not isinstance(metric, str)]

    def get_metrics_result(self) -> dict[str, float]:
        """What was measured last, by name: the loss and the metrics."""
        return {} if self._trainer is None else dict(self._trainer.logs())

    @property
    def metrics_names(self) -> list[str]:
        """The names of what `evaluate` gives, in its order."""
        if self._trainer is None:
            return ["loss"] if self.compiled else []
        return list(self._trainer.ordered_logs())

    def _losses_for(self, count: int) -> list[Any]:
        """The loss of each output, None where there is none."""
        if self._losses is None:
            return [None] * count
        spread = self._losses.spread(count)
        return [*spread, *[None] * count][:count]

    def _set_up_fitting(self) -> None:
        self._trainer = self.history = None

    def _forget_trainer(self) -> None:
        """After a layer was added or taken away: the compiled parts know the old outputs."""
        if self._compiled_with is not None:
            self._compiled_with, self._trainer = None, None

    def _require_compiled(self, what: str, *, to_train: bool = True) -> None:
        if self._compiled_with is None:
            name = getattr(self, "name", "model")
            raise ArgumentError(
                f"{what}: the model '{name}' is not compiled; call first, for example, "
                "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', "
                "metrics=['accuracy'])"
            )
        if to_train and self.optimizer is None:
            raise ArgumentError(f"{what}: compile() was given no optimizer; write 'adam'")

    def _ready_trainer(self, sample: Any, where: str, *, to_train: bool) -> KerasTrainer:
        """The Trainer, after the weights are made and the optimizer knows them."""
        self._build_from(sample)
        model: Any = self
        if self._trainer is None:
            parts: Any = (self.optimizer, self._losses, self._measures)
            self._trainer = KerasTrainer(self, *parts, compile=model._compiled_with["jit_compile"])
        if to_train:
            parameters = [one for one in model.parameters() if one.requires_grad]
            if not parameters:
                raise ArgumentError(
                    f"{where}: the model '{model.name}' has no trainable weights; set "
                    "trainable = True on a layer and compile again"
                )
            self.optimizer.build(parameters)
        self._trainer.prepare()
        return self._trainer

    def _build_from(self, sample: Any) -> None:
        """Make weights that wait for a shape, by the shape of the data or a first call."""
        model: Any = self
        if all(layer.built for layer in model._sublayers()):
            return
        if not model.built and hasattr(model, "_layers"):
            model._build_for((sample,), {})
            return
        with minigrad.no_grad():
            model(map_structure(lambda leaf: leaf[:1], sample))

    # Data.

    def _data(
        self, where: str, x: Any, y: Any, sample_weight: Any, *, labelled: bool
    ) -> ArrayData | Stream:
        if x is None:
            raise ArgumentError(f"{where}: x is None; give the inputs")
        if isinstance(x, (ArrayData, Stream)):
            return x
        if is_stream(x):
            if y is not None or sample_weight is not None:
                raise ArgumentError(
                    f"{where}: x gives batches itself, so leave y and sample_weight out and let "
                    "each batch be (x, y)"
                )
            return Stream(self, x, where, labelled=labelled)
        if y is None and labelled and self._losses is not None and any(self._losses.each):
            raise ArgumentError(f"{where}: y is missing; give the inputs and their targets: (x, y)")
        return ArrayData(self, x, y, sample_weight, where=where)

    # Training.

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for `epochs` epochs, and give the History of what was measured.

        `x` and `y` are arrays, tensors, data frames, or lists or dicts of them; or `x` gives
        batches `(x, y)`. The last `validation_split` of the samples, before any shuffling, or
        `validation_data`, are evaluated after each epoch. `verbose` is 0, 1 (a bar) or 2 (a line
        an epoch). Raises ArgumentError for data that cannot be right.
        """
        where = "fit()"
        self._require_compiled(where)
        data = self._data(where, x, y, sample_weight, labelled=True)
        held_out: Any = None
        if validation_split:
            if isinstance(data, Stream):
                raise ArgumentError(
                    "fit(): validation_split needs arrays; give validation_data for a generator"
                )
            if validation_data is None:
                data, held_out = data.split(validation_split)
        if class_weight is not None:
            self._weigh(data, class_weight, where)
        trainer = self._ready_trainer(_sample(data), where, to_train=True)
        batches: Any = data
        if isinstance(data, ArrayData):
            data.check()
            batches = data.batches(batch_size, shuffle)
        if validation_data is not None:
            held_out = self._validation(validation_data)
        validation = _in_batches(held_out, validation_batch_size or batch_size)
        if not isinstance(validation_freq, int) or validation_freq < 1:
            raise ArgumentError(
                f"fit(): validation_freq must be a positive integer, got {validation_freq!r}"
            )
        listeners, shown = _listeners(callbacks, verbose)
        history = self.history = trainer.fit(
            batches,
            epochs=epochs,
            validation=validation,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            callbacks=listeners,
            params={"verbose": shown},
        )
        return history

    def _weigh(self, data: ArrayData | Stream, class_weight: Any, where: str) -> None:
        if isinstance(data, Stream):
            data.class_weight = class_weight
            return
        weights = minigrad.from_numpy(weights_of_classes(class_weight, data.y, where))
        data.weight = weights if data.weight is None else data.weight.reshape(-1) * weights

    def _validation(self, given: Any) -> Any:
        where = "fit(validation_data)"
        if isinstance(given, (tuple, list)):
            if not 2 <= len(given) <= 3:
                raise ArgumentError(
                    f"{where}: give (x, y) or (x, y, sample_weight), got {len(given)} parts"
                )
            x, y, weight = (*given, None)[:3]
            data: Any = ArrayData(self, x, y, weight, where=where)
            data.check()
            return data
        return self._data(where, given, None, None, labelled=True)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """The loss and the metrics on data: a list of numbers, one alone, or a dict of them."""
        where = "evaluate()"
        self._require_compiled(where, to_train=False)
        data = self._data(where, x, y, sample_weight, labelled=True)
        trainer = self._ready_trainer(_sample(data), where, to_train=False)
        if isinstance(data, ArrayData):
            data.check()
        listeners, shown = _listeners(callbacks, verbose)
        logs = trainer.evaluate(
            _in_batches(data, batch_size),
            steps=steps,
            callbacks=listeners,
            params={"verbose": shown},
        )
        return _returned({name: logs[name] for name in trainer.order}, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for all samples, as NumPy arrays."""
        where = "predict()"
        data = self._data(where, x, None, None, labelled=False)
        self._build_from(_sample(data))
        if isinstance(data, ArrayData):
            check_inputs(self, data.x, where)
        trainer = self._trainer or KerasTrainer(self, None, Losses(None, None, []), _NOTHING)
        trainer.prepare()
        listeners, shown = _listeners(callbacks, verbose)
        outputs = trainer.predict(
            _in_batches(data, batch_size),
            steps=steps,
            callbacks=listeners,
            params={"verbose": shown},
        )
        return map_structure(_to_numpy, outputs)

    # One batch.

    def _one_batch(self, where: str, x: Any, y: Any, sample_weight: Any) -> ArrayData:
        data = self._data(where, x, y, sample_weight, labelled=True)
        if isinstance(data, Stream):
            raise ArgumentError(f"{where}: x must be the arrays of one batch; use fit() for more")
        return data

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train one step on one batch; gives the loss and the metrics of this batch alone."""
        where = "train_on_batch()"
        self._require_compiled(where)
        data = self._one_batch(where, x, y, sample_weight)
        if class_weight is not None:
            self._weigh(data, class_weight, where)
        trainer = self._ready_trainer(data.x, where, to_train=True)
        check_inputs(self, data.x, where)
        return _returned(trainer.on_one_batch(_whole(data), training=True), return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The loss and the metrics of one batch."""
        where = "test_on_batch()"
        self._require_compiled(where, to_train=False)
        data = self._one_batch(where, x, y, sample_weight)
        trainer = self._ready_trainer(data.x, where, to_train=False)
        check_inputs(self, data.x, where)
        with minigrad.no_grad():
            logs = trainer.on_one_batch(_whole(data), training=False)
        return _returned(logs, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as NumPy arrays."""
        data = self._data("predict_on_batch()", x, None, None, labelled=False)
        return self.predict(x, batch_size=_length(data), verbose=0)


_NOTHING = Measures(None, None, [])


def _sample(data: ArrayData | Stream) -> Any:
    """Inputs from which shapes can be read."""
    return data.x if isinstance(data, ArrayData) else data.peek()[0]


def _length(data: ArrayData | Stream) -> int:
    return data.count if isinstance(data, ArrayData) else 32


def _whole(data: ArrayData) -> Any:
    """All samples as one batch."""
    return next(iter(data.batches(data.count)))


def _in_batches(data: Any, batch_size: int | None) -> Any:
    return data.batches(batch_size) if isinstance(data, ArrayData) else data


def _listeners(callbacks: Any, verbose: Any) -> tuple[list[Callback], int]:
    """The callbacks and the line of progress, if there is to be one, and the kind of the line."""
    if verbose not in ("auto", 0, 1, 2):
        raise ArgumentError(f"verbose must be 0, 1, 2 or 'auto', got {verbose!r}")
    shown = 1 if verbose == "auto" else int(verbose)
    listed = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
    listeners = [callback for callback in listed if callback is not None]
    return [*listeners, ProgressLine(shown)] if shown else listeners, shown


def _returned(logs: dict[str, float], as_dict: bool) -> Any:
    if as_dict:
        return dict(sorted(logs.items()))
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _to_numpy(leaf: Any) -> Any:
    return leaf.detach().cpu().numpy()
