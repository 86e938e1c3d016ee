"""Data divided in two, and sequences brought to one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.utils.data import Dataset, Subset

__all__ = ["pad_sequences", "split_dataset"]


class Rows(Dataset[Any]):
    """The rows of one array, or of several as tuples."""

    def __init__(self, arrays: Sequence[Any], alone: bool) -> None:
        self.arrays = arrays
        self.alone = alone
        lengths = {len(array) for array in arrays}
        if len(lengths) != 1:
            raise ArgumentError(
                f"split_dataset(): the arrays must have one length, got "
                f"{[len(array) for array in arrays]}"
            )

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> Any:
        rows = tuple(array[index] for array in self.arrays)
        return rows[0] if self.alone else rows


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Subset[Any], Subset[Any]]:
    """Two parts of a data set, an array, or a tuple or list of arrays of one length.

    A size is a number of samples, or the part of all as a float; one that is not given is the rest.
    `shuffle` draws by `seed`, or by the default generator. Raises ArgumentError where the sizes do
    not fit or a part would be empty.

    >>> left, right = split_dataset(numpy.arange(10), left_size=0.8)
    >>> len(left), [int(row) for row in right]
    (8, [8, 9])
    """
    if not isinstance(dataset, Dataset):
        several = isinstance(dataset, (tuple, list)) and not numpy.isscalar(dataset[0])
        arrays = dataset if several else [dataset]
        dataset = Rows([_array(array) for array in arrays], alone=not several)
    total = len(dataset)
    left, right = _sizes(total, left_size, right_size)
    order = list(range(total))
    if shuffle:
        generator = None if seed is None else minigrad.Generator().manual_seed(seed)
        order = minigrad.randperm(total, generator=generator).tolist()
    return Subset(dataset, order[:left]), Subset(dataset, order[total - right :])


def _array(value: Any) -> Any:
    return value if hasattr(value, "shape") else numpy.asarray(value)


def _sizes(total: int, left: float | None, right: float | None) -> tuple[int, int]:
    first, second = _count("left_size", left, total), _count("right_size", right, total)
    if first is None and second is None:
        raise ArgumentError("split_dataset(): say left_size, right_size or both")
    if first is None:
        first = total - (second or 0)
    if second is None:
        second = total - first
    if first < 1 or second < 1 or first + second > total:
        raise ArgumentError(
            f"split_dataset(): {total} samples cannot be split with left_size={left} and "
            f"right_size={right}; both parts need a sample, and {total} in all"
        )
    return first, second


def _count(name: str, size: float | None, total: int) -> int | None:
    """The number of samples that a size means."""
    if not isinstance(size, float):
        return size
    if not 0 < size < 1:
        raise ArgumentError(
            f"split_dataset(): {name} as a part of all must be between 0 and 1, got {size}"
        )
    return round(size * total)


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float = 0.0,
) -> Any:
    """The sequences as one array (n, maxlen, ...), filled up with `value` and cut.

    "pre" fills and cuts at the front, "post" at the end. Raises ArgumentError for something else,
    or for elements whose shapes differ.

    >>> pad_sequences([[1], [2, 3, 4]], maxlen=2)
    array([[0, 1],
           [3, 4]], dtype=int32)
    """
    for name, choice in (("padding", padding), ("truncating", truncating)):
        if choice not in ("pre", "post"):
            raise ArgumentError(f"pad_sequences(): {name} must be 'pre' or 'post', got {choice!r}")
    rows = [numpy.asarray(sequence, dtype) for sequence in sequences]
    if any(row.ndim == 0 for row in rows):
        raise ArgumentError("pad_sequences(): sequences must be a list of lists or of arrays")
    if maxlen is None:
        maxlen = max((len(row) for row in rows), default=0)
    shapes = {row.shape[1:] for row in rows if len(row)}
    if len(shapes) > 1:
        raise ArgumentError(
            f"pad_sequences(): the elements of the sequences have different shapes: "
            f"{sorted(shapes)}"
        )
    padded = numpy.full((len(rows), maxlen, *(shapes.pop() if shapes else ())), value, dtype)
    for place, row in zip(padded, rows):
        kept = row[max(len(row) - maxlen, 0) :] if truncating == "pre" else row[:maxlen]
        if padding == "post":
            place[: len(kept)] = kept
        else:
            place[maxlen - len(kept) :] = kept
    return padded
