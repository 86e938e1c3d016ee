"""NumPy's functions of elements on large arrays: in pieces, on all cores."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

import numpy

from minigrad.backend.lanes import lanes, run, share

WIDE = 1 << 21
"""Bytes from which an array is worth a second core: to wake it takes as long as to add a third."""

_LEAST = WIDE // 2


def wide(function: Any, *operands: Any) -> Any:
    """What a NumPy function of elements gives for the operands, bit for bit, on all cores.

    That is for contiguous floating arrays of one shape and dtype, and numbers; anything else goes
    the plain way. For functions whose result has the dtype of the operands.
    """
    first = None
    for operand in operands:
        # A symbol, which says that it is an array, stands for one while a plan is made.
        kind = type(operand)
        if kind is numpy.ndarray and operand.flags.c_contiguous:
            if first is None:
                first = operand
            elif operand.shape != first.shape or operand.dtype is not first.dtype:
                return function(*operands)
        elif kind is not float and kind is not int:
            return function(*operands)
    if first is None or first.dtype.char not in "fd":
        return function(*operands)
    size = first.size
    threads = lanes(size, _LEAST // first.itemsize)
    if threads == 1:
        return function(*operands)
    out = numpy.empty(first.shape, first.dtype)
    whole = out.reshape(-1)
    flat: list[Any] = [o if o.__class__ in (int, float) else o.reshape(-1) for o in operands]
    length = share(size, threads)
    # What NumPy is to do about overflows and divisions by zero belongs to the context.
    context = copy_context()

    def task(piece: int) -> None:
        cut = slice(piece * length, (piece + 1) * length)
        parts = [o if o.__class__ in (int, float) else o[cut] for o in flat]
        context.copy().run(function, *parts, out=whole[cut])

    run(task, -(-size // length), threads)
    return out


def duplicate(array: Any) -> Any:
    """A copy of an array, in C's order, made on all cores."""
    if array.__class__ is not numpy.ndarray or array.nbytes < WIDE:
        return array.copy()
    if array.flags.c_contiguous:
        source = array.reshape(-1)
    elif not any(array.strides):
        # One number, seen everywhere.
        source = None
    else:
        return array.copy()
    out = numpy.empty(array.shape, array.dtype)
    whole = out.reshape(-1)
    threads = lanes(array.size, _LEAST // array.itemsize)
    length = share(array.size, threads)
    number = array[(0,) * array.ndim]

    def task(piece: int) -> None:
        cut = slice(piece * length, (piece + 1) * length)
        numpy.copyto(whole[cut], number if source is None else source[cut])

    run(task, -(-array.size // length), threads)
    return out
