"""All tuples that can be made of the elements of vectors."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.ops.expand import meshgrid
from minigrad.ops.gather import raw_of
from minigrad.ops.index import getitem
from minigrad.ops.join import stack
from minigrad.ops.shape import flatten, reshape, unpacked

__all__ = ["cartesian_prod", "combinations"]


def cartesian_prod(*tensors: Any) -> Any:
    """All tuples of one element of each vector, a row each, as `itertools.product` gives them.

    Raises ArgumentError unless all are vectors of one dtype.

    >>> import minigrad
    >>> minigrad.cartesian_prod(minigrad.tensor([1, 2]), minigrad.tensor([4, 5]))
    tensor([[1, 4],
            [1, 5],
            [2, 4],
            [2, 5]])
    """
    given = unpacked(tensors)
    for tensor in given:
        if tensor.ndim != 1:
            raise ArgumentError(
                f"cartesian_prod(): argument 'tensors' must hold vectors, one has shape "
                f"{list(tensor.shape)}"
            )
    if len(given) == 1:
        return given[0]
    return stack([flatten(grid) for grid in meshgrid(*given, indexing="ij")], 1)


def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """All ways to choose `r` elements of a vector, a row each, in the order of `itertools`.

    Raises ArgumentError for another input than a vector, or a negative `r`.

    >>> import minigrad
    >>> minigrad.combinations(minigrad.tensor([1, 2, 3]))
    tensor([[1, 2],
            [1, 3],
            [2, 3]])
    """
    if input.ndim != 1:
        raise ArgumentError(
            f"combinations(): argument 'input' must be a vector, it has shape {list(input.shape)}"
        )
    if r < 0:
        raise ArgumentError(f"combinations(): argument 'r' is {r}; it cannot be below zero")
    count = input.shape[0]
    if not r:
        return reshape(getitem(input, index=(slice(0, 0),)), (0,))
    xp = backend_of(raw_of(input)).xp
    rows = xp.arange(count).reshape(count, 1)
    for _ in range(r - 1):
        # Each row goes on with every element from its last one (or the next) to the end.
        first = rows[:, -1] + (0 if with_replacement else 1)
        counts = (count - first).tolist()
        rows = xp.repeat(xp.concatenate((rows, first[:, None]), axis=1), counts, axis=0)
        places = xp.cumsum(count - first) - (count - first)
        steps = xp.arange(len(rows)) - xp.repeat(places, counts)
        rows[:, -1] += steps
    return getitem(input, index=(rows,))
