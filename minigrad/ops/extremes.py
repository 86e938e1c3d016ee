"""The largest and smallest elements, and where they are."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad import dtypes
from minigrad.backend import as_array
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, primitive, wrap
from minigrad.ops.dims import wrap_dim
from minigrad.ops.reduce import Dims, counted, dimensions, reduced, unreduce
from minigrad.ops.select import maximum, minimum, ordered

__all__ = ["amax", "amin", "aminmax", "argmax", "argmin", "max", "min"]


class Selection(NamedTuple):
    """Elements chosen along a dimension, and their positions in it."""

    values: Any
    indices: Any


class Range(NamedTuple):
    """The smallest and the largest element."""

    min: Any
    max: Any


@primitive(input=lambda g, shape, indices, dim: _put_along(g, size=shape, indices=indices, dim=dim))
def take_along(xp: Any, input: Any, *, indices: Any, dim: int) -> Any:
    """The elements at positions along a dimension, none of them taken twice."""
    return input[_grid(xp, indices, dim)] if input.ndim else input.copy()


@primitive(input=lambda g, indices, dim: take_along(g, indices=indices, dim=dim))
def _put_along(xp: Any, input: Any, *, size: tuple[int, ...], indices: Any, dim: int) -> Any:
    """Zeros of a size with the elements put at positions along a dimension."""
    out = xp.zeros(size, input.dtype)
    out[_grid(xp, indices, dim) if size else ()] = input
    return out


def _grid(xp: Any, indices: Any, dim: int) -> tuple[Any, ...]:
    """The positions along one dimension as an index of all of them."""
    count = indices.ndim
    return tuple(
        indices
        if axis == dim
        else xp.arange(size).reshape((1,) * axis + (size,) + (1,) * (count - axis - 1))
        for axis, size in enumerate(indices.shape)
    )


@primitive(
    input=lambda g, shape, index, dim, keepdim: _put_one(
        g, size=shape, index=index, dim=dim, keepdim=keepdim
    )
)
def _take_one(xp: Any, input: Any, *, index: Any, dim: int, keepdim: bool) -> Any:
    """The element at one position along a dimension, which goes away or keeps size 1."""
    if not input.ndim:
        return input.copy()
    out = input[_grid(xp, xp.expand_dims(index, dim), dim)]
    return out if keepdim else out.squeeze(dim)


@primitive(input=lambda g, index, dim, keepdim: _take_one(g, index=index, dim=dim, keepdim=keepdim))
def _put_one(
    xp: Any, input: Any, *, size: tuple[int, ...], index: Any, dim: int, keepdim: bool
) -> Any:
    """Zeros of a size with one element put at its position along a dimension."""
    out = xp.zeros(size, input.dtype)
    place = _grid(xp, xp.expand_dims(index, dim), dim) if size else ()
    out[place] = input if keepdim or not size else xp.expand_dims(input, dim)
    return out


def _extreme_rule(
    g: Any, out: Any, input: Any, shape: tuple[int, ...], dim: Dims, keepdim: bool
) -> Any:
    share = _ties(input, out, dim=dim, keepdim=keepdim)
    return unreduce(g, size=shape, dim=dim, keepdim=keepdim) * share


@primitive()
def _ties(xp: Any, input: Any, extreme: Any, *, dim: Dims, keepdim: bool) -> Any:
    """The share of each element in the gradient of the extreme: the same for all that equal it."""
    extreme = unreduce(extreme, size=input.shape, dim=dim, keepdim=keepdim)
    equal = (input == extreme) | ((input != input) & (extreme != extreme))
    return equal / equal.sum(dim, input.dtype, None, True)


@primitive(input=_extreme_rule)
def _amax(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    return ordered("amax", input).max(dim, None, keepdim)


@primitive(input=_extreme_rule)
def _amin(xp: Any, input: Any, *, dim: Dims, keepdim: bool) -> Any:
    return ordered("amin", input).min(dim, None, keepdim)


def _checked(operation: str, input: Any, dim: Any, error: type[Exception] = ArgumentError) -> Dims:
    """The dimensions to reduce; raises if there is no element to choose from."""
    dims = reduced(operation, input, dim)
    shape = input.shape
    if dims is None and counted(shape, None) == 0:
        raise error(
            f"{operation}(): argument 'input' of shape {list(shape)} has no elements; name a "
            f"dimension that has some with 'dim'"
        )
    for axis in dims or ():
        if shape[axis] == 0:
            raise IndexError(
                f"{operation}(): argument 'dim' names dimension {axis}, which has size 0 in the "
                f"shape {list(shape)}; there is nothing to choose from"
            )
    return dims


def amax(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest elements over the dimensions `dim`; equal ones share the gradient evenly."""
    return _amax(input, dim=_checked("amax", input, dim), keepdim=keepdim)


