"""`vmap`: a function of one sample made a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.func.batch import Batch, expanded
from minigrad.func.trees import broadcast_tree, flatten, unflatten
from minigrad.graph import Traced
from minigrad.ops.index import narrow
from minigrad.ops.join import cat
from minigrad.ops.shape import movedim

__all__ = ["vmap"]


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over a dimension of its arguments, all places at once.

    `in_dims` says which dimension of each argument is mapped over, None for one that is the same
    throughout; `out_dims` where it goes in the outputs. Random operations raise GraphError unless
    `randomness` is 'different' or 'same'. `chunk_size` limits how many places run at once.
    Keyword arguments are not mapped over.

    >>> import minigrad
    >>> rows, vector = minigrad.eye(2), minigrad.tensor([3.0, 4.0])
    >>> vmap(minigrad.dot, in_dims=(0, None))(rows, vector)
    tensor([3., 4.])
    """
    if randomness not in ("error", "different", "same"):
        raise ArgumentError(
            f"vmap(): argument 'randomness' is {randomness!r}; it is 'error', 'different' or 'same'"
        )
    if chunk_size is not None and chunk_size < 1:
        raise ArgumentError(f"vmap(): argument 'chunk_size' is {chunk_size}; it must be above zero")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        flat, spec = flatten(args)
        given = list(in_dims) if isinstance(in_dims, list) else in_dims
        dims = broadcast_tree(given, args, "vmap", "in_dims")
        dims = [_checked(leaf, dim) for leaf, dim in zip(flat, dims, strict=True)]
        size = _batch_size(flat, dims)

        def run(leaves: list[Any], count: int) -> Any:
            return _run(func, leaves, dims, spec, count, out_dims, randomness, kwargs)

        if chunk_size is None or chunk_size >= size:
            return run(flat, size)[0]
        pieces = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            part = [
                leaf if dim is None else narrow(leaf, dim, start, count)
                for leaf, dim in zip(flat, dims)
            ]
            pieces.append(run(part, count))
        places = pieces[0][1]
        parts = [flatten(piece[0])[0] for piece in pieces]
        joined = [
            outputs[0] if place is None else cat(list(outputs), place)
            for outputs, place in zip(zip(*parts), places, strict=True)
        ]
        return unflatten(joined, flatten(pieces[0][0])[1])

    return wrapper


def _checked(leaf: Any, dim: Any) -> int | None:
    """The dimension of one argument to map over, counted from the front."""
    if dim is None:
        return None
    if not isinstance(dim, int):
        raise ArgumentError(f"vmap(): argument 'in_dims' holds {dim!r}; give integers or None")
    if not isinstance(leaf, Traced):
        raise ArgumentError(
            f"vmap(): argument 'in_dims' is {dim} for an argument that is no Tensor but "
            f"{type(leaf).__name__}; give None for it"
        )
    count = leaf._array.ndim
    if not -count <= dim < count:
        raise ArgumentError(
            f"vmap(): argument 'in_dims' is {dim} for a tensor of shape "
            f"{list(leaf._array.shape)}, which has no such dimension"
        )
    return int(dim % count)


def _batch_size(flat: list[Any], dims: list[int | None]) -> int:
    sizes = [leaf._array.shape[dim] for leaf, dim in zip(flat, dims) if dim is not None]
    if not sizes:
        raise ArgumentError(
            "vmap(): no argument is mapped over; give at least one Tensor whose entry of 'in_dims' "
            "is not None"
        )
    if len(set(sizes)) > 1:
        raise ArgumentError(
            f"vmap(): the arguments have different sizes in the dimensions mapped over: {sizes}"
        )
    return sizes[0]  # type: ignore[no-any-return]


def _run(
    func: Callable[..., Any],
    leaves: list[Any],
    dims: list[int | None],
    spec: Any,
    size: int,
    out_dims: Any,
    randomness: str,
    kwargs: Any,
) -> tuple[Any, list[int | None]]:
    """One run on a whole batch: the result, and where the batch is in each of its tensors."""
    moved = [
        leaf if dim is None else (movedim(leaf, dim, 0) if dim else leaf)
        for leaf, dim in zip(leaves, dims)
    ]
    level = Batch(size, randomness)
    with level.running():
        inputs = [leaf if dim is None else level.batched(leaf) for leaf, dim in zip(moved, dims)]
        result = func(*unflatten(inputs, spec), **kwargs)
    outputs, shape = flatten(result)
    places = broadcast_tree(out_dims, result, "vmap", "out_dims")
    found = [_output(level, output, place) for output, place in zip(outputs, places, strict=True)]
    return unflatten([value for value, _ in found], shape), [place for _, place in found]


def _output(level: Batch, output: Any, place: Any) -> tuple[Any, int | None]:
    if not isinstance(output, Traced):
        raise ArgumentError(
            f"vmap(): the function must return Tensors, alone or in a structure; it returned "
            f"{type(output).__name__}"
        )
    if place is None:
        value, batched = level.whole(output)
        if batched:
            raise ArgumentError(
                "vmap(): argument 'out_dims' is None for an output that differs over the batch; "
                "give the dimension where the batch goes"
            )
        return value, None
    value = expanded(level, output)
    count = value._array.ndim
    if not -count <= place < count:
        raise ArgumentError(
            f"vmap(): argument 'out_dims' is {place} for an output of {count} dimensions with the "
            f"batch"
        )
    place = place % count
    return (movedim(value, 0, place) if place else value), place
