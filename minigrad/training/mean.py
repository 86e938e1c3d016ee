"""The running mean of a loss that lives on a device."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import ndarray, to_numpy
from minigrad.errors import ArgumentError

__all__ = ["RunningMean"]


class RunningMean:
    """A weighted mean in float64; nothing leaves the device until it is read.

    >>> import minigrad
    >>> mean = RunningMean()
    >>> mean.add(minigrad.tensor(1.0), 3)
    >>> mean.add(minigrad.tensor(5.0), 1)
    >>> mean.compute()
    2.0
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.total: Any = 0.0
        self.count = 0

    def add(self, value: Any, count: int) -> None:
        """Count a tensor with one element `count` times; ArgumentError for anything else."""
        array = getattr(value, "_array", None)
        if array is None or array.size != 1:
            given = type(value).__name__ if array is None else f"a tensor {tuple(array.shape)}"
            raise ArgumentError(
                f"the loss must give a tensor with one element, got {given}; take the mean over "
                "the batch"
            )
        on_host = type(array) is ndarray
        self.total = self.total + (array.item() if on_host else array.astype("float64")) * count
        self.count += count

    def compute(self) -> float:
        """The mean; not a number where nothing was added."""
        if not self.count:
            return math.nan
        total = self.total if isinstance(self.total, float) else to_numpy(self.total)
        return float(total) / self.count
