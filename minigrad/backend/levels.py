"""Transforms that run now, and the arrays that stand for their values.

A transform such as `vmap` or `jvp` is a level. Inside it a tensor's raw array may be a `Lifted`,
which stands for a tensor of the level below and what this level adds to it. A primitive that meets
one hands itself to the highest level among its inputs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

LEVELS: list[Any] = []
"""The levels that are on in any thread; empty outside of transforms, where nothing is asked."""

stack: ContextVar[tuple[Any, ...]] = ContextVar("minigrad_levels", default=())
"""The levels around the work of this thread, the innermost last."""


def innermost() -> Any:
    """The innermost level around here; None outside of transforms."""
    found = stack.get()
    return found[-1] if found else None


class Lifted:
    """What stands in a tensor for its array inside a transform: a tensor of the level below."""

    __slots__ = ("__weakref__", "base", "level", "part", "value")

    level: Any
    value: Any
    part: Any
    base: Any


def highest(values: Iterable[Any]) -> Any:
    """The innermost level that made one of these values, or a value in them; None if none did."""
    found = None
    for array in lifted_in(values):
        if found is None or array.level.depth > found.depth:
            found = array.level
    return found


def lifted_in(values: Iterable[Any]) -> Iterator[Lifted]:
    """The arrays of levels among tensors, arrays, and tuples, lists and dicts of them."""
    for value in values:
        array = getattr(value, "_array", value)
        if isinstance(array, Lifted):
            yield array
        elif isinstance(value, (tuple, list)):
            yield from lifted_in(value)
        elif isinstance(value, dict):
            yield from lifted_in(value.values())


def bottom(array: Any) -> Any:
    """The raw array under all levels: every element of it, of whichever part of a batch."""
    while isinstance(array, Lifted):
        array = array.value._array
    return array


def readable(array: Any, how: str) -> Any:
    """The raw array whose elements are the same wherever they are asked for.

    Raises GraphError where they differ over a batch.
    """
    while isinstance(array, Lifted):
        array = array.level.read(array, how)
    return array


def of_arrays(function: F) -> F:
    """A function of raw arrays, through which no derivative goes, that takes transforms' as well.

    For what is written with more than operators: each transform calls it on what lies below.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if LEVELS:
            level = highest((args, kwargs))
            if level is not None:
                return level.raw(wrapper, args, kwargs)
        return function(*args, **kwargs)

    return wrapper  # type: ignore[return-value]
