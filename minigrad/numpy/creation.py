"""Making arrays: from data, filled with one value, in regular steps."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.backend import device as make_device
from minigrad.backend import device_of, is_array
from minigrad.graph import Traced
from minigrad.methods.convert import _moved
from minigrad.numpy.base import as_type, dtype_of, lift, made, raw, shape_of
from minigrad.numpy.elementwise import power as _power
from minigrad.ops import data, diagonal, expand
from minigrad.ops.creation import backend_at
from minigrad.ops.shape import clone

__all__ = [
    "arange", "array", "asanyarray", "asarray", "asarray_chkfinite", "ascontiguousarray", "astype",
    "bartlett", "blackman", "copy", "diag", "diagflat", "empty", "empty_like", "eye", "from_dlpack",
    "frombuffer", "fromfunction", "fromiter", "full", "full_like", "geomspace", "hamming",
    "hanning", "identity", "indices", "kaiser", "linspace", "logspace", "meshgrid", "ones",
    "ones_like", "tri", "tril", "triu", "vander", "zeros", "zeros_like",
]  # fmt: skip

_numpy: Any = numpy  # whose overloads know no arguments that are passed on
_ORDERS = ("C", "K", "A", None)


def _ordered(operation: str, order: Any) -> None:
    if order not in _ORDERS:
        raise ValueError(
            f"{operation}(): order={order!r} is not available: arrays are made in C order"
        )


def _placed(array: Any, device: Any) -> Any:
    """An array of this face on a device; None leaves it where it is."""
    return array if device is None else _moved(array, make_device(device))


def asarray(
    obj: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None,
    like: Any = None,
) -> Any:  # fmt: skip
    """The data as an array that shares memory and gradients where it can.

    A plain Tensor comes as a view of itself. Raises ValueError where `copy=False` and a copy is
    needed.
    """
    _ordered("asarray", order)
    given = lift(obj)
    result = _placed(as_type(given, dtype), device)
    shared = isinstance(obj, Traced) or is_array(obj)
    if copy is False and (result is not given or not shared):
        raise ValueError("asarray(): copy=False, but a copy is needed to make the array")
    if copy and shared and result is given:
        return clone(result)
    return result


def array(
    object: Any, dtype: Any = None, *, copy: bool | None = True, order: Any = "K",
    subok: bool = False, ndmin: int = 0, like: Any = None,
) -> Any:  # fmt: skip
    """A copy of the data as an array; among numbers, arrays in lists are joined with gradients."""
    result = asarray(object, dtype, order, copy=copy)
    missing = ndmin - result.ndim
    return result[(None,) * missing] if missing > 0 else result


def asanyarray(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """The same as `asarray`."""
    return asarray(a, dtype, order)


def ascontiguousarray(a: Any, dtype: Any = None) -> Any:
    """The data as an array of at least one dimension, in C order."""
    result = asarray(a, dtype)
    result = result if result._array.flags.c_contiguous else clone(result)
    return result if result.ndim else result.reshape(1)


def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> Any:
    """The data as an array; raises ValueError if an element is infinite or NaN."""
    result = asarray(a, dtype, order)
    if not numpy.isfinite(raw(result)).all():
        raise ValueError("array must not contain infs or NaNs")
    return result


def copy(a: Any, order: Any = "K", subok: bool = False) -> Any:
    """A copy, through which gradients go."""
    return array(a, order=order)


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The elements converted to a dtype; a copy unless `copy` is False and nothing changes."""
    given = lift(x)
    result = _placed(as_type(given, dtype), device)
    return clone(result) if copy and result is given else result


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array that shares the memory of any array that speaks DLPack; `copy` makes a copy."""
    if isinstance(x, Traced):
        return asarray(x, device=device, copy=copy)
    result = _placed(lift(data.from_dlpack(x)), device)
    return clone(result) if copy else result


def zeros(shape: Any, dtype: Any = float, order: Any = "C", *, device: Any = None) -> Any:
    """An array of zeros."""
    return full(shape, 0, dtype, order, device=device)


def ones(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None) -> Any:
    """An array of ones."""
    return full(shape, 1, float if dtype is None else dtype, order, device=device)


def empty(shape: Any, dtype: Any = float, order: Any = "C", *, device: Any = None) -> Any:
    """An array whose elements are yet to be written; zeros here."""
    return full(shape, 0, float if dtype is None else dtype, order, device=device)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None
) -> Any:
    """An array filled with one value, which may carry a gradient."""
    _ordered("full", order)
    size = shape_of(shape)
    if isinstance(fill_value, Traced):
        return clone(expand.broadcast_to(as_type(fill_value, dtype), size))
    xp = backend_at(device).xp
    wanted = numpy.asarray(fill_value).dtype if dtype is None else dtype
    return _placed(made(xp.full(size, fill_value, dtype_of(wanted, "full"))), device)


def zeros_like(
    a: Any, /, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """Zeros of the shape, dtype and device of an array."""
    return full_like(a, 0, dtype, order, shape=shape, device=device)


def ones_like(
    a: Any, /, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *,
    device: Any = None,
) -> Any:  # fmt: skip
    """Ones of the shape, dtype and device of an array."""
    return full_like(a, 1, dtype, order, shape=shape, device=device)


def empty_like(
    prototype: Any, /, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None,
    *, device: Any = None,
) -> Any:  # fmt: skip
    """An array like another whose elements are yet to be written; zeros here."""
    return full_like(prototype, 0, dtype, order, shape=shape, device=device)


def full_like(
    a: Any, /, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True,
    shape: Any = None, *, device: Any = None,
) -> Any:  # fmt: skip
    """An array of the shape, dtype and device of another, filled with one value."""
    a = lift(a)
    size = a._array.shape if shape is None else shape
    kind = a._array.dtype if dtype is None else dtype
    return full(size, fill_value, kind, device=device_of(a._array) if device is None else device)


def eye(
    N: int, M: int | None = None, /, k: int = 0, dtype: Any = float, order: Any = "C", *,
    device: Any = None,
) -> Any:  # fmt: skip
    """A matrix with ones on a diagonal."""
    kind = dtype_of(float if dtype is None else dtype, "eye")
    return _placed(made(backend_at(device).xp.eye(N, M, k, kind)), device)


def identity(n: int, dtype: Any = None) -> Any:
    """The square matrix with ones on the diagonal."""
    return eye(n, dtype=dtype)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, dtype: Any = None, *, device: Any = None
) -> Any:
    """The numbers from `start` in steps up to but without `stop`; `arange(stop)` starts at 0."""
    given = (0, start, step) if stop is None else (start, stop, step)
    bounds = [raw(value).item() if hasattr(value, "dtype") else value for value in given]
    return _placed(made(backend_at(device).xp.arange(*bounds, dtype=dtype)), device)


def linspace(
    start: Any, stop: Any, /, num: int = 50, endpoint: bool = True, retstep: bool = False,
    dtype: Any = None, axis: int = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """So many numbers in even steps between two bounds, which may be arrays with gradients."""
    places = made(numpy.linspace(0.0, 1.0, num, endpoint))
    step = math.nan if num - endpoint <= 0 else 1 / (num - endpoint)
    if not isinstance(start, Traced) and not isinstance(stop, Traced):
        found = _numpy.linspace(start, stop, num, endpoint, retstep, dtype, axis)
        values, steps = found if retstep else (found, None)
        result = _placed(made(values, "linspace"), device)
        return (result, steps) if retstep else result
    start, stop = lift(start), lift(stop)
    ends = start * 1.0, stop * 1.0
    places = places.reshape((num,) + (1,) * max(ends[0].ndim, ends[1].ndim))
    result = ends[0] * (1 - places) + ends[1] * places
    result = result if axis == 0 else numpy_moved(result, axis)
    result = as_type(result, dtype)
    return (result, (ends[1] - ends[0]) * step) if retstep else result


def numpy_moved(result: Any, axis: int) -> Any:
    """The first axis moved to another place."""
    order = list(range(1, result.ndim))
    order.insert(axis % result.ndim, 0)
    return result.transpose(order)


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0,
    dtype: Any = None, axis: int = 0,
) -> Any:  # fmt: skip
    """So many powers of `base`, whose exponents go in even steps between two bounds."""
    return as_type(_power(base, linspace(start, stop, num, endpoint, axis=axis)), dtype)


def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    """So many numbers between two bounds, each the same multiple of the one before."""
    return made(numpy.geomspace(raw(start), raw(stop), num, endpoint, dtype, axis), "geomspace")


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = float) -> Any:
    """A matrix with ones on and below a diagonal."""
    return made(numpy.tri(N, M, k, dtype_of(dtype, "tri")))


def tril(m: Any, /, *, k: int = 0) -> Any:
    """The elements on and below a diagonal of each matrix, zeros above."""
    return diagonal.tril(lift(m), k)


def triu(m: Any, /, *, k: int = 0) -> Any:
    """The elements on and above a diagonal of each matrix, zeros below."""
    return diagonal.triu(lift(m), k)


def diag(v: Any, k: int = 0) -> Any:
    """A matrix with a vector on its diagonal, or the diagonal of a matrix."""
    v = lift(v)
    if v.ndim not in (1, 2):
        raise ValueError("Input must be 1- or 2-d.")
    return diagonal.diag(v, k)


def diagflat(v: Any, k: int = 0) -> Any:
    """A matrix with the elements of an array, made flat, on its diagonal."""
    return diagonal.diagflat(lift(v), k)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of a vector as the columns of a matrix, the highest first."""
    x = lift(x)
    count = x.shape[0] if N is None else N
    exponents = numpy.arange(count) if increasing else numpy.arange(count)[::-1].copy()
    return _power(x[:, None], exponents)


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Vectors as coordinates of a grid: one array each, of the grid's shape."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    arrays = [lift(x).reshape(-1) for x in xi]
    count = len(arrays)
    order = list(range(count))
    if indexing == "xy" and count > 1:
        order[:2] = 1, 0
    grids = [
        a.reshape([-1 if place == axis else 1 for place in range(count)])
        for a, axis in zip(arrays, order)
    ]
    if sparse:
        return grids
    size = numpy.broadcast_shapes(*(grid._array.shape for grid in grids))
    grids = [expand.broadcast_to(grid, size) for grid in grids]
    return [clone(grid) for grid in grids] if copy else grids


def fromfunction(function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """What a function makes of the coordinates of each element."""
    return function(*(made(part) for part in numpy.indices(shape, dtype=dtype)), **kwargs)


def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The coordinates of each element of a grid."""
    found = _numpy.indices(dimensions, dtype, sparse)
    return tuple(map(made, found)) if sparse else made(found)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """The elements that lie in a buffer of bytes."""
    return made(numpy.frombuffer(buffer, dtype, count, offset))


def fromiter(iter: Any, dtype: Any, count: int = -1) -> Any:
    """The numbers that an iterator gives."""
    return made(numpy.fromiter(iter, dtype, count))


def bartlett(M: int) -> Any:
    """The triangular window."""
    return made(numpy.bartlett(M))


def blackman(M: int) -> Any:
    """The Blackman window."""
    return made(numpy.blackman(M))


def hamming(M: int) -> Any:
    """The Hamming window."""
    return made(numpy.hamming(M))


def hanning(M: int) -> Any:
    """The Hann window."""
    return made(numpy.hanning(M))


def kaiser(M: int, beta: float) -> Any:
    """The Kaiser window."""
    return made(numpy.kaiser(M, beta))
