"""Copies of raw arrays in memory of their own, such as the first gradient of a leaf."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of, ndarray, wide
from minigrad.kernels import twin


@twin("reductions", "filled", least=1 << 19)
def _filled(xp: Any, array: Any) -> Any:
    return wide.duplicate(array)


def duplicate(array: Any) -> Any:
    """A copy of an array in C's order; one number seen everywhere, a sum's gradient, is filled in.

    What fills it is compiled together with the sums themselves.
    """
    large = array.__class__ is ndarray and array.nbytes >= wide.WIDE
    if large and not any(array.strides):
        return _filled(backend_of(array).xp, array)
    return wide.duplicate(array)
