"""Exponentials that do not overflow, and sums along a dimension: what a softmax is made of."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import ndarray

# Below this many elements one largest element for each row costs no more than one for all.
_MANY = 2048
# The least sum of a row at which a shift by the largest element of all rows has lost nothing: an
# element that then vanishes is smaller than the sum by 20 digits and more.
_LEAST = {"f": 1e-15, "d": 1e-150}


def sums(xp: Any, array: Any, dim: int) -> Any:
    """The sums along a dimension, kept with size 1."""
    if dim == array.ndim - 1 and array.size >= _MANY and array.__class__ is ndarray:
        # NumPy adds up short rows one by one; a product with ones takes a fraction of the time.
        return numpy.matmul(array, numpy.ones(array.shape[-1], array.dtype))[..., None]
    return array.sum(dim, keepdims=True)


def exponentials(xp: Any, input: Any, dim: int) -> tuple[Any, Any, Any]:
    """exp(input - shift), its sums along `dim`, and the shift.

    The shift is the largest element of each row or, where that is as good, of all rows: to find
    one for each of many short rows would take NumPy longer than all the rest.
    """
    if input.size >= _MANY and input.__class__ is ndarray:
        shift = input.max()
        powers = input - shift
        numpy.exp(powers, out=powers)
        totals = sums(xp, powers, dim)
        # Also false where there are NaNs or infinities.
        if totals.min() > _LEAST[input.dtype.char]:
            return powers, totals, shift
    shift = input.max(dim, keepdims=True)
    powers = input - shift
    xp.exp(powers, out=powers)
    return powers, sums(xp, powers, dim), shift
