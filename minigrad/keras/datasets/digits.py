"""The digits that come with the package as arrays."""

from __future__ import annotations

from minigrad.datasets import Digits
from minigrad.keras.datasets.arrays import Pair, image_pairs

__all__ = ["load_data"]


def load_data() -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test) of 8 x 8 handwritten digits with 17 shades, uint8.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_train.shape, x_test.shape, int(x_train.max())
    ((1442, 8, 8), (1442,), (355, 8, 8), 16)
    """
    return image_pairs(Digits(), Digits(train=False))
