"""The base of the estimators that train a network: parameters, the run, and the outputs."""

from __future__ import annotations

import inspect
from typing import Any

import numpy
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

import minigrad
from minigrad.errors import ArgumentError
from minigrad.sklearn.network import check_ending, make_loss, make_module, module_dtype
from minigrad.sklearn.parameters import (
    check_flag,
    check_number,
    check_verbose,
    check_whole,
    refuse,
    refuse_unknown,
)
from minigrad.sklearn.run import (
    Guard,
    Report,
    make_optimizer,
    released,
    seed_of,
    seeded,
    warn_of_rise,
)
from minigrad.training import Callback, EarlyStopping, Trainer
from minigrad.utils.data import DataLoader, TensorDataset

__all__ = ["Learner"]


# What scikit-learn's estimators of these names call otherwise.
_OTHERWISE = {
    "max_iter": "max_epochs=…",
    "solver": "optimizer='Adam' or optimizer='SGD'",
    "learning_rate_init": "learning_rate=…",
    "alpha": "optimizer_options={'weight_decay': …}",
    "momentum": "optimizer='SGD', optimizer_options={'momentum': …}",
    "nesterovs_momentum": "optimizer='SGD', optimizer_options={'nesterov': True, 'momentum': …}",
    "beta_1": "optimizer_options={'betas': (…, 0.999)}",
    "beta_2": "optimizer_options={'betas': (0.9, …)}",
    "epsilon": "optimizer_options={'eps': …}",
}


