"""The home prices as arrays."""

from __future__ import annotations

import os

from minigrad.datasets import HomePrices
from minigrad.keras.datasets.arrays import Pair, table_pairs

__all__ = ["load_data"]


def load_data(
    root: str | os.PathLike[str] | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    age: bool = False,
) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): area and bedrooms of homes, and their prices.

    x has the shape (n, 2), or (n, 3) with `age`. The rows are shuffled by `seed`; `test_split=0`
    keeps all for training. The file is found as `minigrad.datasets.HomePrices` says.
    """
    return table_pairs(HomePrices(root, age), test_split, seed)
