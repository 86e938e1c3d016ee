"""scikit-learn's face: estimators that train minigrad's modules; scikit-learn must be installed."""

from minigrad.extras import require

require("sklearn", "minigrad.sklearn")

# isort: split
# After the check, so that what is missing is told in words that help.
from minigrad.sklearn.linear_model import (  # noqa: E402
    LinearRegressionGD,
    LogisticRegressionGD,
    Perceptron,
)
from minigrad.sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402

__all__ = [
    "LinearRegressionGD",
    "LogisticRegressionGD",
    "MLPClassifier",
    "MLPRegressor",
    "Perceptron",
]
