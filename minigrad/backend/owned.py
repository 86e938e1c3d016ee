"""Whether an array's memory is in nobody else's hands, so that it may be kept or written to."""

from __future__ import annotations

import sys
from typing import Any

import numpy


def alone(array: Any) -> bool:
    """Whether nobody but this function's caller and its caller hold a raw array's memory.

    All the memory of another array that only this one holds, in another shape, is so too.
    """
    if array.__class__ is numpy.ndarray and array.base is not None:
        base = array.base
        whole = base.__class__ is numpy.ndarray and base.base is None and base.size == array.size
        if not whole or sys.getrefcount(base) > _ALONE_BASE:
            return False
    elif getattr(array, "base", array) is not None:
        return False
    return sys.getrefcount(array) <= _ALONE


def _probe() -> tuple[int, int]:
    """The reference counts that `alone` sees for an array that a walk has just made, and a base.

    The base is that of an array which alone holds it.
    """

    def outer(value: Any) -> int:
        return inner(value)

    def inner(value: Any) -> int:
        return sys.getrefcount(value)

    holder = {0: object()}
    _, value = holder.popitem()
    view = numpy.empty(2).reshape(1, 2)
    base = view.base
    return outer(value), sys.getrefcount(base)


_ALONE, _ALONE_BASE = _probe()
