"""What linear classifiers share: scores from `coef_` and `intercept_`, and the chosen class."""

from __future__ import annotations

from typing import Any

import numpy
from sklearn.utils.validation import check_is_fitted, validate_data


class LinearDecision:
    """Scores and predictions of an estimator with `coef_`, `intercept_` and `classes_`."""

    coef_: Any
    intercept_: Any
    classes_: Any

    def decision_function(self, X: Any) -> Any:
        """The scores of the classes [n_samples, n_classes].

        For two classes [n_samples]: how much speaks for the second, which is chosen above zero.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        scores = X @ self.coef_.T + self.intercept_
        return scores.reshape(-1) if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """The most likely class of each sample."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(numpy.int64) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[chosen]
