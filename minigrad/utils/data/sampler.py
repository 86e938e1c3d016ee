"""Orders in which a data set is read: iterables of indices, and of lists of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from itertools import islice
from typing import Any, Generic, TypeVar

import minigrad
from minigrad.errors import ArgumentError

T_co = TypeVar("T_co", covariant=True)


class Sampler(Generic[T_co]):
    """An order: a subclass has `__iter__()`, and `__len__()` where the number is known."""

    def __iter__(self) -> Iterator[T_co]:
        raise NotImplementedError(
            f"{type(self).__name__} has no __iter__(); write `def __iter__(self): ...`"
        )


class SequentialSampler(Sampler[int]):
    """From first to last."""

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A new random order each time; with `replacement`, independent draws.

    `num_samples` (by default one for each sample of the data set) may go beyond the data set:
    without replacement it is then read several times, each time in another order.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Any = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler(): replacement must be a bool, got {replacement!r}")
        if num_samples is not None:
            _check_count("RandomSampler", "num_samples", num_samples)
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator

    @property
    def num_samples(self) -> int:
        """How many indices one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        total, left = len(self.data_source), self.num_samples
        if left and not total:
            raise ArgumentError(
                f"RandomSampler(): cannot draw {left} samples from an empty data set"
            )
        if self.replacement:
            drawn = minigrad.randint(total, (left,), generator=self.generator) if left else None
            yield from [] if drawn is None else drawn.tolist()
            return
        while left > 0:
            order = minigrad.randperm(total, generator=self.generator).tolist()
            yield from order[:left]
            left -= total

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a new random order each time."""

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in minigrad.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices drawn with probabilities in proportion to `weights`, shape (n,).

    Raises ArgumentError for weights that are not one row of finite, non-negative numbers, and
    for more samples than positive weights without replacement.

    >>> list(WeightedRandomSampler([0.0, 1.0], 3))
    [1, 1, 1]
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        _check_count("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise TypeError(
                f"WeightedRandomSampler(): replacement must be a bool, got {replacement!r}"
            )
        self.weights = minigrad.as_tensor(weights, dtype=minigrad.float64)
        if self.weights.ndim != 1:
            raise ArgumentError(
                "WeightedRandomSampler(): weights must have one dimension, got shape "
                f"{tuple(self.weights.shape)}"
            )
        values = self.weights.tolist()
        if not all(0 <= value < float("inf") for value in values) or not any(values):
            raise ArgumentError(
                "WeightedRandomSampler(): weights must be finite, not negative and not all zero"
            )
        possible = sum(value > 0 for value in values)
        if not replacement and num_samples > possible:
            raise ArgumentError(
                f"WeightedRandomSampler(): cannot draw {num_samples} samples without replacement: "
                f"{possible} weights are positive"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = minigrad.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of another sampler; `drop_last` leaves a shorter last one out.

    >>> list(BatchSampler(SequentialSampler(range(5)), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_count("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise TypeError(f"BatchSampler(): drop_last must be a bool, got {drop_last!r}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        total = len(self.sampler)  # type: ignore[arg-type]
        return total // self.batch_size if self.drop_last else -(-total // self.batch_size)


def _check_count(owner: str, name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError(f"{owner}(): {name} must be a positive integer, got {value!r}")
