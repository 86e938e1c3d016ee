"""How an operation of minigrad becomes a function of keras.ops: arguments, axes, KerasTensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import minigrad
from minigrad import dtypes
from minigrad.graph import Traced
from minigrad.keras.config import floatx
from minigrad.keras.layers.weight import Weight
from minigrad.keras.symbolic import operation

__all__ = ["axes", "binary", "of_floats", "operation", "tensor", "unary"]


def tensor(x: Any, dtype: Any = None) -> Any:
    """A tensor of an array, a weight, a number, or nested lists: floats in keras's floatx."""
    if isinstance(x, Weight):
        x = x.value
    elif not isinstance(x, Traced):
        array = numpy.asarray(_plain(x))
        if not isinstance(x, (numpy.ndarray, numpy.generic)):
            if array.dtype.kind == "f":
                array = array.astype(floatx())
            elif array.dtype.kind in "iu":
                array = array.astype("int32")
        x = minigrad.tensor(array) if array.ndim == 0 else minigrad.from_numpy(_writeable(array))
    return x if dtype is None else x.to(dtypes.as_dtype(dtype, "keras.ops"))


def _plain(x: Any) -> Any:
    """Lists of tensors and numbers as lists of arrays."""
    if isinstance(x, (list, tuple)):
        return [_plain(part) for part in x]
    return x.detach().cpu().numpy() if isinstance(x, Traced) else x  # type: ignore[attr-defined]


def _writeable(array: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    return array if array.flags.writeable and array.dtype.kind in "bifc" else array.copy()


def of_floats(x: Any) -> Any:
    """A tensor of floats: whole numbers become keras's floatx, as its means want them."""
    x = tensor(x)
    return x.to(floatx()) if x._array.dtype.kind in "iub" else x


def axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a reduction as a tuple: all of them for None."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(axis) if isinstance(axis, (list, tuple)) else (axis,)


def unary(name: str, compute: Callable[[Any], Any], *, floats: bool = False) -> Callable[..., Any]:
    """`name(x)`: an operation of minigrad on one tensor, of floats where it says so."""
    take = of_floats if floats else tensor

    def function(x: Any) -> Any:
        return compute(take(x))

    return _named(function, name, compute)


def binary(
    name: str, compute: Callable[[Any, Any], Any], *, tensors: bool = False
) -> Callable[..., Any]:
    """`name(x1, x2)`: an operation of minigrad on two tensors, or a tensor and a number.

    With `tensors` the operation takes no number, so that one becomes a tensor like the other.
    """

    def function(x1: Any, x2: Any) -> Any:
        if not isinstance(x2, Traced) and (tensors or not _is_number(x2)):
            x2 = _like(x2, x1)
        if not isinstance(x1, Traced):
            x1 = _like(x1, x2)
        return compute(x1, x2)

    return _named(function, name, compute)


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex)) and not isinstance(x, numpy.generic)


def _like(x: Any, other: Any) -> Any:
    """A tensor of x; of a number in the dtype of the other, or floatx for a float beside ints."""
    if not _is_number(x) or _is_number(other):
        return tensor(x)
    other = tensor(other)
    whole = other._array.dtype.kind in "iub" and isinstance(x, float)
    return minigrad.tensor(x, dtype=dtypes.as_dtype(floatx()) if whole else other.dtype)


def _named(
    function: Callable[..., Any], name: str, compute: Callable[..., Any]
) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    said = (compute.__doc__ or "").strip().split("\n")[0]
    function.__doc__ = said or f"`{name}`, element by element."
    return operation(function)
