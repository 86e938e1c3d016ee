"""Reductions by adding: sums, means, counts, and the pair that undoes broadcasting."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend import add_up, backend_of, ndarray
from minigrad.errors import DtypeError
from minigrad.graph import Traced, primitive, view
from minigrad.kernels import twin
from minigrad.ops.blocks import LARGE
from minigrad.ops.dims import wrap_dims
from minigrad.ops.promotion import convert

__all__ = ["all", "any", "count_nonzero", "mean", "nanmean", "nansum", "sum"]

Dims = tuple[int, ...] | None


def _spread(g: Any, size: tuple[int, ...]) -> Any:
    """A cotangent at the larger size that was summed."""
    if g.__class__ is ndarray:
        return backend_of(g).spread(g, size)
    return broadcast_to(g, size=size)


@primitive(input=lambda g, shape: _spread(g, shape))
def sum_to(xp: Any, input: Any, *, size: tuple[int, ...]) -> Any:
    """The input summed down to a size that broadcasts to its own."""
    if input.shape == size:
        return input
    lead = input.ndim - len(size)
    if input.shape[lead:] == size:
        if input.nbytes >= LARGE and input.dtype.kind == "f":
            return _sum_values(xp, input, tuple(range(lead)), False)
        if input.__class__ is ndarray:
            return add_up(input, tuple(range(lead)), input.dtype)
        return input.sum(tuple(range(lead)), dtype=input.dtype)
    axes = tuple(
        axis
        for axis, length in enumerate(input.shape)
        if axis < lead or (size[axis - lead] == 1 and length != 1)
    )
    return input.sum(axes, dtype=input.dtype).reshape(size)


@view(input=lambda g, shape: sum_to(g, size=shape))
def broadcast_to(xp: Any, input: Any, *, size: tuple[int, ...]) -> Any:
    """The input seen at a larger shape, without a copy."""
    return backend_of(input).broadcast_to(input, size)


@view(input=lambda g, dim, keepdim: _sum(g, dim=dim, keepdim=keepdim))
def unreduce(xp: Any, input: Any, *, size: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    """What a reduction over `dim` gave, at the size that was reduced: the transpose of sum."""
    if not keepdim and dim is not None:
        input = input.reshape([1 if axis in dim else n for axis, n in enumerate(size)])
    return backend_of(input).spread(input, size)


def reduced(operation: str, input: Any, dim: Any) -> Dims:
    """The dimensions to reduce, counted from the front; None for all."""
    ndim = dimensions(operation, input)
    if dim is None:
        return None
    if type(dim) is int and -ndim <= dim < ndim:
        return (dim if dim >= 0 else dim + ndim,)
    if ndim == 0:
        wrap_dims(operation, dim, 0)
        return None
    return wrap_dims(operation, dim, ndim) or None


def dimensions(operation: str, input: Any) -> int:
    """How many dimensions a tensor has; raises TypeError for what is none."""
    try:
        array = input._array if isinstance(input, Traced) else input
        return int(array.ndim)
    except AttributeError:
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        ) from None


def counted(shape: tuple[int, ...], dim: Dims) -> int:
    """How many elements each element of a reduction over `dim` is made of."""
    return math.prod(shape if dim is None else [shape[axis] for axis in dim])


def total(array: Any, dim: Dims, keepdim: bool) -> Any:
    """The sum of a raw array: integers add up in int64, half precision in single."""
    dtype = array.dtype
    if dtype.kind in "biu":
        return array.sum(dim, dtypes.int64, None, keepdim)
    if dtype.itemsize == 2:
        return array.sum(dim, dtypes.float32, None, keepdim).astype(dtype)
    if array.__class__ is ndarray:
        return add_up(array, dim, None, None, keepdim)
    return array.sum(dim, None, None, keepdim)


@twin("reductions", "sum", least=1 << 16)
def _sum_values(xp: Any, array: Any, dim: Dims, keepdim: bool) -> Any:
    return total(array, dim, keepdim)


@primitive(input=lambda g, shape, dim, keepdim: unreduce(g, size=shape, dim=dim, keepdim=keepdim))
def _sum(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    if input.nbytes < LARGE:
        return total(input, dim, keepdim)
    return _sum_values(xp, input, dim, keepdim)


def sum(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
) -> Any:
    """The sum of all elements, or over the dimensions `dim`, or `axis`; integers add up in int64.

    >>> import minigrad
    >>> minigrad.sum(minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    tensor([3., 7.])
    """
    if axis is not None:
        dim = axis
    if dim is not None:
        dim = reduced("sum", input, dim)
    if dtype is None:
        return _sum(input, dim=dim, keepdim=keepdim)
    dtype = dtypes.as_dtype(dtype, "sum")
    return convert(_sum(convert(input, dtype), dim=dim, keepdim=keepdim), dtype)


def _mean_rule(g: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool) -> Any:
    share = g / max(counted(shape, dim), 1)
    return unreduce(share, size=shape, dim=dim, keepdim=keepdim)


@primitive(input=_mean_rule)
def _mean(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    dtype = input.dtype
    if dtype.kind not in "fc":
        raise DtypeError(
            f"mean(): argument 'input' is {dtype}; a mean is floating: convert it first, for "
            f"example input.float().mean(), or give dtype="
        )
    count = input.size if dim is None else counted(input.shape, dim)
    if dtype.itemsize == 2:
        return (input.sum(dim, dtypes.float32, None, keepdim) / count).astype(dtype)
    if input.nbytes < LARGE:
        return input.sum(dim, None, None, keepdim) / count
    return _sum_values(xp, input, dim, keepdim) / count


def mean(
    input: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    axis: Any = None,
) -> Any:
    """The mean of all elements, or over the dimensions `dim`; integers need a `dtype`."""
    if dtype is not None:
        input = convert(input, dtypes.as_dtype(dtype, "mean"))
    if axis is not None:
        dim = axis
    if dim is not None:
        dim = reduced("mean", input, dim)
    return _mean(input, dim=dim, keepdim=keepdim)


@primitive(
    input=lambda g, input, dim, keepdim: (
        unreduce(g, size=input.shape, dim=dim, keepdim=keepdim) * (input == input)
    )
)
def _nansum(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    if input.dtype.kind == "c":
        raise DtypeError("nansum(): argument 'input' is complex; sum its .real and .imag")
    return total(xp.where(input == input, input, input.dtype.type(0)), dim, keepdim)


def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum with NaN taken as 0."""
    dim = reduced("nansum", input, dim)
    if dtype is None:
        return _nansum(input, dim=dim, keepdim=keepdim)
    dtype = dtypes.as_dtype(dtype, "nansum")
    return convert(_nansum(convert(input, dtype), dim=dim, keepdim=keepdim), dtype)


def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean of the elements that are not NaN; raises DtypeError for integers."""
    if dtype is None and input.dtype.kind in "biu":
        raise DtypeError(
            f"nanmean(): argument 'input' is {input.dtype}; a mean is floating: convert it first, "
            f"for example input.float().nanmean(), or give dtype="
        )
    total_ = nansum(input, dim, keepdim, dtype=dtype)
    return total_ / _count_numbers(input, dim=reduced("nanmean", input, dim), keepdim=keepdim)


@primitive()
def _count_numbers(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    return (input == input).sum(dim, dtypes.int64, None, keepdim)


@primitive()
def _count_nonzero(xp: Any, input: Any, *, dim: Dims) -> Any:
    return (input != 0).sum(dim, dtypes.int64)


def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not zero, of all or along the dimensions `dim`."""
    return _count_nonzero(input, dim=reduced("count_nonzero", input, dim))


@primitive()
def _all(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    return _flag((input != 0).all(axis=dim, keepdims=keepdim), input.dtype)


@primitive()
def _any(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    return _flag((input != 0).any(axis=dim, keepdims=keepdim), input.dtype)


def _flag(result: Any, dtype: Any) -> Any:
    # torch answers in uint8 where it was asked in uint8.
    return result.astype(dtype) if dtype == dtypes.uint8 else result


def _tested(operation: str, input: Any, dim: Any) -> Dims:
    # An empty list of dimensions means none here, all elsewhere, as in torch.
    return () if dim == () or dim == [] else reduced(operation, input, dim)


def all(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all elements are not zero, or all along the dimensions `dim`."""
    return _all(input, dim=_tested("all", input, dim), keepdim=keepdim)


def any(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any element is not zero, or any along the dimensions `dim`."""
    return _any(input, dim=_tested("any", input, dim), keepdim=keepdim)
