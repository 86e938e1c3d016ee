"""Tensors from data: numbers, nested sequences, and the arrays of NumPy and CuPy."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.backend import as_array, backend_for, backend_of, to_numpy
from minigrad.backend import device as make_device
from minigrad.dtypes import as_dtype, get_default_dtype
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced
from minigrad.ops.creation import backend_at, made

__all__ = ["as_tensor", "asarray", "from_dlpack", "from_numpy", "tensor"]

_NUMBERS = frozenset({bool, int, float, complex})
_SEQUENCES = (list, tuple, range)


def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Any:
    """A tensor that holds a copy of data: a number, nested sequences of numbers, an array.

    Python's floats become the default dtype, its integers int64, its complex numbers the default's
    complex dtype; arrays and tensors keep theirs. Raises TypeError for data that are no numbers,
    ArgumentError for sequences of uneven length.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    wanted = None if dtype is None else as_dtype(dtype, "tensor")
    if isinstance(data, Traced):
        data = data._array
    if hasattr(data, "dtype") and hasattr(data, "ndim"):
        array = as_array(data)
        array = array.astype(as_dtype(array.dtype, "tensor") if wanted is None else wanted)
    else:
        array = _from_python(data, wanted)
    return made(_placed(array, device), device, requires_grad)


def _placed(array: Any, device: Any) -> Any:
    """The array on a device: where it is for None."""
    backend = backend_of(array)
    if device is None or backend is backend_at(device):
        return array
    if device == "cpu":
        return to_numpy(array)
    return backend_at(device).from_numpy(to_numpy(array), make_device(device))


def _from_python(data: Any, dtype: Any) -> Any:
    """A NumPy array of numbers and nested sequences of numbers, arrays and tensors."""
    kinds = _leaf_kinds(data)
    if not kinds <= _NUMBERS:
        dtype = _promoted(data) if dtype is None else dtype
        data = _plain(data)
    elif dtype is None:
        dtype = _inferred(kinds)
    try:
        return backend_at(None).xp.array(data, dtype)
    except OverflowError as error:
        raise ArgumentError(
            f"tensor(): argument 'data' holds a number that dtype {dtype} cannot hold"
        ) from error
    except TypeError as error:
        message = f"tensor(): argument 'data' does not fit dtype {dtype}: {error}"
        raise DtypeError(message) from error
    except ValueError as error:
        raise ArgumentError(
            f"tensor(): argument 'data' is no regular array of numbers: {error}"
        ) from error


def _inferred(kinds: set[type]) -> Any:
    """The dtype of Python numbers of these types."""
    if complex in kinds:
        return dtypes.default_complex()
    if float in kinds or not kinds:
        return get_default_dtype()
    return dtypes.int64 if int in kinds else dtypes.bool


def _leaf_kinds(data: Any) -> set[type]:
    """The types of what nested sequences hold."""
    if not isinstance(data, _SEQUENCES):
        return {type(data)}
    kinds = set(map(type, data))
    if kinds & {list, tuple, range}:
        inner = [part for part in data if isinstance(part, _SEQUENCES)]
        kinds = {kind for kind in kinds if kind not in _SEQUENCES}
        kinds.update(*map(_leaf_kinds, inner))
    return kinds


def _plain(data: Any) -> Any:
    """Nested sequences with tensors as Python numbers; TypeError for what is no number."""
    if isinstance(data, _SEQUENCES):
        return [_plain(part) for part in data]
    if isinstance(data, Traced):
        if data._array.size != 1:
            raise ArgumentError(
                f"tensor(): argument 'data' holds a tensor of shape {list(data._array.shape)}; "
                f"only tensors of one element can stand among numbers, stack() joins larger ones"
            )
        return data._array.reshape(()).item() if data._array.ndim == 0 else data._array.tolist()
    if hasattr(data, "dtype") and hasattr(data, "ndim"):
        return to_numpy(as_array(data))
    if isinstance(data, (bool, int, float, complex)):
        return data
    raise TypeError(
        f"tensor(): argument 'data' must be a number, a sequence of numbers or an array, not "
        f"{type(data).__name__}"
    )


def _promoted(data: Any) -> Any:
    """The dtype that numbers, arrays and tensors in nested sequences have together."""
    if isinstance(data, _SEQUENCES):
        found = None
        for part in data:
            dtype = _promoted(part)
            found = dtype if found is None else dtypes.promote_types(found, dtype)
        return get_default_dtype() if found is None else found
    if isinstance(data, (bool, int, float, complex)) and type(data) in _NUMBERS:
        return dtypes.scalar_dtype(data)
    return as_dtype(data.dtype if hasattr(data, "dtype") else type(_plain(data)), "tensor")


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """The data as a tensor: a Tensor itself, an array's memory shared, anything else copied.

    A dtype or device that differs makes a copy, through which gradients go.
    """
    if isinstance(data, Traced):
        if dtype is None and device is None:
            return data
        return data.to(dtype=dtype, device=device)  # type: ignore[attr-defined]
    if hasattr(data, "dtype") and hasattr(data, "__array_interface__"):
        shared = from_numpy(as_array(data))
        return as_tensor(shared, dtype, device)
    if hasattr(data, "dtype") and hasattr(data, "__dlpack__"):
        return as_tensor(made(data), dtype, device)
    return tensor(data, dtype=dtype, device=device)


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Any:
    """The data as a tensor, sharing memory unless `copy` asks otherwise."""
    if copy:
        return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    result = as_tensor(obj, dtype, device)
    return result.requires_grad_() if requires_grad else result


def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares the memory of a NumPy array.

    Raises TypeError for anything else, DtypeError for a dtype that minigrad does not have.
    """
    raw = as_array(ndarray) if hasattr(ndarray, "__array_interface__") else None
    if raw is None or not hasattr(ndarray, "strides") or not hasattr(ndarray, "flags"):
        raise TypeError(
            f"from_numpy(): argument 'ndarray' must be a NumPy array, not "
            f"{type(ndarray).__name__}; tensor(data) takes other data"
        )
    as_dtype(raw.dtype, "from_numpy")
    if not raw.dtype.isnative:
        raise DtypeError(
            f"from_numpy(): argument 'ndarray' has dtype {raw.dtype.str!r}, whose byte order is "
            f"not this machine's; write ndarray.astype(ndarray.dtype.newbyteorder('='))"
        )
    return made(raw)


def from_dlpack(ext_tensor: Any) -> Any:
    """A tensor that shares the memory of any array that speaks DLPack, on the CPU or a GPU.

    Raises TypeError for an object without `__dlpack__`, DtypeError for a dtype that minigrad does
    not have.
    """
    if not hasattr(ext_tensor, "__dlpack__"):
        raise TypeError(
            f"from_dlpack(): argument 'ext_tensor' has no __dlpack__, it is a "
            f"{type(ext_tensor).__name__}; tensor(data) takes other data"
        )
    kind = ext_tensor.__dlpack_device__()[0]
    place = "cpu" if int(kind) == _DLPACK_CPU else "cuda"
    raw = backend_for(place).xp.from_dlpack(ext_tensor)
    as_dtype(raw.dtype, "from_dlpack")
    return made(raw)


_DLPACK_CPU = 1
