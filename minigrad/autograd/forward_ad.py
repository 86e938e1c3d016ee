"""Forward mode with torch's lower names: `dual_level`, `make_dual`, `unpack_dual`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from minigrad.backend import levels
from minigrad.errors import ArgumentError, GraphError
from minigrad.func.forward import Forward
from minigrad.graph import Traced
from minigrad.ops.promotion import convert

__all__ = ["UnpackedDualTensor", "dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """A tensor's value and its tangent, None where it has none."""

    primal: Any
    tangent: Any


@contextlib.contextmanager
def dual_level() -> Iterator[Any]:
    """Inside, tensors may carry tangents, which every operation takes along.

    >>> import minigrad
    >>> with dual_level():
    ...     x = make_dual(minigrad.tensor(2.0), minigrad.tensor(1.0))
    ...     unpack_dual(x**3).tangent
    tensor(12.)
    """
    with Forward().running() as level:
        yield level


def _innermost(operation: str) -> Forward:
    level = levels.innermost()
    if not isinstance(level, Forward):
        raise GraphError(
            f"{operation}(): there is no dual level here; write `with dual_level(): ...` around it"
        )
    return level


def make_dual(tensor: Any, tangent: Any, *, level: Any = None) -> Any:
    """The tensor with a tangent of its own shape. Raises ArgumentError for another shape."""
    found = _innermost("make_dual") if level is None else level
    for name, value in (("tensor", tensor), ("tangent", tangent)):
        if not isinstance(value, Traced):
            raise TypeError(
                f"make_dual(): argument '{name}' must be a Tensor, not {type(value).__name__}"
            )
    if tensor._array.shape != tangent._array.shape:
        raise ArgumentError(
            f"make_dual(): argument 'tangent' has shape {list(tangent._array.shape)}, the tensor "
            f"{list(tensor._array.shape)}; they must be equal"
        )
    return found.dual(tensor, convert(tangent, tensor._array.dtype))


def unpack_dual(tensor: Any, *, level: Any = None) -> UnpackedDualTensor:
    """The value and the tangent of a tensor."""
    found = _innermost("unpack_dual") if level is None else level
    return UnpackedDualTensor(*found.split(tensor))
