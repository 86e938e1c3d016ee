"""Linear models, under the name of scikit-learn's module."""

from minigrad.sklearn.gradient_descent import LinearRegressionGD, LogisticRegressionGD
from minigrad.sklearn.perceptron import Perceptron

__all__ = ["LinearRegressionGD", "LogisticRegressionGD", "Perceptron"]
