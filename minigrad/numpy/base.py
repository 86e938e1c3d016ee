"""What every function of this face rests on: its arrays, and how arguments become them."""

from __future__ import annotations

from operator import index as as_integer
from typing import Any, ClassVar

import numpy

from minigrad.backend import as_array, backend_of, is_array, to_numpy
from minigrad.dtypes import as_dtype
from minigrad.errors import GraphError
from minigrad.graph import Traced, is_recording, new
from minigrad.inplace import check_writable, update
from minigrad.ops.index import getitem
from minigrad.ops.join import stack
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import broadcast_to
from minigrad.ops.select import where as choose
from minigrad.tensor import Tensor


class Base(Tensor):
    """What `ndarray` is made of: the functions that its methods call know this much of it."""

    _tensor: ClassVar[type[Any]]


def dtype_of(dtype: Any, operation: str = "dtype") -> Any:
    """The dtype that NumPy reads from an argument: `float` is float64, "i4" is int32.

    Raises DtypeError for one that minigrad does not have.
    """
    return as_dtype(numpy.dtype(dtype), operation)


def made(array: Any, operation: str = "asarray") -> Any:
    """A raw array as an array of this face, sharing its memory."""
    array = as_array(array)
    dtype = as_dtype(array.dtype, operation)
    result = new(Base._tensor)
    result._array = array if array.dtype is dtype else array.astype(dtype, copy=False).view(dtype)
    result._node = None
    return result


def seen(tensor: Any) -> Any:
    """A Tensor as an array of this face: a view, through which gradients and writes go."""
    result = getitem(tensor, index=(Ellipsis,))
    result.__class__ = Base._tensor
    return result


def lift(value: Any) -> Any:
    """An argument as an array of this face: an array or Tensor shared, anything else copied."""
    if isinstance(value, Base):
        return value
    if isinstance(value, Traced):
        return seen(value)
    if is_array(value):
        return made(value)
    if isinstance(value, (list, tuple)) and _holds_tensors(value):
        parts = like_kinds(*value)
        return stack(parts) if parts[0].ndim or len(parts) > 1 else parts[0].reshape(1)
    return made(numpy.asarray(value))


def _holds_tensors(data: Any) -> bool:
    return any(
        isinstance(part, Traced) or (isinstance(part, (list, tuple)) and _holds_tensors(part))
        for part in data
    )


def like_kinds(*values: Any) -> list[Any]:
    """Arrays and numbers as arrays of one dtype, by NumPy's promotion."""
    weak = [type(value) in (int, float, complex) for value in values]
    if all(weak):
        weak = [False] * len(weak)
    parts = [value if soft else lift(value) for value, soft in zip(values, weak)]
    dtype = common(*parts)
    like = next(part for part in parts if isinstance(part, Base))
    return [operand(part, dtype, like, numbers=False) for part in parts]


def common(*values: Any) -> Any:
    """The dtype that NumPy's promotion gives arrays of this face, dtypes and Python numbers."""
    kinds = [value._array.dtype if isinstance(value, Traced) else value for value in values]
    return as_dtype(numpy.result_type(*kinds), "result_type")


def operand(value: Any, dtype: Any, like: Any, numbers: bool = True) -> Any:
    """An operand in the dtype of an operation, on the device of `like`.

    With `numbers`, a Python number beside floats stays one. Raises OverflowError for an integer
    that the dtype cannot hold.
    """
    if isinstance(value, Traced):
        return value if value._array.dtype is dtype else convert(value, dtype)
    if numbers and dtype.kind == "f" and value.__class__ in (float, int):
        return value
    backend = backend_of(like._array)
    array = numpy.asarray(value, dtype)
    return made(backend.from_numpy(array, backend.device_of(like._array)))


def as_type(value: Any, dtype: Any) -> Any:
    """An argument as an array of this face in a dtype; None leaves the dtype as it is."""
    value = lift(value)
    return value if dtype is None else convert(value, dtype_of(dtype))


def floating(value: Any, dtype: Any = None) -> Any:
    """An argument as a floating or complex array: integers and bools become float64."""
    value = as_type(value, dtype)
    return convert(value, _FLOAT) if value._array.dtype.kind in "biu" else value


_FLOAT = as_dtype("float64")


def raw(value: Any) -> Any:
    """The elements of an argument that has no derivative, on the host."""
    return to_numpy(value._array) if isinstance(value, Traced) else numpy.asarray(value)


def axis_of(axis: Any, ndim: int) -> int:
    """An axis counted from the front; raises NumPy's AxisError, an IndexError and ValueError."""
    axis = as_integer(axis)
    if not -ndim <= axis < ndim:
        raise numpy.exceptions.AxisError(axis, ndim)
    return int(axis % ndim)


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front; None stands for all of them."""
    if axis is None:
        return tuple(range(ndim))
    found = tuple(
        axis_of(one, ndim) for one in (axis if isinstance(axis, (tuple, list)) else [axis])
    )
    if len(set(found)) < len(found):
        raise ValueError(f"an axis is named twice in {axis}")
    return found


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape given as an integer or a sequence of integers."""
    if isinstance(shape, (tuple, list)):
        return tuple(as_integer(size) for size in shape)
    if hasattr(shape, "ndim") and shape.ndim:
        return tuple(as_integer(size) for size in shape)
    return (as_integer(shape),)


def refuse_gradient(operation: str, *values: Any) -> None:
    """Raise GraphError if a result without a derivative would drop a gradient in silence."""
    if is_recording() and any(isinstance(v, Traced) and v._node is not None for v in values):
        raise GraphError(
            f"{operation}(): it has no derivative here, and an argument requires a gradient, which "
            f"the result would drop; pass x.detach()"
        )


def delivered(result: Any, out: Any, where: Any, operation: str) -> Any:
    """A result, or `out` after the result was written into it, where `where` holds."""
    if isinstance(out, tuple):
        (out,) = out
    if where is not True:
        if out is None:
            raise TypeError(
                f"{operation}(): where= leaves elements undefined without out=; write "
                f"where(mask, {operation}(x), other)"
            )
        result = choose(lift(where), result, lift(out))
    if out is None:
        return result
    if isinstance(out, Traced):
        if is_recording():
            check_writable(out, operation)
        if result._array.shape != out._array.shape:
            result = broadcast_to(result, size=out._array.shape)
        return update(out, result, operation)
    if result._node is not None:
        raise GraphError(
            f"{operation}(): a NumPy array given as out= would drop the gradient of the result; "
            f"give an array of minigrad.numpy, or none"
        )
    numpy.copyto(out, to_numpy(result._array), casting="same_kind")
    return out
