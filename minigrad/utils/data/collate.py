"""From a list of samples to a batch of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """The samples joined along a new first dimension, field by field.

    Tensors, arrays and numbers become tensors (a Python float becomes float64); strings stay as
    they are; dicts, named tuples and lists keep their kind; a tuple becomes a list, as in torch.
    Raises ArgumentError for samples of different shapes or lengths and TypeError for other kinds.

    >>> default_collate([(1.0, 2), (3.0, 4)])
    [tensor([1., 3.], dtype=minigrad.float64), tensor([2, 4])]
    """
    first = batch[0]
    if isinstance(first, Tensor):
        _check_shapes(batch)
        return minigrad.stack(list(batch))
    if isinstance(first, numpy.ndarray):
        _check_shapes(batch)
        return minigrad.from_numpy(numpy.stack(batch))
    if isinstance(first, (bool, numpy.bool_)):
        return minigrad.tensor(list(batch))
    if isinstance(first, numpy.number):
        return minigrad.from_numpy(numpy.asarray(batch))
    if isinstance(first, float):
        return minigrad.tensor(batch, dtype=minigrad.float64)
    if isinstance(first, int):
        return minigrad.tensor(batch)
    if isinstance(first, (str, bytes)):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    raise TypeError(
        f"default_collate(): a sample holds a {type(first).__name__}; it must hold tensors, "
        "arrays, numbers, strings, dicts, tuples or lists. Give DataLoader a collate_fn for others"
    )


def _collate_sequences(batch: Sequence[Any]) -> Any:
    first = batch[0]
    lengths = sorted({len(sample) for sample in batch})
    if len(lengths) > 1:
        raise ArgumentError(
            f"default_collate(): the samples have different lengths, {lengths[0]} and "
            f"{lengths[-1]}; pad them, or give DataLoader a collate_fn"
        )
    fields = [default_collate(field) for field in zip(*batch)]
    return type(first)(*fields) if hasattr(first, "_fields") else fields


def _check_shapes(batch: Sequence[Any]) -> None:
    first = tuple(batch[0].shape)
    for sample in batch:
        if tuple(sample.shape) != first:
            raise ArgumentError(
                f"default_collate(): the samples have different shapes, {first} and "
                f"{tuple(sample.shape)}; pad them, or give DataLoader a collate_fn"
            )


def default_convert(data: Any) -> Any:
    """One sample with its arrays as tensors: what a loader without batches gives."""
    if isinstance(data, numpy.ndarray) and data.dtype.kind not in "SUOMm":
        return minigrad.from_numpy(data)
    if isinstance(data, (numpy.number, numpy.bool_)):
        return minigrad.tensor(data)
    if isinstance(data, Mapping):
        return {key: default_convert(value) for key, value in data.items()}
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return [default_convert(value) for value in data]
    return data
