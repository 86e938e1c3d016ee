"""Sums, means and extremes of the elements that are not NaN."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.numpy import reductions
from minigrad.numpy.base import delivered, floating, lift, made, raw
from minigrad.numpy.elementwise import isnan
from minigrad.numpy.indexing import where
from minigrad.numpy.reductions import _NONE

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmin", "nanprod",
    "nanstd", "nansum", "nanvar",
]  # fmt: skip


def _numbers(a: Any, other: Any) -> tuple[Any, Any]:
    """The array with NaN replaced, and the mask of what is a number; None for integers."""
    a = lift(a)
    if a.dtype.kind not in "fc":
        return a, None
    missing = isnan(a)
    return where(missing, other, a), missing


def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = _NONE, where: Any = True,
) -> Any:  # fmt: skip
    """The sum, NaN taken as 0."""
    return reductions.sum(_numbers(a, 0)[0], axis, dtype, out, keepdims, initial, where)


def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False,
    initial: Any = _NONE, where: Any = True,
) -> Any:  # fmt: skip
    """The product, NaN taken as 1."""
    return reductions.prod(_numbers(a, 1)[0], axis, dtype, out, keepdims, initial, where)


def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running sums, NaN taken as 0."""
    return reductions.cumsum(_numbers(a, 0)[0], axis, dtype, out)


def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
    """The running products, NaN taken as 1."""
    return reductions.cumprod(_numbers(a, 1)[0], axis, dtype, out)


def _present(a: Any, where: Any) -> Any:
    mask = ~numpy.isnan(raw(a))
    return mask if where is True else mask & numpy.asarray(raw(where))


def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *,
    where: Any = True,
) -> Any:  # fmt: skip
    """The mean of the elements that are not NaN."""
    a = floating(a, dtype)
    result = reductions.mean(a, axis, None, None, keepdims, where=_present(a, where))
    return delivered(result, out, True, "nanmean")


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    """The variance of the elements that are not NaN."""
    a = floating(a, dtype)
    present = _present(a, where)
    options = {"where": present, "mean": mean, "correction": correction}
    return reductions.var(a, axis, None, out, ddof, keepdims, **options)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0,
    keepdims: Any = False, *, where: Any = True, mean: Any = _NONE, correction: Any = _NONE,
) -> Any:  # fmt: skip
    """The standard deviation of the elements that are not NaN."""
    a = floating(a, dtype)
    present = _present(a, where)
    options = {"where": present, "mean": mean, "correction": correction}
    return reductions.std(a, axis, None, out, ddof, keepdims, **options)


def _extreme(function: Any, a: Any, axis: Any, out: Any, keepdims: Any, away: float) -> Any:
    a = lift(a)
    found, missing = _numbers(a, away)
    if missing is not None:
        empty = made(numpy.all(raw(missing), axis=axis, keepdims=keepdims))
        result = where(empty, numpy.nan, function(found, axis, None, keepdims))
    else:
        result = function(found, axis, None, keepdims)
    return delivered(result, out, True, "nan" + function.__name__)


def nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The largest of the elements that are not NaN."""
    return _extreme(reductions.max, a, axis, out, keepdims, -numpy.inf)


def nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Any:
    """The smallest of the elements that are not NaN."""
    return _extreme(reductions.min, a, axis, out, keepdims, numpy.inf)


def nanargmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """The position of the largest of the elements that are not NaN."""
    return delivered(
        made(numpy.asarray(numpy.nanargmax(raw(a), axis, keepdims=keepdims))),
        out,
        True,
        "nanargmax",
    )


def nanargmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """The position of the smallest of the elements that are not NaN."""
    return delivered(
        made(numpy.asarray(numpy.nanargmin(raw(a), axis, keepdims=keepdims))),
        out,
        True,
        "nanargmin",
    )
