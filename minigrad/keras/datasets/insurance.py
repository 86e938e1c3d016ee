"""The insurance table as arrays."""

from __future__ import annotations

import os

from minigrad.datasets import Insurance
from minigrad.keras.datasets.arrays import Pair, table_pairs

__all__ = ["load_data"]


def load_data(
    root: str | os.PathLike[str] | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    affordability: bool = False,
) -> tuple[Pair, Pair]:
    """(x_train, y_train), (x_test, y_test): ages, and who bought an insurance (1) or not (0).

    x has the shape (n, 1), or (n, 2) with `affordability`. The rows are shuffled by `seed`;
    `test_split=0` keeps all for training. The file is found as `minigrad.datasets.Insurance` says.
    """
    return table_pairs(Insurance(root, affordability), test_split, seed)
