"""Collections of samples: the base classes and the ways to build one from others."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Generic, TypeVar

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.graph import wrap
from minigrad.tensor import Tensor

T_co = TypeVar("T_co", covariant=True)


class Dataset(Generic[T_co]):
    """Samples by index: a subclass has `__getitem__(index)` and usually `__len__()`.

    Two optional methods make batches faster. `__getitems__(indices)` gives a list of samples at
    once. `gather(indices)` gives the finished batch, equal to `default_collate` of the samples;
    it is used with the default `collate_fn`, and only where no subclass overrides `__getitem__`.
    """

    def __getitem__(self, index: Any) -> T_co:
        raise NotImplementedError(
            f"{type(self).__name__} has no __getitem__(); write `def __getitem__(self, index): ...`"
        )

    def __add__(self, other: Dataset[Any]) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T_co]):
    """Samples as a stream: a subclass has `__iter__()`.

    With worker threads, each worker iterates the whole data set: use `get_worker_info()` in
    `__iter__` to give each worker its share.
    """

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(
            f"{type(self).__name__} has no __iter__(); write `def __iter__(self): ...`"
        )


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples that are the rows of tensors with the same first dimension.

    Raises ArgumentError when the first dimensions differ.

    >>> import minigrad
    >>> TensorDataset(minigrad.arange(3), minigrad.arange(3) * 10)[2]
    (tensor(2), tensor(20))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if not tensors:
            raise ArgumentError("TensorDataset(): give at least one tensor")
        for position, tensor in enumerate(tensors):
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"TensorDataset(): argument {position} is a {type(tensor).__name__}, not a "
                    "Tensor; convert it with minigrad.tensor(data)"
                )
            if tensor.ndim == 0:
                raise ArgumentError(
                    f"TensorDataset(): argument {position} has no dimensions, so it has no rows"
                )
        lengths = [tensor.shape[0] for tensor in tensors]
        if len(set(lengths)) > 1:
            raise ArgumentError(
                "TensorDataset(): the tensors need the same first dimension, but their shapes "
                f"are {', '.join(str(tuple(tensor.shape)) for tensor in tensors)}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def gather(self, indices: Sequence[int]) -> list[Tensor]:
        """The batch of these rows: one tensor for each tensor of the data set."""
        return [take_rows(tensor, indices) for tensor in self.tensors]

    def __len__(self) -> int:
        return self.tensors[0].shape[0]


class ConcatDataset(Dataset[Any]):
    """Data sets one after another. Raises ArgumentError for none, TypeError for a stream."""

    datasets: list[Dataset[Any]]
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable[Dataset[Any]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset(): datasets is empty; give at least one data set")
        for dataset in self.datasets:
            if isinstance(dataset, IterableDataset):
                raise TypeError("ConcatDataset(): an IterableDataset has no indices to join")
        self.cumulative_sizes = list(accumulate(_length(part) for part in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"index {index} is out of range for a data set of {len(self)} samples")
        part = bisect_right(self.cumulative_sizes, position)
        before = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][position - before]


class Subset(Dataset[T_co]):
    """The samples of another data set at the given indices."""

    dataset: Dataset[T_co]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def take_rows(tensor: Tensor, indices: Sequence[int]) -> Tensor:
    """`tensor[indices]` for whole numbers, without what indexing in general has to ask.

    Raises IndexError for a row that is not there.
    """
    rows = numpy.asarray(indices, dtype=numpy.int64)
    array = tensor._array
    if type(array) is numpy.ndarray and not tensor.requires_grad:
        return wrap(tensor, array.take(rows, axis=0))  # type: ignore[no-any-return]
    # A GPU does not look whether a row is there.
    total = tensor.shape[0]
    if len(rows) and not -total <= rows.min() <= rows.max() < total:
        raise IndexError(f"rows {indices} are not all among the {total} rows there are")
    return tensor[minigrad.from_numpy(rows).to(tensor.device)]  # type: ignore[no-any-return]


def gatherer(dataset: Any) -> Callable[[Sequence[int]], Any] | None:
    """The function from indices to a finished batch, where the data set has one.

    A `gather` speaks for its class: where a subclass overrides `__getitem__`, it is not used.
    """
    for kind in type(dataset).__mro__:
        if "gather" in vars(kind):
            return dataset.gather  # type: ignore[no-any-return]
        if kind is Subset:
            inner = gatherer(dataset.dataset)
            if inner is None:
                return None
            return lambda indices: inner([dataset.indices[i] for i in indices])
        if "__getitem__" in vars(kind):
            return None
    return None


def random_split(
    dataset: Dataset[T_co], lengths: Sequence[int | float], generator: Any = None
) -> list[Subset[T_co]]:
    """Split a data set at random into parts that do not overlap.

    `lengths` are numbers of samples that add up to all of them, or fractions that add up to 1
    (what is left after rounding down goes to the first parts, one each).
    Raises ArgumentError for lengths that do not add up.

    >>> import minigrad
    >>> parts = random_split(range(10), [0.8, 0.2], minigrad.Generator().manual_seed(0))
    >>> [len(part) for part in parts]
    [8, 2]
    """
    total = _length(dataset)
    sizes = _whole_sizes(total, list(lengths))
    order = minigrad.randperm(total, generator=generator).tolist()
    ends = list(accumulate(sizes))
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends)]


def _whole_sizes(total: int, lengths: list[int | float]) -> list[int]:
    if any(length < 0 for length in lengths):
        raise ArgumentError(f"random_split(): lengths must not be negative, got {lengths}")
    if lengths and all(length <= 1 for length in lengths) and math.isclose(sum(lengths), 1):
        sizes = [math.floor(total * fraction) for fraction in lengths]
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"random_split(): part {i} is empty: {lengths[i]} of {total} samples is none",
                    stacklevel=3,
                )
        return sizes
    if any(not isinstance(length, int) for length in lengths) or sum(lengths) != total:
        raise ArgumentError(
            f"random_split(): lengths {lengths} add up to {sum(lengths)}; they must add up to "
            f"the {total} samples of the data set, or be fractions that add up to 1"
        )
    return [int(length) for length in lengths]


def _length(dataset: Any) -> int:
    if not hasattr(dataset, "__len__"):
        raise TypeError(
            f"{type(dataset).__name__} has no length; write `def __len__(self): ...` in it"
        )
    return len(dataset)
