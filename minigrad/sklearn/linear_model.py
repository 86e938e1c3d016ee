"""Linear models, under the name of scikit-learn's module."""

from minigrad.sklearn.perceptron import Perceptron

__all__ = ["Perceptron"]
