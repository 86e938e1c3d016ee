"""Looking rows up in a table, and the bilinear map of two inputs."""

from __future__ import annotations

from typing import Any

from minigrad import kernels, mutation
from minigrad.backend import namespace
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import primitive
from minigrad.ops.elementwise import mul
from minigrad.ops.matmul import linear
from minigrad.ops.shape import reshape
from minigrad.ops.windows import raw

__all__: list[str] = []


@primitive(
    input=lambda g, index, shape, padding, by_frequency: take_rows_grad(
        g, index=index, rows=shape[0], padding=padding, by_frequency=by_frequency
    )
)
def take_rows(xp: Any, input: Any, *, index: Any, padding: int | None, by_frequency: bool) -> Any:
    """The rows of a table at an array of positions."""
    return kernels.take_rows(xp, input, index)


@primitive(
    input=lambda g, index, padding, by_frequency: take_rows(
        _weigh_rows(g, index=index, padding=padding, by_frequency=by_frequency),
        index=index,
        padding=None,
        by_frequency=False,
    )
)
def take_rows_grad(
    xp: Any, input: Any, *, index: Any, rows: int, padding: int | None, by_frequency: bool
) -> Any:
    """The transpose of `take_rows`: a table of zeros with rows added at positions.

    The row `padding` stays zero; `by_frequency` divides each row by how often it was taken.
    """
    values = input.reshape(-1, input.shape[-1])
    out = kernels.sum_rows(xp, values, index.reshape(-1), rows)
    return _weighed(xp, out, index, padding, by_frequency)


@primitive(
    input=lambda g, index, padding, by_frequency: _weigh_rows(
        g, index=index, padding=padding, by_frequency=by_frequency
    )
)
def _weigh_rows(xp: Any, input: Any, *, index: Any, padding: int | None, by_frequency: bool) -> Any:
    return _weighed(xp, input.copy(), index, padding, by_frequency)


def _weighed(xp: Any, table: Any, index: Any, padding: int | None, by_frequency: bool) -> Any:
    """The table with its padding row zero and its rows divided by how often they were taken."""
    if padding is not None:
        table[padding] = 0
    if by_frequency:
        counts = xp.bincount(index.reshape(-1), minlength=len(table))
        table /= xp.maximum(counts, 1).astype(table.dtype)[:, None]
    return table


def embedding(
    input: Any,
    weight: Any,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` (entries, width) at the integers of `input`, of any shape.

    The row `padding_idx` gets no gradient. Rows used whose `norm_type`-norm exceeds `max_norm` are
    scaled down to it in place first. `sparse` is accepted and gives the same, dense, gradient.

    Raises IndexError naming an index that is no row, DtypeError for indices that are no integers.
    """
    index, table = raw(input), raw(weight)
    if getattr(table, "ndim", None) != 2:
        raise ArgumentError(
            f"embedding(): argument 'weight' must have shape (entries, width), got "
            f"{list(getattr(table, 'shape', ()))}"
        )
    if not hasattr(index, "dtype"):
        raise TypeError(
            f"embedding(): argument 'input' must be a Tensor of integers, not "
            f"{type(input).__name__}"
        )
    if index.dtype.kind not in "iu":
        raise DtypeError(
            f"embedding(): argument 'input' must be integers, the rows to take, got {index.dtype}; "
            f"convert it, for example input.long()"
        )
    entries = len(table)
    if not rows_exist(index, entries):
        raise _no_row(index, entries)
    if padding_idx is not None:
        if not -entries <= padding_idx < entries:
            raise ArgumentError(
                f"embedding(): argument 'padding_idx' is {padding_idx}, but 'weight' has only "
                f"{entries} rows"
            )
        padding_idx %= entries
    if max_norm is not None:
        _limit_norms(table, index, max_norm, norm_type)
    return take_rows(
        weight, index=index, padding=padding_idx, by_frequency=bool(scale_grad_by_freq)
    )


def _no_row(index: Any, entries: int) -> IndexError:
    """The error for an index that is no row: which, and where it stands."""
    wrong = ((index < 0) | (index >= entries)).reshape(-1)
    at = int(wrong.argmax())
    value = int(index.reshape(-1)[at])
    place: list[int] = []
    for size in reversed(index.shape):
        at, rest = divmod(at, size)
        place.insert(0, rest)
    return IndexError(
        f"embedding(): argument 'input' has the index {value} at position {place}, but 'weight' "
        f"has only the rows 0 to {entries - 1}"
    )


def _limit_norms(table: Any, index: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows that will be taken down to a norm, in place."""
    xp = namespace("embedding", weight=table)
    rows = xp.unique(index)
    taken = table[rows]
    if taken.dtype.itemsize == 2:
        taken = taken.astype("float32")
    norms = (abs(taken) ** norm_type).sum(1) ** (1 / norm_type)
    factors = xp.where(norms > max_norm, max_norm / (norms + 1e-7), 1).astype(taken.dtype)
    table[rows] = taken * factors[:, None]
    mutation.touch(table, "embedding")


def rows_exist(index: Any, entries: int) -> bool:
    """Whether all numbers of a raw array name rows of a table of so many entries."""
    return not index.size or (int(index.max()) < entries and int(index.min()) >= 0)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """x1 @ weight[k] @ x2 for each k, for inputs (..., A), (..., B) and a weight (K, A, B).

    Raises ArgumentError for shapes that do not fit.
    """
    if (
        weight.ndim != 3
        or tuple(input1.shape[:-1]) != tuple(input2.shape[:-1])
        or tuple(weight.shape[1:]) != (input1.shape[-1], input2.shape[-1])
    ):
        raise ArgumentError(
            f"bilinear(): arguments 'input1', 'input2' and 'weight' must have shapes (..., A), "
            f"(..., B) and (K, A, B), got {list(input1.shape)}, {list(input2.shape)} and "
            f"{list(weight.shape)}"
        )
    count, first, second = weight.shape
    pairs = mul(reshape(input1, (-1, first, 1)), reshape(input2, (-1, 1, second)))
    flat = reshape(pairs, (-1, first * second))
    out = linear(flat, reshape(weight, (count, first * second)), bias)
    return reshape(out, (*input1.shape[:-1], count))
