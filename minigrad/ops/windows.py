"""The arguments of operations on windows (kernel sizes, strides, paddings): read and checked."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced

Sizes = tuple[int, ...]


def per_dimension(operation: str, name: str, value: Any, count: int, least: int) -> Sizes:
    """An argument given once, or once for each of `count` dimensions, as a tuple of ints.

    Raises ArgumentError for another number of values or one below `least`.
    """
    if type(value) is int:
        values: Sizes = (value,) * count
    else:
        given = value if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
        try:
            values = tuple(index(item) for item in given)
        except TypeError:
            raise TypeError(
                f"{operation}(): argument '{name}' must be an integer or a tuple of {count} "
                f"integers, got {value!r}"
            ) from None
        if len(values) == 1:
            values *= count
        if len(values) != count:
            raise ArgumentError(
                f"{operation}(): argument '{name}' must be one integer or {count}, "
                f"got {len(values)}: {values}"
            )
    if min(values) < least:
        raise ArgumentError(
            f"{operation}(): argument '{name}' must be at least {least}, got {value}"
        )
    return values


def batched(operation: str, input: Any, count: int, layout: str) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether it came with one.

    `layout` names the dimensions that a batched input has, such as "N, C, H, W".

    Raises ArgumentError unless the input has `count + 2` dimensions, or `count + 1`.
    """
    if not hasattr(input, "ndim"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    if input.ndim == count + 2:
        return input, True
    if input.ndim == count + 1:
        return input[None], False
    unbatched = layout.partition(", ")[2]
    raise ArgumentError(
        f"{operation}(): argument 'input' must have shape ({layout}) or ({unbatched}), got "
        f"{list(input.shape)}; add a dimension of size 1 with input.unsqueeze(...), or reshape it"
    )


LAYOUTS = ("N, C", "N, C, L", "N, C, H, W", "N, C, D, H, W")
"""The dimensions of a batched input by the number of its spatial dimensions, as in torch."""


def raw(value: Any) -> Any:
    """The raw array of a Tensor; anything else itself."""
    return value._array if isinstance(value, Traced) else value


def same_dtype(operation: str, input: Any, **others: Any) -> None:
    """Raise DtypeError unless the other arguments, where given, have the input's dtype."""
    dtype = input.dtype
    for name, other in others.items():
        if other is not None and other.dtype != dtype:
            raise DtypeError(
                f"{operation}(): argument 'input' is {dtype} and argument '{name}' is "
                f"{other.dtype}; convert one, for example input.to({name}.dtype)"
            )
