"""Whole Jacobians and Hessians: a walk back, or forward, mapped over the rows of an identity."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import prod
from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.func.level import as_tensor
from minigrad.func.pushforward import jvp
from minigrad.func.reverse import Linear, chosen, outputs_of, split_aux
from minigrad.func.trees import flatten, unflatten
from minigrad.func.vectorise import vmap
from minigrad.ops.index import narrow
from minigrad.ops.shape import movedim, reshape

__all__ = ["hessian", "jacfwd", "jacrev"]


def basis(tensors: list[Any]) -> list[Any]:
    """For each tensor a batch of directions; together they are the rows of an identity matrix."""
    total = sum(prod(tensor._array.shape) for tensor in tensors)
    made, start = [], 0
    for tensor in tensors:
        array = tensor._array
        count = prod(array.shape)
        rows = backend_of(array).xp.eye(total, count, -start, dtype=array.dtype)
        made.append(as_tensor(rows.reshape((total, *array.shape))))
        start += count
    return made


def _cut(rows: Any, tensors: list[Any]) -> list[Any]:
    """A batch of results, one part for the directions of each tensor, in that tensor's shape."""
    made, start = [], 0
    for tensor in tensors:
        shape = tuple(tensor._array.shape)
        part = narrow(rows, 0, start, prod(shape))
        made.append(reshape(part, (*shape, *rows._array.shape[1:])))
        start += prod(shape)
    return made


def jacrev(
    func: Callable[..., Any],
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func`, by one batched walk back.

    For an output of shape `[*out]` and an argument of shape `[*in]` it has shape `[*out, *in]`; for
    structures it is the output's structure of the argument's. `chunk_size` limits how many rows
    are computed at once. Cheaper than `jacfwd` where outputs are fewer than inputs.

    >>> import minigrad
    >>> jacrev(minigrad.sin)(minigrad.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_chunk("jacrev", chunk_size)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        picked, replaced = chosen(argnums, args, "jacrev")
        work = Linear(lambda values: func(*replaced(values), **kwargs), picked, "jacrev")
        result, aux = split_aux(work.result, "jacrev") if has_aux else (work.result, None)
        outputs, spec = outputs_of(result, "jacrev")
        rows = vmap(
            lambda *cotangents: work.back(outputs, list(cotangents), keep=True),
            chunk_size=chunk_size,
        )(*basis(outputs))
        flat, inner = flatten(rows)
        parts = [_cut(part, outputs) for part in flat]
        tree = unflatten([unflatten(column, inner) for column in zip(*parts)], spec)
        return (tree, work.released(aux)) if has_aux else tree

    return wrapper


def jacfwd(
    func: Callable[..., Any],
    argnums: Any = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that gives the Jacobian of `func`, by batched forward mode.

    Shapes and structures are those of `jacrev`. Cheaper than it where inputs are fewer than
    outputs, and nothing is kept for a walk back.

    >>> import minigrad
    >>> jacfwd(minigrad.exp)(minigrad.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_chunk("jacfwd", chunk_size)

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        picked, replaced = chosen(argnums, args, "jacfwd")
        flat, inner = flatten(picked)

        def push(*directions: Any) -> Any:
            found = jvp(
                lambda *values: func(*replaced(unflatten(values, inner)), **kwargs),
                tuple(flat),
                directions,
                has_aux=has_aux,
            )
            return (found[1], found[2]) if has_aux else found[1]

        places = (0, None) if has_aux else 0
        made = vmap(push, out_dims=places, randomness=randomness, chunk_size=chunk_size)(
            *basis(flat)
        )
        tangents, aux = made if has_aux else (made, None)
        rows, spec = flatten(tangents)
        columns = []
        for row in rows:
            parts = []
            for part, tensor in zip(_cut(row, flat), flat):
                lead = len(tensor._array.shape)
                count = part._array.ndim
                parts.append(movedim(part, tuple(range(lead)), tuple(range(count - lead, count))))
            columns.append(unflatten(parts, inner))
        tree = unflatten(columns, spec)
        return (tree, aux) if has_aux else tree

    return wrapper


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """A function that gives the Hessian of `func`: forward mode over a walk back.

    >>> import minigrad
    >>> hessian(lambda x: (x**3).sum())(minigrad.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def _check_chunk(operation: str, chunk_size: int | None) -> None:
    if chunk_size is not None and chunk_size < 1:
        raise ArgumentError(
            f"{operation}(): argument 'chunk_size' is {chunk_size!r}; it must be above zero"
        )
