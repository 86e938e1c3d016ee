"""Data sets as NumPy arrays, in Keras's shapes: each module has one function, `load_data()`."""

from minigrad.keras.datasets import cifar10, digits, fashion_mnist, homeprices, insurance, mnist

__all__ = ["cifar10", "digits", "fashion_mnist", "homeprices", "insurance", "mnist"]
