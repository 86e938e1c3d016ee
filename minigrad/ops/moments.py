"""Variance and standard deviation, and the logarithm of a sum of exponentials."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import DtypeError
from minigrad.graph import primitive
from minigrad.ops.elementwise import conj
from minigrad.ops.functions import exp
from minigrad.ops.promotion import transcendental
from minigrad.ops.reduce import Dims, _mean, counted, reduced, total, unreduce
from minigrad.ops.select import where

__all__ = ["logsumexp", "std", "std_mean", "var", "var_mean"]


def _spread(input: Any, dim: Dims) -> Any:
    """How far each element is from the mean over the dimensions."""
    return input - _mean(input, dim=dim, keepdim=True)


def _freedom(shape: tuple[int, ...], dim: Dims, correction: float) -> float:
    return max(counted(shape, dim) - correction, 0)


def _var_rule(
    g: Any, input: Any, shape: tuple[int, ...], dim: Dims, correction: float, keepdim: bool
) -> Any:
    freedom = _freedom(shape, dim, correction)
    factor = 2 / freedom if freedom else math.inf
    g = unreduce(g * factor, size=shape, dim=dim, keepdim=keepdim)
    return g * conj(_spread(input, dim))


@primitive(input=_var_rule)
def _var(xp: Any, input: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    dtype = input.dtype
    if dtype.itemsize == 2:
        input = input.astype(xp.float32)
    off = input - input.sum(dim, None, None, True) / counted(input.shape, dim)
    squares = off.real**2 + off.imag**2 if dtype.kind == "c" else off * off
    variance = squares.sum(dim, None, None, keepdim) / _freedom(input.shape, dim, correction)
    return variance.astype(dtype) if dtype.itemsize == 2 else variance


def _std_rule(
    g: Any,
    out: Any,
    input: Any,
    shape: tuple[int, ...],
    dim: Dims,
    correction: float,
    keepdim: bool,
) -> Any:
    # Where nothing varies the slope is taken as 0.
    share = g / where(out == 0, math.inf, out * 2)
    return _var_rule(share, input, shape, dim, correction, keepdim)


@primitive(input=_std_rule)
def _std(xp: Any, input: Any, *, dim: Dims, correction: float, keepdim: bool) -> Any:
    return xp.sqrt(_var(input, dim=dim, correction=correction, keepdim=keepdim))


def _arguments(
    operation: str, input: Any, dim: Any, unbiased: bool | None, correction: float | None
) -> tuple[Dims, float]:
    """The dimensions and the correction of a call in either of torch's two forms."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if unbiased is not None:
        if correction is not None:
            raise TypeError(f"{operation}(): give 'correction' or 'unbiased', not both")
        correction = 1 if unbiased else 0
    if input.dtype.kind not in "fc":
        raise DtypeError(
            f"{operation}(): argument 'input' is {input.dtype}; a variance is floating: convert it "
            f"first, for example input.float()"
        )
    return reduced(operation, input, dim), 1 if correction is None else correction


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The variance of all elements or over `dim`: squares around the mean over n - correction.

    The correction is 1 unless given, or unless `unbiased` is False.

    >>> import minigrad
    >>> minigrad.var(minigrad.tensor([1.0, 2.0, 3.0]))
    tensor(1.)
    """
    dims, correction = _arguments("var", input, dim, unbiased, correction)
    return _var(input, dim=dims, correction=correction, keepdim=keepdim)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The square root of the variance (see `var`); its gradient is 0 where nothing varies."""
    dims, correction = _arguments("std", input, dim, unbiased, correction)
    return _std(input, dim=dims, correction=correction, keepdim=keepdim)


def var_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The variance (see `var`) and the mean."""
    dims, correction = _arguments("var_mean", input, dim, unbiased, correction)
    variance = _var(input, dim=dims, correction=correction, keepdim=keepdim)
    return variance, _mean(input, dim=dims, keepdim=keepdim)


def std_mean(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """The standard deviation (see `std`) and the mean."""
    dims, correction = _arguments("std_mean", input, dim, unbiased, correction)
    deviation = _std(input, dim=dims, correction=correction, keepdim=keepdim)
    return deviation, _mean(input, dim=dims, keepdim=keepdim)


def _logsumexp_rule(
    g: Any, out: Any, input: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool
) -> Any:
    out = where(out == -math.inf, 0, out)
    weights = exp(input - unreduce(out, size=shape, dim=dim, keepdim=keepdim))
    return unreduce(g, size=shape, dim=dim, keepdim=keepdim) * weights


@transcendental(input=_logsumexp_rule)
def _logsumexp(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    if not input.size:
        return xp.log(total(xp.exp(input), dim, keepdim))
    largest = input.real.max(dim, None, True)
    largest = xp.where(xp.isfinite(largest), largest, largest.dtype.type(0))
    out = xp.log(total(xp.exp(input - largest), dim, True)) + largest
    if keepdim:
        return out
    return out.reshape(()) if dim is None else out.squeeze(dim)


def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """The logarithm of the sum of the exponentials over the dimensions `dim`, without overflow."""
    return _logsumexp(input, dim=reduced("logsumexp", input, dim), keepdim=keepdim)
