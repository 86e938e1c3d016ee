"""Running sums and products along a dimension, and the product of all elements."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.promotion import convert
from minigrad.ops.rearrange import flip
from minigrad.ops.reduce import dimensions, unreduce

__all__ = ["cumprod", "cumsum", "prod"]


def _reversed(ndim: int, dim: int) -> tuple[slice, ...]:
    return (slice(None),) * dim + (slice(None, None, -1),) + (slice(None),) * (ndim - dim - 1)


@primitive(input=lambda g, dim, reverse: _cumsum(g, dim=dim, reverse=not reverse))
def _cumsum(xp: Any, input: Any, *, dim: int, reverse: bool) -> Any:
    if not input.ndim:
        return input.astype(_result_dtype(input))
    if not reverse:
        return _accumulated(xp.cumsum, input, dim)
    backwards = _reversed(input.ndim, dim)
    return _accumulated(xp.cumsum, input[backwards], dim)[backwards]


def _result_dtype(array: Any) -> Any:
    return dtypes.int64 if array.dtype.kind in "biu" else array.dtype


def _accumulated(function: Any, array: Any, dim: int) -> Any:
    """A running sum or product; of half precision numbers, in single."""
    dtype = _result_dtype(array)
    if dtype.itemsize == 2:
        return function(array, dim, dtypes.float32).astype(dtype)
    return function(array, dim, dtype)


def cumsum(input: Any, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """The running sum along a dimension, `dim` or `axis`; integers add up in int64.

    >>> import minigrad
    >>> minigrad.cumsum(minigrad.tensor([1, 2, 3]), 0)
    tensor([1, 3, 6])
    """
    dim = dim if axis is None else axis
    dim = wrap_dim("cumsum", dim, dimensions("cumsum", input))
    if dtype is None:
        return _cumsum(input, dim=dim, reverse=False)
    dtype = dtypes.as_dtype(dtype, "cumsum")
    return convert(_cumsum(convert(input, dtype), dim=dim, reverse=False), dtype)


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


def recurrence(terms: Any, factor: Any, size: int, dim: int) -> Any:
    """The s with s[j] = terms[j] + factor[j] * s[j + 1] along a dimension of a size.

    Solved by doubling: after k rounds s[j] holds its first 2 ** k terms and the factor the product
    of as many elements.
    """
    step = 1
    while step < size:
        terms = terms + factor * shift(terms, by=-step, dim=dim, fill=0)
        factor = factor * shift(factor, by=-step, dim=dim, fill=0)
        step *= 2
    return terms


def _cumprod_rule(g: Any, input: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Without division, so that zeros do no harm, however often it is differentiated.

    With p[j] the product before element j, its gradient is p[j] * s[j], where
    s[j] = g[j] + x[j+1] * s[j+1].
    """
    before = _cumprod(shift(input, by=1, dim=dim, fill=1), dim=dim)
    factor = shift(input, by=-1, dim=dim, fill=0)
    return before * recurrence(g, factor, shape[dim] if shape else 1, dim)


@primitive(input=_cumprod_rule)
def _cumprod(xp: Any, input: Any, *, dim: int) -> Any:
    if not input.ndim:
        return input.astype(_result_dtype(input))
    return _accumulated(xp.cumprod, input, dim)


def cumprod(input: Any, dim: Any = None, *, dtype: Any = None, axis: Any = None) -> Any:
    """The running product along a dimension, `dim` or `axis`; integers multiply in int64."""
    dim = dim if axis is None else axis
    dim = wrap_dim("cumprod", dim, dimensions("cumprod", input))
    if dtype is None:
        return _cumprod(input, dim=dim)
    dtype = dtypes.as_dtype(dtype, "cumprod")
    return convert(_cumprod(convert(input, dtype), dim=dim), dtype)


def _prod_rule(g: Any, input: Any, shape: tuple[int, ...], dim: int, keepdim: bool) -> Any:
    """The product of the elements before times that of those after: right beside zeros too."""
    before = _cumprod(shift(input, by=1, dim=dim, fill=1), dim=dim)
    after = _flipped_cumprod(shift(input, by=-1, dim=dim, fill=1), dim)
    dims = (dim,) if shape else None
    return unreduce(g, size=shape, dim=dims, keepdim=keepdim) * (before * after)


def _flipped_cumprod(input: Any, dim: int) -> Any:
    return flip(_cumprod(flip(input, dim), dim=dim), dim)


@primitive(input=_prod_rule)
def _prod(xp: Any, input: Any, *, dim: int, keepdim: bool) -> Any:
    dtype = _result_dtype(input)
    if not input.ndim:
        return input.astype(dtype)
    if dtype.itemsize == 2:
        return input.prod(dim, dtypes.float32, None, keepdim).astype(dtype)
    return input.prod(dim, dtype, None, keepdim)


def prod(input: Any, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along a dimension; integers multiply in int64."""
    if dtype is not None:
        dtype = dtypes.as_dtype(dtype, "prod")
        return convert(prod(convert(input, dtype), dim, keepdim), dtype)
    count = dimensions("prod", input)
    if dim is None:
        return _prod(input.reshape(-1), dim=0, keepdim=False)
    return _prod(input, dim=wrap_dim("prod", dim, count), keepdim=keepdim)
