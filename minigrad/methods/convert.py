"""Conversions as methods of Tensor: to numbers, lists and arrays, dtypes and devices."""

from __future__ import annotations

import importlib
from typing import Any

import numpy

from minigrad import dtypes
from minigrad.backend import backend_for, backend_of, device, device_of, to_numpy
from minigrad.errors import ArgumentError, DeviceError, GraphError
from minigrad.graph import Traced, primitive
from minigrad.inplace import in_place
from minigrad.methods.operators import OPERATORS
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import broadcast_to


@primitive(input=lambda g, origin: move(g, to=origin, origin=origin))
def move(xp: Any, input: Any, *, to: device, origin: device) -> Any:
    """The same values on the device `to`; `origin` is where the gradient goes back to."""
    here = device_of(input)
    if here == to:
        return input
    if here.type == to.type:
        return backend_of(input).move(input, to)
    return backend_for(to).from_numpy(to_numpy(input), to)


def _may_be_of_face(value: Any) -> bool:
    return isinstance(value, (tuple, list, dict)) or hasattr(value, "to_tensor")


def _face(part: str) -> Any:
    """A part of the NumPy face, which is loaded when it is first needed."""
    importlib.import_module("minigrad.numpy")
    return importlib.import_module(f"minigrad.numpy.{part}")


def _number(tensor: Any, wanted: str) -> Any:
    if tensor._array.size != 1:
        raise TypeError(
            f"only a tensor of one element converts to {wanted}, this one has shape "
            f"{list(tensor._array.shape)}"
        )
    return tensor._array.item()


