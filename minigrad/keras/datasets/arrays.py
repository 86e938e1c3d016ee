"""What the data sets of minigrad.datasets are as Keras's pairs of arrays."""

from __future__ import annotations

from typing import Any

import numpy

import minigrad
from minigrad.datasets import ImageDataset, TableDataset
from minigrad.errors import ArgumentError

__all__ = ["Pair", "image_pairs", "table_pairs"]

Pair = tuple[numpy.ndarray[Any, Any], numpy.ndarray[Any, Any]]


def image_pairs(train: ImageDataset, test: ImageDataset) -> tuple[Pair, Pair]:
    """Images and labels of both parts, uint8; the channels of coloured ones come last."""
    return _images(train), _images(test)


def _images(dataset: ImageDataset) -> Pair:
    images = dataset.data.numpy()
    if images.ndim == 4:
        images = numpy.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return images, dataset.targets.numpy().astype(numpy.uint8)


def table_pairs(table: TableDataset, test_split: float, seed: int) -> tuple[Pair, Pair]:
    """Rows (n, columns) and their targets (n,), float64: those to train on, and the rest.

    The rows are shuffled by `seed`. Raises ArgumentError unless 0 <= test_split < 1.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(
            f"load_data(): test_split is the part of the rows to test with, at least 0 and below "
            f"1, got {test_split}"
        )
    generator = minigrad.Generator().manual_seed(seed)
    rows = table.values[minigrad.randperm(len(table), generator=generator).numpy()]
    border = len(rows) - round(len(rows) * test_split)
    x, y = rows[:, :-1], rows[:, -1]
    return (x[:border], y[:border]), (x[border:], y[border:])
