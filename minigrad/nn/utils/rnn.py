"""Sequences of different lengths: padded to one length, or packed step by step without padding."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple, Self

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.ops.creation import full
from minigrad.ops.data import as_tensor, tensor
from minigrad.ops.index import getitem, put

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]


class _Parts(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_Parts):
    """Sequences without padding: first the first steps of all, then the second ones, and so on.

    data [steps of all sequences, *]; batch_sizes says how many sequences have each step;
    sorted_indices is the order by length in which they are packed, unsorted_indices the way back,
    both None where they came in that order. Made by `pack_padded_sequence` and `pack_sequence`.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Any,
        batch_sizes: Any,
        sorted_indices: Any = None,
        unsorted_indices: Any = None,
    ) -> Self:
        """The parts; the way back follows from the order."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with its data on another device or in another dtype."""
        return type(self)(
            self.data.to(*args, **kwargs), self.batch_sizes, self.sorted_indices,
            self.unsorted_indices,
        )  # fmt: skip

    def double(self) -> PackedSequence:
        """The same in float64."""
        return self.to("float64")

    def float(self) -> PackedSequence:
        """The same in float32."""
        return self.to("float32")

    def cpu(self) -> PackedSequence:
        """The same in the host's memory."""
        return self.to(device="cpu")

    def cuda(self, device: Any = "cuda") -> PackedSequence:
        """The same in a GPU's memory."""
        return self.to(device=device)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is in a GPU's memory."""
        return bool(self.data.device.type == "cuda")


def invert_permutation(permutation: Any) -> Any:
    """The order that undoes an order; None for None."""
    return None if permutation is None else permutation.argsort()


def _counts(operation: str, lengths: Any) -> list[int]:
    values: list[int]
    values = as_tensor(lengths).reshape(-1).tolist()
    if not values or min(values) < 1:
        raise ArgumentError(
            f"{operation}(): argument 'lengths' must hold one length for each sequence, at least "
            f"1, got {values}"
        )
    return values


def _places(xp: Any, counts: list[int], steps: int) -> tuple[Any, Any]:
    """Step and sequence of every element of packed data, as raw index arrays."""
    return (xp.asarray(counts) > xp.arange(steps)[:, None]).nonzero()  # type: ignore[no-any-return]


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack sequences padded to one length: [steps, batch, *], or [batch, steps, *].

    With `enforce_sorted` they must come longest first; otherwise they are brought into that order,
    and `pad_packed_sequence` brings them back. Raises ArgumentError for lengths that do not fit.

    >>> import minigrad
    >>> packed = pack_padded_sequence(minigrad.tensor([[1, 3], [2, 0]]), [2, 1])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """
    operation = "pack_padded_sequence"
    if input.ndim < 2:
        raise ArgumentError(
            f"{operation}(): argument 'input' must have shape [steps, batch, *], got "
            f"{list(input.shape)}"
        )
    counts = _counts(operation, lengths)
    if batch_first:
        input = input.transpose(0, 1)
    steps, batch = input.shape[:2]
    if len(counts) != batch or max(counts) > steps:
        raise ArgumentError(
            f"{operation}(): argument 'lengths' must be {batch} lengths of at most {steps}, got "
            f"{counts}"
        )
    order = None
    if not enforce_sorted:
        chosen = sorted(range(batch), key=lambda place: -counts[place])
        order = tensor(chosen, device=input.device)
        counts = [counts[place] for place in chosen]
        input = input.index_select(1, order)
    elif any(a < b for a, b in pairwise(counts)):
        raise ArgumentError(
            f"{operation}(): argument 'lengths' must fall from the longest on, got {counts}; pass "
            f"enforce_sorted=False to have the sequences sorted"
        )
    xp = backend_of(input._array).xp
    data = getitem(input, index=_places(xp, counts, counts[0]))
    sizes = [sum(n > step for n in counts) for step in range(counts[0])]
    return PackedSequence(data, tensor(sizes), order)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Any, Any]:
    """The sequences padded to the longest, or to `total_length`, and their lengths.

    [steps, batch, *], or with batch_first [batch, steps, *]; in the order in which they were
    before packing. Raises ArgumentError for a `total_length` below the longest.
    """
    sizes = sequence.batch_sizes.tolist()
    longest = len(sizes)
    if total_length is None:
        total_length = longest
    if total_length < longest:
        raise ArgumentError(
            f"pad_packed_sequence(): argument 'total_length' is {total_length}, but the longest "
            f"sequence has {longest} steps"
        )
    counts = [sum(size > place for size in sizes) for place in range(sizes[0])]
    data = sequence.data
    shape = (total_length, sizes[0], *data.shape[1:])
    empty = full(shape, padding_value, dtype=data.dtype, device=data.device)
    xp = backend_of(data._array).xp
    padded = put(empty, data, index=_places(xp, counts, longest))
    lengths = tensor(counts)
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices.cpu()]
    return (padded.transpose(0, 1) if batch_first else padded), lengths


def pad_sequence(
    sequences: Iterable[Any],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:
    """Sequences [steps, *] side by side, padded to the longest: [steps, batch, *].

    With batch_first [batch, steps, *]; `padding_side` is "right" or "left".
    """
    given = list(sequences)
    if not given or not all(isinstance(each, Traced) for each in given):
        raise ArgumentError(
            "pad_sequence(): argument 'sequences' must be at least one Tensor, in a list"
        )
    if padding_side not in ("right", "left"):
        raise ArgumentError(
            f"pad_sequence(): argument 'padding_side' must be 'right' or 'left', got "
            f"{padding_side!r}"
        )
    first: Any = given[0]
    longest = max(len(each) for each in given)
    shape = (len(given), longest, *first.shape[1:])
    padded = full(shape, padding_value, dtype=first.dtype, device=first.device)
    for place, each in enumerate(given):
        start = longest - len(each) if padding_side == "left" else 0
        padded = put(padded, each, index=(place, slice(start, start + len(each))))
    return padded if batch_first else padded.transpose(0, 1)


def pack_sequence(sequences: Iterable[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences [steps, *]; see `pack_padded_sequence`."""
    given = list(sequences)
    lengths = [len(each) for each in given]
    return pack_padded_sequence(pad_sequence(given), lengths, enforce_sorted=enforce_sorted)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded batch, each as long as it is."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    counts = as_tensor(lengths).tolist()
    return [each[:count] for each, count in zip(padded_sequences, counts)]


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The sequences of a packed one, each as long as it is."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
