"""Keras's small tools: labels, seeds, splits, padding, files."""

from __future__ import annotations

import random
from typing import Any

import numpy

import minigrad
from minigrad.keras.lookup import CUSTOM, custom_object_scope, register_keras_serializable
from minigrad.keras.naming import clear_session
from minigrad.keras.utils.batches import PyDataset, Sequence
from minigrad.keras.utils.files import get_file
from minigrad.keras.utils.labels import normalize, to_categorical
from minigrad.keras.utils.splitting import pad_sequences, split_dataset

__all__ = [
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "get_custom_objects",
    "get_file",
    "normalize",
    "pad_sequences",
    "register_keras_serializable",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]


def get_custom_objects() -> dict[str, Any]:
    """A user's own classes and functions by their names: a dict to read and to add to."""
    return CUSTOM


def set_random_seed(seed: int) -> None:
    """Seed all generators: `minigrad.manual_seed(seed)`, Python's `random` and `numpy.random`.

    >>> set_random_seed(1)
    """
    minigrad.manual_seed(seed)
    random.seed(seed)
    numpy.random.seed(seed % 2**32)  # noqa: NPY002 - listings draw their data from it