class Learner(BaseEstimator):  # type: ignore[misc]
    """What MLPClassifier and MLPRegressor share; see there for the parameters."""

    module_: Any
    optimizer_: Any
    loss_: Any
    history_: dict[str, list[float]]
    _generator_state: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # What help() and scikit-learn show: the parameters of __init__, not those of __new__.
        shown = inspect.signature(cls.__init__)
        cls.__signature__ = shown.replace(parameters=list(shown.parameters.values())[1:])

    def __new__(cls, *_: Any, **parameters: Any) -> Any:
        """An estimator; TypeError for a parameter that is called otherwise here."""
        refuse_unknown(cls, parameters, _OTHERWISE)
        return super().__new__(cls)

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        module: Any = None,
        dropout: float = 0.0,
        batch_norm: bool = False,
        loss: Any = None,
        optimizer: Any = "Adam",
        learning_rate: float = 0.001,
        optimizer_options: dict[str, Any] | None = None,
        batch_size: int = 200,
        max_epochs: int = 100,
        shuffle: bool = True,
        callbacks: Any = None,
        metrics: Any = None,
        validation_fraction: float | None = None,
        early_stopping: bool = False,
        n_iter_no_change: int = 10,
        tol: float = 1e-4,
        dtype: Any = None,
        device: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.module = module
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.optimizer_options = optimizer_options
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.shuffle = shuffle
        self.callbacks = callbacks
        self.metrics = metrics
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.dtype = dtype
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose

    # What the two kinds say of themselves.

    def _ending(self) -> tuple[int, Any]:
        """The number of outputs, and the layer that a network built here ends with, or None."""
        raise NotImplementedError(f"{type(self).__name__} has no _ending()")

    def _check_output(self, output: Any, target: Any) -> Any:
        """The target, shaped for the output; raises ArgumentError where they do not fit."""
        raise NotImplementedError(f"{type(self).__name__} has no _check_output()")

    # Checks.

    def _check_parameters(self, *, partial: bool = False) -> None:
        for name in ("batch_size", "max_epochs", "n_iter_no_change"):
            check_whole(self, name)
        check_verbose(self)
        check_number(self, "tol", 0)
        check_number(self, "learning_rate", 0, open_low=True)
        for name in ("shuffle", "early_stopping", "warm_start"):
            check_flag(self, name)
        if self.validation_fraction is not None:
            check_number(self, "validation_fraction", 0, 1, open_low=True)
        if self.dtype is not None:
            try:
                numpy.dtype(self.dtype)
            except TypeError:
                refuse(self, "dtype", "the name of a dtype, such as 'float32' or 'int64'")
        if partial and self.early_stopping:
            raise ArgumentError(
                f"{type(self).__name__}: early_stopping should be False with partial_fit, which "
                "sees one epoch"
            )

    def _input_rules(self) -> dict[str, Any]:
        """What scikit-learn's check of X shall allow: any dimensions where a module is given."""
        if self.module is None:
            return {"dtype": [numpy.float64, numpy.float32]}
        return {"dtype": "numeric", "allow_nd": True}

    def _goes_on(self) -> bool:
        return self.warm_start and hasattr(self, "module_")

    def _start_loss(self, default: type) -> None:
        self.loss_ = make_loss(self, default)

    # The run.

    def _train(
        self,
        X: Any,
        target: Any,
        weights: Any,
        epochs: int,
        *,
        going_on: bool,
        stratify: Any = None,
    ) -> None:
        """Train, from the start or on from the last time, and note what was measured."""
        # What overflows is told at the end of its epoch.
        quiet = numpy.errstate(over="ignore", invalid="ignore")
        state = self._generator_state if going_on else None
        with quiet, seeded(self.random_state, state), released(self) as callbacks:
            if not going_on:
                self.module_ = make_module(self, X, *self._ending())
                check_ending(self, self.module_, self.loss_)
                if self.device is not None:
                    self.module_.to(self.device)
                self.optimizer_ = make_optimizer(self, self.module_.parameters())
                self.history_ = {}
            parts, held_out = self._split(X, target, weights, stratify)
            own: list[Callback] = [Guard(self)]
            if self.early_stopping:
                own.append(
                    EarlyStopping(
                        min_delta=self.tol,
                        patience=self.n_iter_no_change,
                        restore_best_weights=True,
                    )
                )
            if self.verbose:
                own.append(Report())
            trainer = _LearnerTrainer(self, self.optimizer_, self.metrics or ())
            history = trainer.fit(
                self._loader(parts, self.shuffle),
                epochs=epochs,
                validation=None if held_out is None else self._loader(held_out, False),
                callbacks=[*own, *callbacks],
            )
            self._generator_state = minigrad.random.get_rng_state()
        if not going_on:
            warn_of_rise(self, history.history["loss"])
        for name, values in history.history.items():
            self.history_.setdefault(name, []).extend(values)
        self.loss_curve_ = self.history_["loss"]
        self.validation_curve_ = self.history_.get("val_loss", [])
        self.best_loss_ = min(self.loss_curve_)
        self.n_iter_ = len(self.loss_curve_)

    def _split(self, X: Any, target: Any, weights: Any, stratify: Any) -> tuple[Any, Any]:
        """The arrays to learn from and those held out, or None."""
        arrays = [X, target] if weights is None else [X, target, weights]
        fraction = self.validation_fraction
        if fraction is None:
            if not self.early_stopping:
                return arrays, None
            fraction = 0.1
        split = train_test_split(
            *arrays, test_size=fraction, random_state=seed_of(self.random_state), stratify=stratify
        )
        return split[::2], split[1::2]

    def _loader(self, arrays: Any, shuffle: bool) -> DataLoader:
        X, target, *weights = arrays
        kind = module_dtype(self, self.module_)
        floating = numpy.dtype(kind) if numpy.dtype(kind).kind == "f" else numpy.float32
        if target.dtype.kind == "f" or target.ndim > 1:
            target = target.astype(floating, copy=False)
        tensors = [self._cast(X, kind), target, *(weight.astype(floating) for weight in weights)]
        data = TensorDataset(*(minigrad.from_numpy(numpy.ascontiguousarray(t)) for t in tensors))
        return DataLoader(data, batch_size=self.batch_size, shuffle=shuffle)

    def _cast(self, X: Any, kind: str) -> Any:
        if X.dtype == kind:
            return X
        with numpy.errstate(over="ignore"):
            cast = X.astype(kind)
        if cast.dtype.kind == "f" and not numpy.isfinite(cast).all():
            raise ArgumentError(
                f"Input X contains infinity or a value too large for dtype('{kind}'), the dtype of "
                "the module's parameters"
            )
        return cast

    def _outputs(self, X: Any) -> Any:
        """What the module gives for X, as a NumPy array [n_samples, ...]."""
        check_is_fitted(self, "module_")
        X = validate_data(self, X, reset=False, **self._input_rules())
        X = numpy.ascontiguousarray(self._cast(X, module_dtype(self, self.module_)))
        loader = DataLoader(TensorDataset(minigrad.from_numpy(X)), batch_size=self.batch_size)
        outputs = Trainer(self.module_, device=self.device).predict(loader)
        return outputs.detach().cpu().numpy()


class _LearnerTrainer(Trainer):
    """A Trainer that asks its estimator whether output and target fit."""

    def __init__(self, estimator: Any, optimizer: Any, metrics: Any) -> None:
        super().__init__(
            estimator.module_,
            optimizer,
            estimator.loss_,
            metrics=metrics,
            device=estimator.device,
        )
        self.estimator = estimator

    def compute_loss(self, output: Any, target: Any, weight: Any) -> Any:
        """The mean loss of a batch."""
        target = self.estimator._check_output(output, target)
        return super().compute_loss(output, target, weight)
