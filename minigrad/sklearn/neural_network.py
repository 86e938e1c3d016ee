"""MLPClassifier and MLPRegressor: any module of minigrad as an estimator of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

import minigrad
from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.sklearn.data import (
    check_several_classes,
    first_classes,
    positions_of,
    sample_weights,
    used_samples,
)
from minigrad.sklearn.learner import Learner

__all__ = ["MLPClassifier", "MLPRegressor"]

_TWO_CLASS_LOSSES = (nn.BCEWithLogitsLoss, nn.BCELoss)


def _gives_scores(estimator: Any) -> bool:
    """Whether the outputs are scores; for BCELoss they are probabilities."""
    return not isinstance(getattr(estimator, "loss_", None), nn.BCELoss)


class MLPClassifier(ClassifierMixin, Learner):  # type: ignore[misc]
    """A classifier that trains a network of minigrad.

    `module` is an nn.Module (each fit starts from a copy of it), its class or a function that
    makes one; without it the network has `hidden_layer_sizes` with `activation`, `dropout` and
    `batch_norm`, in the dtype of X. X is cast to the dtype of the module's parameters, or to
    `dtype` ("int64" for nn.Embedding), and may have more than two dimensions if a module is given.
    `loss` is CrossEntropyLoss unless named; with NLLLoss the network gives logarithms of
    probabilities, with BCEWithLogitsLoss or BCELoss one number for two classes. `optimizer` is the
    name or class of one in minigrad.optim, with `learning_rate` and `optimizer_options`.
    `callbacks` and `metrics` are those of minigrad.training.

    `validation_fraction` of the samples are held out and measured after every epoch; with
    `early_stopping` (then 0.1 of them by default) training ends after `n_iter_no_change` epochs
    that did not lower their loss by `tol`, and the best weights are restored. Sample weights are
    scaled to a mean of one, and samples of weight 0 left out.

    With an integer as `random_state`, `fit` does what this does, bit for bit::

        minigrad.manual_seed(random_state)
        model = module()
        optimizer = Adam(model.parameters(), lr=learning_rate)
        for epoch in range(max_epochs):
            for x, y in DataLoader(TensorDataset(X, y), batch_size, shuffle=True):
                optimizer.zero_grad()
                loss(model(x), y).backward()
                optimizer.step()

    and the user's own sequence of random numbers stands still; None draws from that. Fitted:
    `module_`, `optimizer_`, `classes_`, `history_` (name to numbers, epoch by epoch),
    `loss_curve_`, `best_loss_`, `validation_curve_` (losses) and `n_iter_`.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> classifier = MLPClassifier((16,), learning_rate=0.05, max_epochs=60, random_state=0)
    >>> classifier.fit(X, y).score(X, y) > 0.95
    True
    """

    classes_: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPClassifier:
        """Learn from X [n_samples, ...] and the labels y [n_samples].

        Raises ValueError for data or parameters that do not fit, and where the loss overflows.
        """
        self._check_parameters()
        X, y = self._validated(X, y, reset=True)
        X, y, weights = used_samples(X, y, sample_weight)
        classes = numpy.unique(y)
        check_several_classes(self, classes)
        going_on = self._goes_on() and numpy.array_equal(classes, self.classes_)
        self.classes_ = classes
        target = self._target(y)
        self._train(X, target, weights, self.max_epochs, going_on=going_on, stratify=target)
        return self

    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> MLPClassifier:
        """Learn for one epoch, going on from the weights there are; they are made at first.

        The first call names all `classes`. Raises ValueError as `fit` does, for labels that were
        not named, and with early_stopping.
        """
        self._check_parameters(partial=True)
        first = not hasattr(self, "classes_")
        X, y = self._validated(X, y, reset=first)
        first_classes(self, classes)
        check_several_classes(self, self.classes_)
        weights = None
        if sample_weight is not None:
            weights = sample_weights(sample_weight, X, numpy.float64)
        self._train(X, self._target(y), weights, 1, going_on=hasattr(self, "module_"))
        return self

    def predict(self, X: Any) -> Any:
        """The most likely class of each sample."""
        outputs = self._outputs(X)
        if outputs.shape[1] > 1:
            return self.classes_[outputs.argmax(axis=1)]
        middle = 0.5 if isinstance(self.loss_, nn.BCELoss) else 0.0
        return self.classes_[(outputs[:, 0] > middle).astype(numpy.int64)]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class [n_samples, n_classes], of the module's dtype."""
        outputs = minigrad.from_numpy(self._outputs(X))
        if isinstance(self.loss_, nn.NLLLoss):
            return outputs.exp().numpy()
        if isinstance(self.loss_, nn.BCELoss):
            return minigrad.cat([1 - outputs, outputs], dim=1).numpy()
        if outputs.shape[1] == 1:
            return minigrad.sigmoid(minigrad.cat([-outputs, outputs], dim=1)).numpy()
        return minigrad.softmax(outputs, dim=1).numpy()

    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of the probability of each class [n_samples, n_classes]."""
        return numpy.log(self.predict_proba(X))

    @available_if(_gives_scores)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """The scores of the classes [n_samples, n_classes]; for two of them, of the second's."""
        outputs = self._outputs(X)
        if outputs.shape[1] == 1:
            return outputs[:, 0]
        return outputs[:, 1] - outputs[:, 0] if outputs.shape[1] == 2 else outputs

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, reset=reset, **self._input_rules())
        check_classification_targets(y)
        return X, y

    def _target(self, y: Any) -> Any:
        """The place of each label among the classes, as the loss wants it."""
        self._start_loss(nn.CrossEntropyLoss)
        places = positions_of(y, self.classes_)
        if not isinstance(self.loss_, _TWO_CLASS_LOSSES):
            return places
        if len(self.classes_) != 2:
            raise ArgumentError(
                f"{type(self).__name__}: {type(self.loss_).__name__} is for two classes, but y has "
                f"{len(self.classes_)}; use loss='CrossEntropyLoss'"
            )
        return places.astype(numpy.float32).reshape(-1, 1)

    def _ending(self) -> tuple[int, Any]:
        """How many outputs the loss needs, and the layer that it expects at the end."""
        if isinstance(self.loss_, _TWO_CLASS_LOSSES):
            return 1, nn.Sigmoid() if isinstance(self.loss_, nn.BCELoss) else None
        last = nn.LogSoftmax(dim=1) if isinstance(self.loss_, nn.NLLLoss) else None
        return len(self.classes_), last

    def _check_output(self, output: Any, target: Any) -> Any:
        wanted = (len(target), self._ending()[0])
        if tuple(output.shape) != wanted:
            raise ArgumentError(
                f"{type(self).__name__}: the module gives {tuple(output.shape)} for "
                f"{len(target)} samples of {len(self.classes_)} classes; "
                f"{type(self.loss_).__name__} needs {wanted}, so its last layer must have "
                f"{wanted[1]} outputs"
            )
        return target


