"""Formulas of special functions on flat arrays of doubles; each file is loaded when first used."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad import dtypes
from minigrad.errors import DtypeError
from minigrad.ops.blocks import BLOCK

Formula = Callable[..., Any]
Ratio = tuple[Sequence[float], Sequence[float]]


def evaluate(xp: Any, where: str, *operands: Any, **constants: Any) -> Any:
    """The formula "file.function" of broadcast operands, in the floating dtype that they have.

    The work is done in double precision, block by block, so that single and half precision are
    rounded once. A complex operand raises DtypeError.
    """
    file, _, name = where.partition(".")
    formula = getattr(importlib.import_module(f"minigrad.ops.formulas.{file}"), name)
    arrays = [xp.asarray(operand) for operand in operands]
    dtype = next(each.dtype for each in operands if hasattr(each, "dtype"))
    if dtype.kind == "c":
        raise DtypeError(f"{name}(): an argument is complex, for which it is not defined")
    if dtype.kind != "f":
        dtype = dtypes.get_default_dtype()
    if len(arrays) > 1:
        arrays = xp.broadcast_arrays(*arrays)
    shape = arrays[0].shape
    flat = [each.reshape(-1) for each in arrays]
    out = xp.empty(flat[0].shape, dtype)
    for start in range(0, flat[0].size, BLOCK):
        blocks = [each[start : start + BLOCK].astype(xp.float64, copy=False) for each in flat]
        out[start : start + BLOCK] = formula(xp, *blocks, **constants)
    return out.reshape(shape)


def in_cases(xp: Any, cases: Sequence[tuple[Any, Formula]], *arrays: Any) -> Any:
    """Each formula where its mask holds, and NaN where none does; the masks exclude each other."""
    out = xp.full(arrays[0].shape, math.nan)
    for mask, formula in cases:
        if mask.any():
            out[mask] = formula(*(array[mask] for array in arrays))
    return out


def polynomial(x: Any, coefficients: Sequence[float]) -> Any:
    """Horner's rule, constants first, with one temporary array."""
    result = x * coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        result += coefficient
        result *= x
    result += coefficients[0]
    return result


def ratio(x: Any, coefficients: Ratio) -> Any:
    """The quotient of two polynomials."""
    result = polynomial(x, coefficients[0])
    result /= polynomial(x, coefficients[1])
    return result


def chebyshev(t: Any, coefficients: Sequence[float]) -> Any:
    """A series of Chebyshev polynomials in t from -1 to 1, by Clenshaw's recurrence."""
    twice = t + t
    last = t * 0
    result = last + coefficients[-1]
    for coefficient in coefficients[-2:0:-1]:
        result, last = twice * result - last + coefficient, result
    return t * result - last + coefficients[0]