def _destination(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The device, dtype and copy flag that the arguments of `to` ask for."""
    place, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    copy = kwargs.pop("copy", False)
    other = kwargs.pop("other", None)
    for name in ("non_blocking", "memory_format"):
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError(f"to(): unexpected arguments {sorted(kwargs)}")
    for value in args:
        if isinstance(value, Traced):
            other = value
        elif isinstance(value, device) or (isinstance(value, str) and _names_device(value)):
            place = value
        elif isinstance(value, bool):
            continue
        elif isinstance(value, int):
            place = device("cuda", value)
        elif value is not None:
            dtype = value
    if other is not None:
        place, dtype = device_of(other._array), other._array.dtype
    return (
        None if place is None else device(place),
        None if dtype is None else dtypes.as_dtype(dtype, "to"),
        copy,
    )


def _names_device(text: str) -> bool:
    return text.split(":")[0] in ("cpu", "cuda") or text not in dtypes.__all__


def _moved(tensor: Any, place: device) -> Any:
    here = tensor.device
    if here == place or (place.index is None and here.type == place.type):
        return tensor
    return move(tensor, to=place, origin=here)


def _copy(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """The values of `src`, broadcast to the shape of `input`, in its dtype and on its device."""
    if not isinstance(src, Traced):
        raise TypeError(f"copy_(): src must be a Tensor, not {type(src).__name__}")
    value = convert(_moved(src, input.device), input._array.dtype)
    return broadcast_to(value, size=input._array.shape)


class ConvertMethods(Traced):
    """Methods that give a tensor's values another form."""

    def item(self) -> Any:
        """The only element as a Python number; raises ArgumentError if there are more or none."""
        if self._array.size != 1:
            raise ArgumentError(
                f"item(): a tensor with {self._array.size} elements is no single number; index one "
                f"element, or use tolist()"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> numpy.ndarray[Any, Any]:
        """The elements as a NumPy array that shares this tensor's memory.

        Raises GraphError for a tensor that requires a gradient and DeviceError for one that is not
        on the CPU, unless `force` asks for a detached copy on the host.
        """
        if not force:
            if self._node is not None:
                raise GraphError(
                    "numpy(): this tensor requires a gradient, which NumPy would drop; use "
                    "x.detach().numpy()"
                )
            place = device_of(self._array)
            if place != "cpu":
                raise DeviceError(f"numpy(): this tensor is on {place}; use x.cpu().numpy()")
        return to_numpy(self._array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return numpy.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operator = OPERATORS.get(ufunc) if method == "__call__" and not kwargs else None
        # Arrays of the NumPy face, and lists that may hold some, are its own.
        if operator is not None and not any(map(_may_be_of_face, inputs)):
            return operator(*inputs)
        return _face("dispatch").universal(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _face("dispatch").function(func, args, kwargs)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The module whose functions take this tensor under the Array API standard's names."""
        known = ("2021.12", "2022.12", "2023.12", "2024.12")
        if api_version not in (None, *known):
            raise ArgumentError(
                f"__array_namespace__(): version {api_version!r} is not known; these are: "
                f"{', '.join(known)}"
            )
        return importlib.import_module("minigrad.numpy")

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self._node is not None:
            raise GraphError(
                "__dlpack__(): this tensor requires a gradient, which the receiver would drop; "
                "pass x.detach()"
            )
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """The tensor with another dtype or on another device, or as another tensor has them.

        `to(dtype)`, `to(device, dtype)`, `to(other)`; itself when nothing changes, unless `copy`.
        """
        place, dtype, copy = _destination(args, kwargs)
        result: Any = self
        if dtype is not None:
            result = convert(result, dtype)
        if place is not None:
            result = _moved(result, place)
        if copy and result is self:
            result = self.clone()
        return result

    def cpu(self) -> Any:
        """The tensor in the host's memory."""
        return _moved(self, device("cpu"))

    def cuda(self, device: Any = "cuda") -> Any:
        """The tensor in a GPU's memory."""
        return self.to(device)

    def type(self, dtype: Any = None) -> Any:
        """The dtype's name, or the tensor with another dtype."""
        if dtype is None:
            return f"minigrad.{self._array.dtype.name}"
        return convert(self, dtypes.as_dtype(dtype, "type"))

    def type_as(self, other: Any) -> Any:
        """The tensor with the dtype of another."""
        return self.to(other._array.dtype)

    def bool(self) -> Any:
        """The tensor as bools."""
        return convert(self, dtypes.bool)

    def byte(self) -> Any:
        """The tensor as uint8."""
        return convert(self, dtypes.uint8)

    def char(self) -> Any:
        """The tensor as int8."""
        return convert(self, dtypes.int8)

    def short(self) -> Any:
        """The tensor as int16."""
        return convert(self, dtypes.int16)

    def int(self) -> Any:
        """The tensor as int32."""
        return convert(self, dtypes.int32)

    def long(self) -> Any:
        """The tensor as int64."""
        return convert(self, dtypes.int64)

    def half(self) -> Any:
        """The tensor as float16."""
        return convert(self, dtypes.float16)

    def float(self) -> Any:
        """The tensor as float32."""
        return convert(self, dtypes.float32)

    def double(self) -> Any:
        """The tensor as float64."""
        return convert(self, dtypes.float64)

    def cfloat(self) -> Any:
        """The tensor as complex64."""
        return convert(self, dtypes.complex64)

    def cdouble(self) -> Any:
        """The tensor as complex128."""
        return convert(self, dtypes.complex128)

    copy_ = in_place(_copy, keeps=False)

    def pin_memory(self) -> Any:
        """The tensor itself: host memory is not pinned here."""
        return self

    def __bool__(self) -> Any:
        if self._array.size != 1:
            raise ArgumentError(
                f"the truth of a tensor of shape {list(self._array.shape)} is ambiguous; use "
                f".any(), .all() or .item()"
            )
        return self._array.item() != 0

    def __int__(self) -> Any:
        return _number(self, "int").__int__()

    def __float__(self) -> Any:
        return _number(self, "float").__float__()

    def __complex__(self) -> complex:
        return complex(_number(self, "complex"))

    def __index__(self) -> Any:
        value = _number(self, "index")
        if self._array.dtype.kind not in "iub":
            raise TypeError(
                f"only integer tensors of one element are an index, this one has dtype "
                f"{self._array.dtype}; convert it with .long()"
            )
        return value.__index__()