class MLPRegressor(RegressorMixin, Learner):  # type: ignore[misc]
    """A regressor that trains a network of minigrad; y may have several columns.

    The parameters and what is fitted are those of MLPClassifier; `loss` is MSELoss unless named.
    The target of the loss has as many columns as y, one for y of one dimension.

    >>> X = numpy.linspace(-1, 1, 100).reshape(-1, 1)
    >>> regressor = MLPRegressor((32,), "tanh", learning_rate=0.02, random_state=0)
    >>> regressor.fit(X, X[:, 0] ** 2 + X[:, 0]).score(X, X[:, 0] ** 2 + X[:, 0]) > 0.99
    True
    """

    _columns: int | None

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn from X [n_samples, ...] and the numbers y, [n_samples] or [n_samples, n_outputs].

        Raises ValueError for data or parameters that do not fit, and where the loss overflows.
        """
        self._check_parameters()
        X, y = self._validated(X, y, reset=True)
        X, y, weights = used_samples(X, y, sample_weight)
        going_on = self._goes_on() and self._columns == _columns(y)
        self._columns = _columns(y)
        self._start_loss(nn.MSELoss)
        self._train(X, y.reshape(len(y), -1), weights, self.max_epochs, going_on=going_on)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn for one epoch, going on from the weights there are; they are made at first.

        Raises ValueError as `fit` does, and with early_stopping.
        """
        self._check_parameters(partial=True)
        going_on = hasattr(self, "module_")
        X, y = self._validated(X, y, reset=not going_on)
        if going_on and self._columns != _columns(y):
            raise ArgumentError(
                f"{type(self).__name__}.partial_fit(): y has shape {y.shape}; in the call before "
                f"it had {self._columns or 'no'} columns"
            )
        self._columns = _columns(y)
        self._start_loss(nn.MSELoss)
        weights = None
        if sample_weight is not None:
            weights = sample_weights(sample_weight, X, numpy.float64)
        self._train(X, y.reshape(len(y), -1), weights, 1, going_on=going_on)
        return self

    def predict(self, X: Any) -> Any:
        """The numbers for each sample, shaped as y was, float64."""
        outputs = self._outputs(X).astype(numpy.float64)
        return outputs.reshape(-1) if self._columns is None else outputs.reshape(len(outputs), -1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        return validate_data(  # type: ignore[no-any-return]
            self, X, y, reset=reset, multi_output=True, y_numeric=True, **self._input_rules()
        )

    def _ending(self) -> tuple[int, Any]:
        return self._columns or 1, None

    def _check_output(self, output: Any, target: Any) -> Any:
        if tuple(output.shape) == tuple(target.shape):
            return target
        if self._ending()[0] == 1 and tuple(output.shape) == (len(target),):
            return target[:, 0]
        raise ArgumentError(
            f"{type(self).__name__}: the module gives {tuple(output.shape)} for a target of shape "
            f"{tuple(target.shape)}; its last layer must have {target.shape[1]} outputs"
        )


def _columns(y: Any) -> int | None:
    """The number of columns of y, None where it has one dimension."""
    return None if y.ndim == 1 else int(y.shape[1])
