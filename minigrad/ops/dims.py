"""Dimension and size arguments: checked, and negative ones counted from the end."""

from __future__ import annotations

from operator import index
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import Traced


def wrap_dim(operation: str, dim: Any, ndim: int, name: str = "dim") -> int:
    """One dimension, counted from the front; a 0-d tensor is taken as 1-d.

    Raises IndexError when it is out of range, TypeError when it is no integer.
    """
    if type(dim) is not int:
        dim = _integer(operation, dim, name)
    count = ndim or 1
    if -count <= dim < count:
        return dim if dim >= 0 else dim + count  # type: ignore[no-any-return]
    raise IndexError(
        f"{operation}(): argument '{name}' is {dim}, but a tensor of {ndim} dimensions has only "
        f"dimensions {-count} to {count - 1}"
    )


def wrap_dims(operation: str, dims: Any, ndim: int, name: str = "dim") -> tuple[int, ...]:
    """Dimensions given as one integer or a sequence, counted from the front.

    Raises as `wrap_dim` does, and ArgumentError when one is given twice.
    """
    if isinstance(dims, (tuple, list)):
        wrapped = tuple(wrap_dim(operation, dim, ndim, name) for dim in dims)
        if len(set(wrapped)) != len(wrapped):
            raise ArgumentError(
                f"{operation}(): argument '{name}' names a dimension twice: {tuple(dims)}"
            )
        return wrapped
    return (wrap_dim(operation, dims, ndim, name),)


def sizes(operation: str, given: tuple[Any, ...], name: str = "size") -> tuple[int, ...]:
    """The sizes that a call gave as one sequence or one by one: `f(2, 3)`, `f((2, 3))`."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = tuple(given[0])
    for size in given:
        if type(size) is not int:
            return tuple(_integer(operation, size, name) for size in given)
    return given


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a Tensor or array as a plain tuple."""
    raw: Any = value._array if isinstance(value, Traced) else value
    return raw.shape  # type: ignore[no-any-return]


def _integer(operation: str, value: Any, name: str) -> int:
    if isinstance(value, Traced):
        value = value._array.item() if value._array.size == 1 else value
    try:
        if not isinstance(value, bool):
            return index(value)
    except TypeError:
        pass
    raise TypeError(
        f"{operation}(): argument '{name}' must be an integer or integers, not "
        f"{type(value).__name__}"
    )
