"""Running sums and products along a dimension, and the product of all elements."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.promotion import convert
from minigrad.ops.rearrange import flip
from minigrad.ops.reduce import unreduce

__all__ = ["cumprod", "cumsum", "prod"]


def _reversed(ndim: int, dim: int) -> tuple[slice, ...]:
    return (slice(None),) * dim + (slice(None, None, -1),) + (slice(None),) * (ndim - dim - 1)


@primitive(input=lambda g, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse))
def _cumsum(xp: Any, input: Any, *, dim: int, reverse: bool) -> Any:
    dtype = dtypes.int64 if input.dtype.kind in "biu" else input.dtype
    if not input.ndim:
        return input.astype(dtype)
    if not reverse:
        return xp.cumsum(input, dim, dtype)
    backwards = _reversed(input.ndim, dim)
    return xp.cumsum(input[backwards], dim, dtype)[backwards]


def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running sum along a dimension; integers add up in int64.

    >>> import minigrad
    >>> minigrad.cumsum(minigrad.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    if dtype is not None:
        input = convert(input, dtypes.as_dtype(dtype, "cumsum"))
    return _cumsum(input, dim=wrap_dim("cumsum", dim, input.ndim), reverse=False)


@primitive(input=lambda g, by, dim, fill: shift(g, by=-by, dim=dim, fill=0))
def shift(xp: Any, input: Any, *, by: int, dim: int, fill: float) -> Any:
    """The elements moved `by` places along a dimension; `fill` where none came from."""
    if not input.ndim:
        return xp.full((), fill, input.dtype) if by else input.copy()
    out = xp.full(input.shape, fill, input.dtype)
    before = (slice(None),) * dim
    if by >= 0:
        out[(*before, slice(by, None))] = input[(*before, slice(0, max(input.shape[dim] - by, 0)))]
    else:
        out[(*before, slice(0, by))] = input[(*before, slice(-by, None))]
    return out


def _cumprod_rule(g: Any, input: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Without division, so that zeros do no harm, however often it is differentiated.

    With p[j] the product before element j, its gradient is p[j] * s[j], where
    s[j] = g[j] + x[j+1] * s[j+1]. Such a recurrence is solved by doubling: after k rounds s[j]
    holds its first 2 ** k terms and the factor the product of as many elements.
    """
    before = _cumprod(shift(input, by=1, dim=dim, fill=1), dim=dim)
    factor = shift(input, by=-1, dim=dim, fill=0)
    terms = g
    step = 1
    while shape and step < shape[dim]:
        terms = terms + factor * shift(terms, by=-step, dim=dim, fill=0)
        factor = factor * shift(factor, by=-step, dim=dim, fill=0)
        step *= 2
    return before * terms


@primitive(input=_cumprod_rule)
def _cumprod(xp: Any, input: Any, *, dim: int) -> Any:
    dtype = dtypes.int64 if input.dtype.kind in "biu" else input.dtype
    if not input.ndim:
        return input.astype(dtype)
    return xp.cumprod(input, dim, dtype)


def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """The running product along a dimension; integers multiply in int64."""
    if dtype is not None:
        input = convert(input, dtypes.as_dtype(dtype, "cumprod"))
    return _cumprod(input, dim=wrap_dim("cumprod", dim, input.ndim))


def _prod_rule(
    g: Any, input: Any, shape: tuple[int, ...], dim: int, keepdim: bool
) -> Any:
    """The product of the elements before times that of those after: right beside zeros too."""
    before = _cumprod(shift(input, by=1, dim=dim, fill=1), dim=dim)
    after = _flipped_cumprod(shift(input, by=-1, dim=dim, fill=1), dim)
    dims = (dim,) if shape else None
    return unreduce(g, size=shape, dim=dims, keepdim=keepdim) * (before * after)


def _flipped_cumprod(input: Any, dim: int) -> Any:
    return flip(_cumprod(flip(input, dim), dim=dim), dim)


@primitive(input=_prod_rule)
def _prod(xp: Any, input: Any, *, dim: int, keepdim: bool) -> Any:
    dtype = dtypes.int64 if input.dtype.kind in "biu" else input.dtype
    if not input.ndim:
        return input.astype(dtype)
    return input.prod(dim, dtype, None, keepdim)


def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along a dimension; integers multiply in int64."""
    if dtype is not None:
        input = convert(input, dtypes.as_dtype(dtype, "prod"))
    if dim is None:
        return _prod(input.reshape(-1), dim=0, keepdim=False)
    return _prod(input, dim=wrap_dim("prod", dim, input.ndim), keepdim=keepdim)
