"""Equal elements: runs of them made one, and whether elements are among others."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.backend import asarray, backend_of
from minigrad.errors import ArgumentError
from minigrad.graph import Traced, wrap
from minigrad.ops.dims import wrap_dim
from minigrad.ops.gather import raw_of
from minigrad.ops.reduce import dimensions
from minigrad.ops.select import ordered

__all__ = ["isin", "unique_consecutive"]


def _like(value: Any, array: Any) -> Any:
    return wrap(value, array) if isinstance(value, Traced) else array


def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or the slices along `dim`, without those that equal the one before.

    With `return_inverse` also where each element of the input went, with `return_counts` how long
    each run was.

    >>> import minigrad
    >>> minigrad.unique_consecutive(minigrad.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    count = dimensions("unique_consecutive", input)
    array = ordered("unique_consecutive", raw_of(input))
    xp = backend_of(array).xp
    flat = array.reshape(-1) if dim is None else array
    axis = 0 if dim is None else wrap_dim("unique_consecutive", dim, count)
    if not flat.ndim:
        flat = flat.reshape(1)
    size = flat.shape[axis]
    if not size and 0 in (*flat.shape[:axis], *flat.shape[axis + 1 :]):
        raise ArgumentError(
            f"unique_consecutive(): argument 'input' of shape {list(array.shape)} has several "
            f"dimensions of size 0; at most the one named by 'dim' may be empty"
        )
    starts = xp.ones(size, bool)
    before = (slice(None),) * axis
    differs = flat[(*before, slice(1, None))] != flat[(*before, slice(0, max(size - 1, 0)))]
    others = tuple(other for other in range(flat.ndim) if other != axis)
    starts[1:] = differs.any(others) if others else differs
    places = xp.nonzero(starts)[0]
    results = [_like(input, flat.take(places, axis))]
    if return_inverse:
        inverse = xp.cumsum(starts) - 1
        results.append(_like(input, inverse.reshape(array.shape) if dim is None else inverse))
    if return_counts:
        counts = xp.full(places.shape, size, "int64")
        counts[:-1] = places[1:]
        results.append(_like(input, counts - places))
    return results[0] if len(results) == 1 else tuple(results)


def isin(
    elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False
) -> Any:
    """Whether each element is among the test elements, or with `invert` whether it is not.

    One of the two may be a number. `assume_unique` promises that neither holds an element twice.

    >>> import minigrad
    >>> minigrad.isin(minigrad.tensor([1, 2, 3]), minigrad.tensor([2, 3, 4]))
    tensor([False,  True,  True])
    """
    like = elements if hasattr(elements, "dtype") else test_elements
    if not hasattr(like, "dtype"):
        raise TypeError(
            "isin(): argument 'elements' or 'test_elements' must be a Tensor, both are numbers"
        )
    raw = raw_of(like)
    backend = backend_of(raw)

    def as_raw(value: Any) -> Any:
        if hasattr(value, "dtype"):
            return raw_of(value)
        number = asarray(value, dtype=dtypes.result_dtype([(raw.dtype, raw.ndim)], [value]))
        return backend.from_numpy(number, backend.device_of(raw))

    first, second = ordered("isin", as_raw(elements)), ordered("isin", as_raw(test_elements))
    kind = dtypes.promote_types(first.dtype, second.dtype)
    found = backend.xp.isin(first.astype(kind), second.astype(kind), assume_unique, invert)
    return _like(like, found)