def amin(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest elements over the dimensions `dim`; equal ones share the gradient evenly."""
    return _amin(input, dim=_checked("amin", input, dim), keepdim=keepdim)


def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False) -> Range:
    """The smallest and the largest elements, of all or along a dimension."""
    return Range(amin(input, dim, keepdim), amax(input, dim, keepdim))


@primitive()
def _argmax(xp: Any, input: Any, *, dim: int | None, keepdim: bool) -> Any:
    return _argument("argmax", input).argmax(dim, None, keepdims=keepdim)


@primitive()
def _argmin(xp: Any, input: Any, *, dim: int | None, keepdim: bool) -> Any:
    return _argument("argmin", input).argmin(dim, None, keepdims=keepdim)


def _argument(operation: str, input: Any) -> Any:
    if input.dtype.kind == "b":
        raise DtypeError(
            f"{operation}(): argument 'input' is bool; convert it first, for example input.int()"
        )
    return ordered(operation, input)


def _arg(operation: str, function: Any, input: Any, dim: Any, keepdim: bool) -> Any:
    count = dimensions(operation, input)
    axis = None if dim is None else wrap_dim(operation, dim, count)
    dims = _checked(operation, input, axis, IndexError)
    return function(input, dim=None if dims is None else dims[0], keepdim=keepdim)


def argmax(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the largest element, the first of equal ones: in all, or along `dim`.

    >>> import minigrad
    >>> minigrad.argmax(minigrad.tensor([[1, 9], [7, 2]]), dim=1)
    tensor([1, 0])
    """
    return _arg("argmax", _argmax, input, dim, keepdim)


def argmin(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The position of the smallest element, the first of equal ones: in all, or along `dim`."""
    return _arg("argmin", _argmin, input, dim, keepdim)


def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The largest element; or along `dim`, with positions; or, given a tensor, of two elementwise.

    Along a dimension the result is a pair with the fields `values` and `indices`, and the gradient
    goes to the element at the index; without one, equal elements share it evenly.

    >>> import minigrad
    >>> minigrad.max(minigrad.tensor([3.0, 1.0, 2.0]))
    tensor(3.)
    """
    return _extreme("max", _amax, maximum, input, dim if other is None else other, keepdim)


def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """The smallest element; or along `dim`, with positions; or, given a tensor, of two elementwise.

    Along a dimension the result is a pair with the fields `values` and `indices`, and the gradient
    goes to the element at the index; without one, equal elements share it evenly.
    """
    return _extreme("min", _amin, minimum, input, dim if other is None else other, keepdim)


def _extreme(
    operation: str, reduction: Any, binary: Any, input: Any, dim: Any, keepdim: bool
) -> Any:
    if dim is None:
        _checked(operation, input, None)
        return reduction(input, dim=None, keepdim=False)
    if hasattr(dim, "dtype"):
        return binary(input, dim)
    axis = wrap_dim(operation, dim, dimensions(operation, input))
    _checked(operation, input, axis)
    return selection(input, places(operation, input, axis), axis, keepdim)


def places(operation: str, input: Any, axis: int) -> Any:
    """Where along a dimension the largest or smallest elements are, as a raw array."""
    array = ordered(operation, input._array if isinstance(input, Traced) else input)
    return as_array(getattr(array, "arg" + operation)(axis if array.ndim else None))


def selection(input: Any, index: Any, dim: int, keepdim: bool) -> Selection:
    """The elements at one position along a dimension, with the positions."""
    index = as_array(index)
    values = _take_one(input, index=index, dim=dim, keepdim=keepdim)
    index = index.astype(dtypes.int64, copy=False)
    if keepdim and input.ndim:
        index = index.reshape((*index.shape[:dim], 1, *index.shape[dim:]))
    return Selection(values, wrap(input, index) if isinstance(input, Traced) else index)
