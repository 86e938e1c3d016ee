"""Linear and logistic regression by gradient descent, for watching how the cost falls."""

from __future__ import annotations

from typing import Any

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

import minigrad
from minigrad import nn
from minigrad.sklearn.data import check_several_classes, positions_of, used_samples
from minigrad.sklearn.linear import LinearDecision
from minigrad.sklearn.parameters import (
    check_choice,
    check_flag,
    check_number,
    check_verbose,
    check_whole,
)
from minigrad.sklearn.perceptron import Settled
from minigrad.sklearn.run import Guard, Report, make_optimizer, released, seeded, warn_of_rise
from minigrad.training import Callback, Trainer
from minigrad.utils.data import DataLoader, TensorDataset

METHODS = ("batch", "stochastic", "mini-batch")
STARTS = ("ones", "zeros", "uniform")


class _GradientDescent(BaseEstimator):  # type: ignore[misc]
    """The parameters and the run that both estimators share."""

    module_: nn.Linear
    coef_: Any
    intercept_: Any

    def __init__(
        self,
        *,
        method: str = "batch",
        learning_rate: float = 0.1,
        max_iter: int = 30,
        batch_size: int = 32,
        tol: float | None = None,
        n_iter_no_change: int = 5,
        optimizer: Any = "SGD",
        optimizer_options: dict[str, Any] | None = None,
        init: str = "ones",
        fit_intercept: bool = True,
        record_every: int = 1,
        callbacks: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        device: Any = None,
    ) -> None:
        self.method = method
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.optimizer = optimizer
        self.optimizer_options = optimizer_options
        self.init = init
        self.fit_intercept = fit_intercept
        self.record_every = record_every
        self.callbacks = callbacks
        self.random_state = random_state
        self.warm_start = warm_start
        self.verbose = verbose
        self.device = device

    def _check_parameters(self) -> None:
        check_choice(self, "method", METHODS)
        check_choice(self, "init", STARTS)
        for name in ("max_iter", "batch_size", "n_iter_no_change", "record_every"):
            check_whole(self, name)
        check_verbose(self)
        for name in ("fit_intercept", "warm_start"):
            check_flag(self, name)
        if self.tol is not None:
            check_number(self, "tol", 0)

    def _descend(self, X: Any, target: Any, weights: Any, outputs: int, loss: Any) -> None:
        """Train one linear layer; set what is learned and what was recorded."""
        arrays = [X, target] if weights is None else [X, target, weights]
        data = TensorDataset(*map(minigrad.from_numpy, arrays))
        size = {"batch": len(X), "stochastic": 1}.get(self.method, self.batch_size)
        # What overflows is told at the end of its epoch.
        quiet = numpy.errstate(over="ignore", invalid="ignore")
        with quiet, seeded(self.random_state), released(self) as callbacks:
            module = self._make_module(X.shape[1], outputs)
            trainer = _RecordingTrainer(
                module, make_optimizer(self, module.parameters()), loss, device=self.device
            )
            recorder = CostRecorder(self.record_every)
            own: list[Callback] = [recorder, Guard(self)]
            if self.tol is not None:
                own.append(Settled(self.tol, self.n_iter_no_change))
            if self.verbose:
                own.append(Report())
            loader = DataLoader(data, batch_size=size, shuffle=self.method != "batch")
            history = trainer.fit(loader, epochs=self.max_iter, callbacks=[*own, *callbacks])
        losses = history.history["loss"]
        warn_of_rise(self, losses)
        self.module_ = module
        self.n_iter_ = trainer.epoch
        self.loss_curve_ = losses
        self.cost_history_ = recorder.costs
        self.epoch_history_ = recorder.epochs

    def _make_module(self, features: int, outputs: int) -> nn.Linear:
        """A linear layer in float64: the last fit's with `warm_start`, else as `init` says."""
        previous: nn.Linear | None = getattr(self, "module_", None) if self.warm_start else None
        if previous is not None and previous.weight.shape == (outputs, features):
            return previous
        module = nn.Linear(features, outputs, bias=self.fit_intercept, dtype=minigrad.float64)
        if self.init != "uniform":
            {"ones": nn.init.ones_, "zeros": nn.init.zeros_}[self.init](module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        return module

    def _learned(self) -> tuple[Any, Any]:
        """The weight and the bias as NumPy arrays of their own."""
        weight = self.module_.weight.detach().cpu().numpy().copy()
        if self.module_.bias is None:
            return weight, numpy.zeros(len(weight))
        return weight, self.module_.bias.detach().cpu().numpy().copy()


class LinearRegressionGD(RegressorMixin, _GradientDescent):  # type: ignore[misc]
    """Linear regression: a linear layer whose mean squared error falls step by step.

    `method` says what a step looks at: "batch" all samples, "stochastic" one, "mini-batch"
    `batch_size` of them; `max_iter` counts epochs, the passes over all samples. The weights start
    from ones (or zeros, or as nn.Linear draws them: "uniform"), the intercept from zero.
    `optimizer` is the name or class of one in minigrad.optim. With `tol`, training stops after
    `n_iter_no_change` epochs that did not lower the cost by it. Samples of weight 0 are left out.

    `cost_history_` has the cost before every `record_every`-th step and `epoch_history_` how many
    epochs were done by then, `loss_curve_` the mean cost of each epoch.

    >>> import numpy
    >>> X = numpy.linspace(-1, 1, 20).reshape(-1, 1)
    >>> regression = LinearRegressionGD(learning_rate=0.5).fit(X, 3 * X[:, 0] + 2)
    >>> round(float(regression.coef_[0]), 3), round(regression.intercept_, 3)
    (3.0, 2.0)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegressionGD:
        """Learn from X [n_samples, n_features] and the numbers y [n_samples].

        Raises ValueError for data or parameters that do not fit, and where the cost overflows;
        warns with ConvergenceWarning where it rose.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=numpy.float64, y_numeric=True)
        X, y, weights = used_samples(X, y, sample_weight)
        target = numpy.asarray(y, numpy.float64).reshape(-1, 1)
        self._descend(X, target, weights, 1, nn.MSELoss())
        weight, bias = self._learned()
        self.coef_, self.intercept_ = weight[0], float(bias[0])
        return self

    def predict(self, X: Any) -> Any:
        """The number for each sample, float64."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=numpy.float64, reset=False)
        return X @ self.coef_ + self.intercept_


class LogisticRegressionGD(LinearDecision, ClassifierMixin, _GradientDescent):  # type: ignore[misc]
    """Logistic regression: a linear layer whose cross-entropy falls step by step.

    Two classes share one output through the sigmoid, more have one each through the softmax.
    Parameters and what is recorded are those of LinearRegressionGD; `max_iter` is 100, for the
    gradient of the cross-entropy is small.

    >>> import numpy
    >>> X = numpy.array([[1.0], [2.0], [3.0], [6.0], [7.0], [8.0]])
    >>> LogisticRegressionGD(learning_rate=0.5, max_iter=300).fit(X, list("aaabbb")).predict([[5]])
    array(['b'], dtype='<U1')
    """

    def __init__(
        self,
        *,
        method: str = "batch",
        learning_rate: float = 0.1,
        max_iter: int = 100,
        batch_size: int = 32,
        tol: float | None = None,
        n_iter_no_change: int = 5,
        optimizer: Any = "SGD",
        optimizer_options: dict[str, Any] | None = None,
        init: str = "ones",
        fit_intercept: bool = True,
        record_every: int = 1,
        callbacks: Any = None,
        random_state: Any = None,
        warm_start: bool = False,
        verbose: int = 0,
        device: Any = None,
    ) -> None:
        super().__init__(
            method=method,
            learning_rate=learning_rate,
            max_iter=max_iter,
            batch_size=batch_size,
            tol=tol,
            n_iter_no_change=n_iter_no_change,
            optimizer=optimizer,
            optimizer_options=optimizer_options,
            init=init,
            fit_intercept=fit_intercept,
            record_every=record_every,
            callbacks=callbacks,
            random_state=random_state,
            warm_start=warm_start,
            verbose=verbose,
            device=device,
        )

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LogisticRegressionGD:
        """Learn from X [n_samples, n_features] and the labels y [n_samples].

        Raises ValueError for data or parameters that do not fit, and where the cost overflows.
        """
        self._check_parameters()
        X, y = validate_data(self, X, y, dtype=numpy.float64)
        check_classification_targets(y)
        X, y, weights = used_samples(X, y, sample_weight)
        self.classes_ = numpy.unique(y)
        check_several_classes(self, self.classes_)
        places = positions_of(y, self.classes_)
        if len(self.classes_) == 2:
            target = places.astype(numpy.float64).reshape(-1, 1)
            self._descend(X, target, weights, 1, nn.BCEWithLogitsLoss())
        else:
            self._descend(X, places, weights, len(self.classes_), nn.CrossEntropyLoss())
        self.coef_, self.intercept_ = self._learned()
        return self

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class [n_samples, n_classes]."""
        scores = minigrad.from_numpy(self.decision_function(X))
        if scores.ndim == 1:
            # Both from a sigmoid of their own, which keeps the digits of small probabilities.
            scores = minigrad.stack([-scores, scores], dim=1)
            return minigrad.sigmoid(scores).numpy()
        return minigrad.softmax(scores, dim=1).numpy()

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class [n_samples, n_classes]."""
        return numpy.log(self.predict_proba(X))


class _RecordingTrainer(Trainer):
    """A Trainer that remembers the loss of the last batch."""

    last_loss: Any = None

    def compute_loss(self, output: Any, target: Any, weight: Any) -> Any:
        """The mean loss of the batch."""
        self.last_loss = super().compute_loss(output, target, weight)
        return self.last_loss


class CostRecorder(Callback):
    """The cost before every n-th step, and how many epochs were done by then."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.costs: list[float] = []
        self.epochs: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the loss that the step was made from."""
        done = self.trainer.step - 1
        if done % self.every == 0:
            self.costs.append(float(self.trainer.last_loss.item()))
            self.epochs.append(done / self.params["steps"])
