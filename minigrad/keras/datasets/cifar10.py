"""CIFAR-10 as arrays."""

from __future__ import annotations

import os

from minigrad.datasets import CIFAR10
from minigrad.keras.datasets.arrays import Pair, image_pairs

__all__ = ["load_data"]


def load_data(
    root: str | os.PathLike[str] | None = None, subset: bool | None = None
) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test) of 32 x 32 coloured images, uint8.

    x has the shapes (50000, 32, 32, 3) and (10000, 32, 32, 3), y (50000, 1) and (10000, 1); with
    `subset=True` there are 4,000 and 1,000 of them, with None it depends on the files that there
    are. The files are found, or downloaded, as `minigrad.datasets.CIFAR10` says.
    """
    train = CIFAR10(root, subset=subset)
    test = CIFAR10(root, train=False, subset=train.subset)
    (x_train, y_train), (x_test, y_test) = image_pairs(train, test)
    return (x_train, y_train[:, None]), (x_test, y_test[:, None])
