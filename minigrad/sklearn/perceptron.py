"""The Perceptron: scikit-learn's classifier by the step rule, with the very same coefficients."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from minigrad.errors import ArgumentError
from minigrad.sklearn.data import (
    check_several_classes,
    first_classes,
    positions_of,
    sample_weights,
)
from minigrad.sklearn.linear import LinearDecision
from minigrad.sklearn.parameters import (
    check_choice,
    check_flag,
    check_number,
    check_verbose,
    check_whole,
)
from minigrad.sklearn.perceptron_rule import EpochOrders, PerceptronRule
from minigrad.sklearn.run import Report
from minigrad.training import Callback, Trainer

_SEEDS = numpy.iinfo(numpy.int32).max


class Perceptron(LinearDecision, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A linear classifier that learns from its mistakes alone (Rosenblatt 1958).

    Each sample on the wrong side is added to the weights, `eta0` times and with the sign of its
    class. Parameters, attributes and, for the same data and seed, coefficients are those of
    scikit-learn's Perceptron (1.9); several classes are learned one against the rest. `n_jobs`
    is accepted for programs written for it: the classes are learned one after another. Sparse
    input is refused.

    >>> import numpy
    >>> X = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> Perceptron(tol=None, max_iter=20).fit(X, [0, 0, 0, 1]).predict(X).tolist()
    [0, 0, 0, 1]
    """

    def __init__(
        self,
        *,
        penalty: str | None = None,
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float | None = 1e-3,
        shuffle: bool = True,
        verbose: int = 0,
        eta0: float = 1.0,
        n_jobs: int | None = None,
        random_state: Any = 0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        class_weight: Any = None,
        warm_start: bool = False,
    ) -> None:
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.eta0 = eta0
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start

    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Perceptron:
        """Learn from X [n_samples, n_features] and the labels y [n_samples].

        Starts from `coef_init` and `intercept_init`, from the last fit with `warm_start`, or from
        zeros. Raises ValueError for data, weights or parameters that do not fit; warns with
        ConvergenceWarning where `max_iter` epochs did not settle.
        """
        self._check_parameters()
        X, y = self._validated(X, y, reset=True)
        if self.warm_start and getattr(self, "coef_", None) is not None:
            coef_init = self.coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self.classes_ = numpy.unique(y)
        check_several_classes(self, self.classes_)
        self._start(X, coef_init, intercept_init)
        self.t_ = 1.0
        self._learn(X, y, sample_weight, self.max_iter)
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(
                f"Perceptron: no convergence within max_iter={self.max_iter} epochs; "
                "raise max_iter to improve the fit",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Perceptron:
        """Learn for one epoch, going on from the weights there are.

        The first call names all `classes`. Raises ValueError as `fit` does, and for labels that
        were not named.
        """
        self._check_parameters()
        first = not hasattr(self, "classes_")
        if first:
            self._check_partial()
        X, y = self._validated(X, y, reset=first)
        first_classes(self, classes)
        check_several_classes(self, self.classes_)
        if getattr(self, "coef_", None) is None:
            self._start(X, None, None)
            self.t_ = 1.0
        self._learn(X, y, sample_weight, 1)
        return self

    def _check_parameters(self) -> None:
        check_choice(self, "penalty", [None, "l2", "l1", "elasticnet"])
        check_number(self, "alpha", 0)
        check_number(self, "l1_ratio", 0, 1, open_high=False)
        check_number(self, "eta0", 0, open_low=True)
        check_number(self, "validation_fraction", 0, 1, open_low=True)
        if self.tol is not None:
            check_number(self, "tol", 0)
        for name in ("max_iter", "n_iter_no_change"):
            check_whole(self, name)
        check_verbose(self)
        for name in ("fit_intercept", "shuffle", "early_stopping", "warm_start"):
            check_flag(self, name)
        if isinstance(self.class_weight, str):
            check_choice(self, "class_weight", ["balanced"])

    def _check_partial(self) -> None:
        if self.early_stopping:
            raise ArgumentError(
                "Perceptron: early_stopping should be False with partial_fit, which sees one epoch"
            )
        if isinstance(self.class_weight, str):
            raise ArgumentError(
                "Perceptron: class_weight 'balanced' is not supported for partial_fit, which sees "
                "only a part of the data; pass the weights as a dict, as compute_class_weight("
                "'balanced', classes=classes, y=all_labels) gives them"
            )

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(
            self, X, y, dtype=[numpy.float64, numpy.float32], order="C", reset=reset
        )
        check_classification_targets(y)
        return X, y

    def _start(self, X: Any, coef_init: Any, intercept_init: Any) -> None:
        """Make the coefficients, one row for two classes, else one for each class."""
        rows = 1 if len(self.classes_) == 2 else len(self.classes_)
        self.coef_ = _initial("coef_init", coef_init, (rows, X.shape[1]), X.dtype)
        self.intercept_ = _initial("intercept_init", intercept_init, (rows,), X.dtype)

    def _learn(self, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        weights = sample_weights(sample_weight, X, all_zero_allowed=self.early_stopping)
        y = self.classes_[positions_of(y, self.classes_)]
        of_class = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        self.coef_ = self.coef_.copy()
        if len(self.classes_) == 2:
            source = check_random_state(self.random_state)
            source.randint(1, _SEEDS)  # scikit-learn's data set draws a seed that it never uses
            signs = _signs(y, self.classes_[1])
            held_out = self._held_out(signs, weights)
            seed = source.randint(_SEEDS)
            factors = numpy.where(signs > 0, of_class[1], of_class[0])
            run = (X, signs, weights, factors, held_out, seed, epochs)
            self.n_iter_, intercept = self._learn_one(self.coef_[0], self.intercept_[0], *run)
            self.intercept_ = numpy.atleast_1d(intercept)
        else:
            held_out = self._held_out(y, weights)
            sources = check_random_state(self.random_state).randint(_SEEDS, size=len(self.classes_))
            self.intercept_ = self.intercept_.copy()
            self.n_iter_ = 0
            for place, label in enumerate(self.classes_):
                source = check_random_state(sources[place])
                source.randint(1, _SEEDS)
                signs = _signs(y, label)
                factors = numpy.where(signs > 0, of_class[place], 1.0)
                run = (X, signs, weights, factors, held_out, source.randint(_SEEDS), epochs)
                used, intercept = self._learn_one(self.coef_[place], self.intercept_[place], *run)
                self.intercept_[place] = intercept
                self.n_iter_ = max(self.n_iter_, used)
        self.t_ += self.n_iter_ * X.shape[0]

    def _learn_one(
        self,
        coefficients: Any,
        intercept: float,
        X: Any,
        signs: Any,
        weights: Any,
        factors: Any,
        held_out: Any,
        seed: int,
        epochs: int,
    ) -> tuple[int, float]:
        """Learn one class against the others; the number of epochs and the intercept."""
        rule = PerceptronRule(
            X,
            signs,
            factors.astype(X.dtype) * weights,
            coefficients,
            intercept,
            eta0=self.eta0,
            fit_intercept=self.fit_intercept,
            penalty=self.penalty,
            alpha=self.alpha,
            l1_ratio=self.l1_ratio,
        )
        orders = EpochOrders(len(X), int(seed) if self.shuffle else None, held_out)
        score = None
        if held_out is not None:
            score = _ScoreOf(rule, X[held_out], signs[held_out], weights[held_out])
        settled = Settled(self.tol, self.n_iter_no_change, score)
        trainer = RuleTrainer(rule, orders.learning)
        listeners = [Report(), settled] if self.verbose else [settled]
        trainer.fit(orders, epochs=epochs, callbacks=listeners)
        rule.finish()
        return trainer.epoch, rule.intercept

    def _held_out(self, y: Any, weights: Any) -> Any:
        """Which samples are kept for the validation, or None."""
        if not self.early_stopping:
            return None
        splitter = StratifiedShuffleSplit(
            test_size=self.validation_fraction, random_state=self.random_state
        )
        _, chosen = next(splitter.split(numpy.zeros((len(y), 1)), y))
        if not (weights[chosen] > 0).any():
            raise ArgumentError(
                "The sample weights for validation set are all zero, consider using a different "
                "random state."
            )
        held_out = numpy.zeros(len(y), bool)
        held_out[chosen] = True
        return held_out


class RuleTrainer(Trainer):
    """The training loop where a batch is the order of an epoch and the rule itself learns."""

    def __init__(self, rule: PerceptronRule, samples: int) -> None:
        super().__init__(rule, optimizer=rule)
        self.samples = samples

    def train_batch(self, batch: Any) -> None:
        """Learn from the samples in this order; raises ArgumentError where the weights overflow."""
        self.model.epoch(batch)
        self.step += 1
        if not (
            math.isfinite(self.model.intercept) and numpy.isfinite(self.model.coefficients).all()
        ):
            raise ArgumentError(
                f"Floating-point under-/overflow occurred at epoch #{self.epoch + 1}. Scaling "
                "input data with StandardScaler or MinMaxScaler might help."
            )

    def logs(self) -> dict[str, float]:
        """The mean over the samples of loss plus penalty."""
        return {"loss": self.model.objective / self.samples}


class Settled(Callback):
    """Stops after `patience` epochs in a row whose loss, or score, is not better by `tol`."""

    def __init__(self, tol: float | None, patience: int, score: Any = None) -> None:
        self.tol = -math.inf if tol is None else tol
        self.patience = patience
        self.score = score
        self.best = math.inf
        self.waited = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Compare the epoch with the best before it."""
        value = logs["loss"] if self.score is None else -self.score()
        worse = value > self.best - self.tol
        self.waited = self.waited + 1 if self.tol > -math.inf and worse else 0
        self.best = min(self.best, value)
        if self.waited >= self.patience:
            self.trainer.stop_training = True


class _ScoreOf:
    """The accuracy of a rule on samples that it does not learn from.

    As in scikit-learn, the weights are taken without the scale of an L2 penalty.
    """

    def __init__(self, rule: PerceptronRule, X: Any, signs: Any, weights: Any) -> None:
        self.rule = rule
        self.X = X
        self.signs = signs
        self.weights = weights

    def __call__(self) -> float:
        scores = self.X @ self.rule.coefficients + self.rule.intercept
        found = numpy.where(scores > 0, 1.0, -1.0)
        return float(accuracy_score(self.signs, found, sample_weight=self.weights))


def _signs(y: Any, label: Any) -> Any:
    return numpy.where(y == label, 1.0, -1.0)


def _initial(name: str, value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    if value is None:
        return numpy.zeros(shape, dtype)
    array = numpy.array(value, dtype)
    if array.size != math.prod(shape) or (shape[0] > 1 and array.shape != shape):
        raise ArgumentError(
            f"Perceptron.fit(): {name} has shape {array.shape}; for this data it must be {shape}"
        )
    return array.reshape(shape)
