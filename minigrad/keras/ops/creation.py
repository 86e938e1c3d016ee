"""keras.ops that make tensors, or turn them into arrays and back."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad import dtypes
from minigrad.graph import Traced
from minigrad.keras.config import floatx
from minigrad.keras.layers.weight import Weight
from minigrad.keras.ops.translate import operation, tensor
from minigrad.keras.symbolic import KerasTensor

__all__ = [
    "arange", "array", "convert_to_numpy", "convert_to_tensor", "copy", "empty", "eye", "full",
    "full_like", "identity", "is_tensor", "linspace", "ones", "ones_like", "stop_gradient", "tri",
    "zeros", "zeros_like",
]  # fmt: skip


def _kind(dtype: Any) -> Any:
    return dtypes.as_dtype(floatx() if dtype is None else dtype, "keras.ops")


def _lengths(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (list, tuple)) else (int(shape),)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Zeros in this shape."""
    return minigrad.zeros(_lengths(shape), dtype=_kind(dtype))


def ones(shape: Any, dtype: Any = None) -> Any:
    """Ones in this shape."""
    return minigrad.ones(_lengths(shape), dtype=_kind(dtype))


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in this shape."""
    return minigrad.full(_lengths(shape), fill_value, dtype=_kind(dtype))


empty = zeros


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """N rows with ones on the k-th diagonal and zeros elsewhere."""
    columns = N if M is None else M
    if k == 0:
        return minigrad.eye(N, columns, dtype=_kind(dtype))
    places = minigrad.arange(columns) - minigrad.arange(N).unsqueeze(1)
    return (places == k).to(_kind(dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """The square matrix with ones on its diagonal."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """N rows with ones on and below the k-th diagonal."""
    return minigrad.tril(ones((N, N if M is None else M), dtype), k)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Numbers from `start` up to, and without, `stop`."""
    if stop is None:
        start, stop = 0, start
    step = 1 if step is None else step
    if dtype is None:
        whole = all(isinstance(bound, int) for bound in (start, stop, step))
        dtype = "int32" if whole else floatx()
    return minigrad.arange(start, stop, step, dtype=_kind(dtype))


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None) -> Any:
    """`num` numbers at equal distances from `start` to `stop`."""
    if endpoint:
        return minigrad.linspace(start, stop, num, dtype=_kind(dtype))
    return minigrad.linspace(start, stop, num + 1, dtype=_kind(dtype))[:-1]


@operation
def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Zeros in the shape of x."""
    return minigrad.zeros_like(tensor(x), dtype=None if dtype is None else _kind(dtype))


@operation
def ones_like(x: Any, dtype: Any = None) -> Any:
    """Ones in the shape of x."""
    return minigrad.ones_like(tensor(x), dtype=None if dtype is None else _kind(dtype))


@operation
def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """One value in the shape of x."""
    kind = None if dtype is None else _kind(dtype)
    return minigrad.full_like(tensor(x), fill_value, dtype=kind)


@operation
def copy(x: Any) -> Any:
    """The same numbers in memory of their own."""
    return tensor(x).clone()


@operation
def stop_gradient(variable: Any) -> Any:
    """The same numbers, through which no gradient flows back."""
    return tensor(variable).detach()


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """A tensor of an array, a weight, a number or nested lists; floats in keras's floatx."""
    return tensor(x, dtype)


array = convert_to_tensor


def convert_to_numpy(x: Any) -> Any:
    """The numbers as a NumPy array."""
    if isinstance(x, (list, tuple)) and not isinstance(x, Traced):
        return tensor(x).numpy()
    return tensor(x).detach().cpu().numpy()


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor, a weight, or a KerasTensor."""
    return isinstance(x, (Traced, Weight, KerasTensor))
