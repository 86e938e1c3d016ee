"""NumPy's functions of elements on large arrays: in pieces, on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import copy_context
from functools import partial
from typing import Any

import numpy
from numpy.lib.mixins import NDArrayOperatorsMixin

from minigrad.backend.lanes import lanes, run, share

WIDE = 1 << 21
"""Bytes from which an array is worth a second core: to wake it takes as long as to add a third."""

_LEAST = WIDE // 2


def wide(function: Any, *operands: Any, out: Any = None) -> Any:
    """What a NumPy function of elements gives for the operands, bit for bit, on all cores.

    That is for contiguous floating arrays of one shape and dtype, and numbers; anything else goes
    the plain way. For functions whose result has the dtype of the operands. `out`, one of these or
    an array like them, is where it goes; by default to a new array.
    """
    named = {} if out is None else {"out": out}
    first = None
    for operand in operands:
        # A symbol, which says that it is an array, stands for one while a plan is made.
        kind = type(operand)
        if kind is numpy.ndarray and operand.flags.c_contiguous:
            if first is None:
                first = operand
            elif operand.shape != first.shape or operand.dtype is not first.dtype:
                return function(*operands, **named)
        elif kind is not float and kind is not int:
            return function(*operands, **named)
    if first is None or first.dtype.char not in "fd":
        return function(*operands, **named)
    size = first.size
    threads = lanes(size, _LEAST // first.itemsize)
    if threads == 1:
        return function(*operands, **named)
    made = numpy.empty(first.shape, first.dtype) if out is None else out
    whole = made.reshape(-1)
    vectors: list[Any] = []
    for operand in operands:
        if operand.__class__ is not numpy.ndarray:
            vectors.append(operand)
        elif operand is out:
            vectors.append(whole)
        elif out is not None and numpy.may_share_memory(operand, out):
            # A piece would write what the next one is to read.
            return function(*operands, **named)
        else:
            vectors.append(operand.reshape(-1))
    _fill(numpy, whole, function, tuple(vectors))
    return made


def fill(xp: Any, out: Any, function: Any, operands: tuple[Any, ...]) -> Any:
    """Fill a vector with what a NumPy function of elements gives for vectors like it, or numbers.

    An operand may be `out` itself, or lies apart from it. Each piece is a call of the function, for
    which Python's lock is handed to and fro.
    """
    threads = lanes(out.size, _LEAST // out.itemsize)
    length = share(out.size, threads)
    # What NumPy is to do about overflows and divisions by zero belongs to the context.
    context = copy_context()

    def task(piece: int) -> None:
        cut = slice(piece * length, (piece + 1) * length)
        parts = [o if o.__class__ in (int, float) else o[cut] for o in operands]
        context.copy().run(function, *parts, out=out[cut])

    run(task, -(-out.size // length), threads)
    return out


_fill: Any = fill


def fill_with(function: Any) -> None:
    """Let large arrays be filled by a function that does the same as `fill`."""
    global _fill
    _fill = function


def duplicate(array: Any) -> Any:
    """A copy of an array, in C's order, made on all cores."""
    known = array.__class__ is numpy.ndarray and array.dtype.char in "fd"
    if not known or array.nbytes < WIDE:
        return array.copy()
    if array.flags.c_contiguous:
        source = array.reshape(-1)
    elif not any(array.strides):
        # One number, seen everywhere.
        source = array[(0,) * array.ndim].item()
    else:
        return array.copy()
    out = numpy.empty(array.shape, array.dtype)
    _fill(numpy, out.reshape(-1), numpy.positive, (source,))
    return out


class _Operand(NDArrayOperatorsMixin):
    """What a formula is given in place of an array, to find out what it consists of."""

    dtype = None

    def __array_ufunc__(self, function: Any, method: str, *operands: Any, **named: Any) -> Any:
        return _Call(None if named or method != "__call__" else function, operands)


class _Call(_Operand):
    """A formula that is a function of its operands."""

    def __init__(self, function: Any, operands: tuple[Any, ...]) -> None:
        self.function = function
        self.operands = operands


def function_of(forward: Any, inputs: Sequence[str]) -> Any:
    """NumPy's function of elements that a forward consists of; None if it is another."""
    return _consists_of(partial(forward, numpy), len(inputs))


def widened(rules: dict[str, Any]) -> dict[str, Any]:
    """Rules for large arrays, on all cores: of those that are one function, and operators alone."""
    found = {}
    for name, rule in rules.items():
        code = rule.__code__
        function = None if code.co_names else _consists_of(rule, code.co_argcount)
        if function is not None:
            found[name] = _on_all_cores(function, rule)
    return found


def _on_all_cores(function: Any, rule: Any) -> Any:
    def large(g: Any, *kept: Any) -> Any:
        return wide(function, g, *kept) if g.__class__ is numpy.ndarray else rule(g, *kept)

    return large


def _consists_of(formula: Any, count: int) -> Any:
    operands = [_Operand() for _ in range(count)]
    made = formula(*operands)
    if type(made) is not _Call or len(made.operands) != count:
        return None
    same = all(a is b for a, b in zip(made.operands, operands, strict=True))
    return made.function if same else None
