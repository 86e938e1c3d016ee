"""MNIST as arrays."""

from __future__ import annotations

import os

from minigrad.datasets import MNIST
from minigrad.keras.datasets.arrays import Pair, image_pairs

__all__ = ["load_data"]


def load_data(root: str | os.PathLike[str] | None = None) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test) of 28 x 28 handwritten digits, uint8.

    x has the shapes (60000, 28, 28) and (10000, 28, 28), y (60000,) and (10000,). The files
    are found, or downloaded, as `minigrad.datasets.MNIST` says.
    """
    return image_pairs(MNIST(root), MNIST(root, train=False))
