"""PyDataset: the base of a user's own data sets that give whole batches by their number."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError

__all__ = ["PyDataset", "Sequence"]


class PyDataset:
    """Batches by number: `__len__` says how many, `__getitem__(index)` gives `(x, y)`.

    `on_epoch_end` is called after each epoch. The batches are made one at a time in the process
    itself: `workers` and the two beside it are taken for the sake of listings and change nothing.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 2
    ...     def __getitem__(self, index):
    ...         return [[index]], [[index**2]]
    >>> Squares()[1]
    ([[1]], [[1]])
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def num_batches(self) -> int:
        """How many batches an epoch has."""
        return len(self)

    def __len__(self) -> int:
        raise ArgumentError(f"{type(self).__name__} has no __len__(self): the number of batches")

    def __getitem__(self, index: int) -> Any:
        raise ArgumentError(
            f"{type(self).__name__} has no __getitem__(self, index): a batch (x, y)"
        )

    def on_epoch_begin(self) -> None:
        """Before an epoch."""

    def on_epoch_end(self) -> None:
        """After an epoch."""


Sequence = PyDataset
