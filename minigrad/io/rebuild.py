"""What a checkpoint of torch may name, and the tensors, arrays and numbers that it is rebuilt to.

The names are those that torch.load(weights_only=True) admits, less the kinds of tensor that are
not here, and NumPy's arrays and numbers.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

import numpy

from minigrad import dtypes
from minigrad.backend import backend_of, device
from minigrad.errors import DeviceError
from minigrad.io.unpickle import Admitted, Unreadable, checked_key
from minigrad.nn import Parameter
from minigrad.ops.creation import made
from minigrad.tensor import Size, Tensor

__all__ = ["ADMITTED", "BUILDERS", "Kind", "Storage", "reason"]

_NUMBERS = frozenset("biufc")


class Kind:
    """The dtype of a storage as torch names it: how it lies in a file, and what it becomes."""

    def __init__(self, stored: str, dtype: Any) -> None:
        self.stored = numpy.dtype(stored)
        self.dtype = dtype

    def array(self, raw: Any, little: bool) -> Any:
        """The flat bytes as an array of this machine's byte order."""
        lying = raw.view(self.stored.newbyteorder("<" if little else ">"))
        if self.dtype is None:
            return _single_of_bfloat16(lying)
        return lying.astype(self.dtype) if not _native(lying) else lying.view(self.dtype)


class Storage:
    """Memory that tensors of a checkpoint share: a flat array, where it is to be, and its kind."""

    def __init__(self, raw: Any, kind: Kind | None, little: bool, place: Any) -> None:
        self.raw = raw
        self.kind = kind
        self.little = little
        self.place = place
        self.flat: Any = None

    def tensor(self) -> Any:
        """All of it as a flat tensor, made once."""
        if self.flat is None:
            if self.kind is None:
                raise TypeError("a storage of bytes has no elements")
            flat = made(self.kind.array(self.raw, self.little))
            self.flat = flat.to(self.place(flat))
        return self.flat


def _native(array: Any) -> bool:
    return bool(array.dtype.isnative and array.flags.aligned)


def _single_of_bfloat16(bits: Any) -> Any:
    """The numbers whose upper sixteen bits these are, as float32: the same numbers."""
    warnings.warn(
        "load(): the file holds bfloat16 tensors, which minigrad does not have; they became "
        "float32, which holds the same numbers",
        stacklevel=2,
    )
    return (bits.astype(numpy.uint32) << 16).view(dtypes.float32)


_KINDS = {
    "Float": ("float32", dtypes.float32),
    "Double": ("float64", dtypes.float64),
    "Half": ("float16", dtypes.float16),
    "Long": ("int64", dtypes.int64),
    "Int": ("int32", dtypes.int32),
    "Short": ("int16", dtypes.int16),
    "Char": ("int8", dtypes.int8),
    "Byte": ("uint8", dtypes.uint8),
    "Bool": ("bool", dtypes.bool),
    "ComplexFloat": ("complex64", dtypes.complex64),
    "ComplexDouble": ("complex128", dtypes.complex128),
    "BFloat16": ("uint16", None),
}


def _integers(values: Any) -> tuple[int, ...]:
    if type(values) not in (tuple, list, Size) or not all(type(v) is int for v in values):
        raise TypeError("sizes and strides are integers")
    return tuple(values)


def _tensor(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any = False,
    hooks: Any = None,
    metadata: Any = None,
) -> Any:
    """The tensor at a place of a storage, after the check that all its elements lie within it."""
    if not isinstance(storage, Storage):
        raise TypeError("a tensor has no storage")
    size, stride = _integers(size), _integers(stride)
    (offset,) = _integers((offset,))
    flat = storage.tensor()
    if len(size) != len(stride) or offset < 0 or min((*size, *stride), default=0) < 0:
        raise Unreadable(f"a tensor has sizes {size} and strides {stride}, which cannot be")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride))
    if 0 not in size and last >= flat.numel():
        raise Unreadable(
            f"a tensor of sizes {size}, strides {stride} and offset {offset} reaches beyond its "
            f"{flat.numel()} elements"
        )
    if math.prod(size) >= 1 << 63:
        raise Unreadable(f"a tensor of sizes {size} has more elements than can be counted")
    return _view(flat._array, offset, size, stride, requires_grad)


def _view(array: Any, offset: int, size: Any, stride: Any, requires_grad: Any) -> Any:
    if 0 in size:
        view = array[:0].reshape(size)
    else:
        item = array.dtype.itemsize
        steps = tuple(step * item for step in stride)
        if isinstance(array, numpy.ndarray):
            # Unlike as_strided's, its `base` is the array, so that changes to shared memory show.
            view = numpy.ndarray(size, array.dtype, array, offset * item, steps)
        else:
            strided = backend_of(array).xp.lib.stride_tricks.as_strided
            view = strided(array[offset:], size, steps)
    return made(view, requires_grad=requires_grad is True)


def _tensor_of_bytes(
    storage: Any,
    offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Any:
    """A tensor of a storage that does not know its dtype."""
    if not isinstance(storage, Storage) or not isinstance(dtype, numpy.dtype):
        raise TypeError("a tensor has no storage or no dtype")
    kind = Kind(dtype.name, dtype)
    if storage.kind is not None or storage.raw.nbytes % dtype.itemsize:
        raise TypeError("a storage is not of bytes")
    typed = Storage(storage.raw, kind, storage.little, storage.place)
    return _tensor(typed, offset, size, stride, requires_grad)


def _parameter(data: Any, requires_grad: Any, hooks: Any = None, state: Any = None) -> Any:
    if type(data) is not Tensor:
        raise TypeError("a parameter has no tensor")
    return _attributed(Parameter(data, requires_grad is True), state)


def _of_type(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """A tensor that has attributes of its own."""
    if not any(function is known for known in _REBUILDS.values()) or type(arguments) is not tuple:
        raise TypeError("a tensor is rebuilt by no function for that")
    made = function(*arguments)
    return _parameter(made, made.requires_grad, None, state) if kind is Parameter else (
        _attributed(made, state)
    )  # fmt: skip


def _attributed(tensor: Any, state: Any) -> Any:
    """The tensor with the attributes that a program gave it."""
    given = state[0] if type(state) is tuple and state else state
    for name, value in (given or {}).items():
        if type(name) is str and not name.startswith("_") and not hasattr(tensor, name):
            setattr(tensor, name, value)
    return tensor


def _device(kind: Any, index: Any = None) -> Any:
    try:
        return device(kind, index)
    except DeviceError as error:
        raise Unreadable(str(error)) from error


def _ordered(pairs: Any = ()) -> Any:
    return OrderedDict((checked_key(key), value) for key, value in pairs)


def _counter(counts: Any) -> Any:
    if type(counts) is not dict:
        raise TypeError("a Counter is made of a dict")
    return Counter(counts)


def _set(elements: Any) -> Any:
    return set(map(checked_key, elements))


def _complex(real: Any, imaginary: Any) -> Any:
    return complex(float(real), float(imaginary))


def _encode(text: Any, encoding: Any) -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise TypeError("bytes are written as latin1")
    return text.encode("latin1")


def _byte_array(content: Any = b"", encoding: Any = "latin-1") -> bytearray:
    return bytearray(content if type(content) is bytes else _encode(content, encoding))


def _dtype(spelled: Any, align: Any = False, copy: Any = True) -> Any:
    """A dtype of NumPy for numbers, as an object of its own."""
    found = numpy.dtype(spelled) if type(spelled) is str and len(spelled) < 9 else None
    if found is None or found.kind not in _NUMBERS or found.subdtype is not None:
        raise Unreadable(f"it holds a NumPy dtype {spelled!r}, which is none of numbers")
    return numpy.dtype(found, False, True)


def _build_dtype(dtype: Any, state: Any) -> None:
    if type(state) is not tuple or len(state) < 5 or any(v is not None for v in state[2:5]):
        raise TypeError("a dtype of numbers has no fields")
    if state[1] not in ("<", ">", "=", "|"):
        raise TypeError("a dtype has no such byte order")
    if dtype.itemsize > 1:
        dtype.__setstate__((3, state[1], None, None, None, -1, -1, 0))


def _scalar(dtype: Any, content: Any) -> Any:
    return numpy.frombuffer(_checked_bytes(dtype, (), content), dtype)[0]


def _array(kind: Any, shape: Any, code: Any) -> Any:
    """An array that is yet to be given its content."""
    if kind is not numpy.ndarray:
        raise TypeError("an array is of no other class")
    return numpy.empty(0)


def _build_array(array: Any, state: Any) -> None:
    _, shape, dtype, columns_first, content = state
    content = _checked_bytes(dtype, _integers(shape), content)
    array.__setstate__((1, shape, dtype, columns_first is True, content))


def _checked_bytes(dtype: Any, shape: Any, content: Any) -> bytes:
    """The bytes of an array, where they are as many as its dtype and shape say."""
    if not isinstance(dtype, numpy.dtype) or dtype.kind not in _NUMBERS:
        raise TypeError("an array has no dtype of numbers")
    if min(shape, default=0) < 0 or type(content) is not bytes:
        raise TypeError("an array has no content")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise Unreadable(f"an array of shape {shape} and {dtype} has {len(content)} bytes")
    return content


def _build_mapping(mapping: Any, state: Any) -> None:
    """A state dict notes the versions of its modules as an attribute."""
    if type(state) is not dict or not set(state) <= {"_metadata"}:
        raise TypeError("a dict has no such attributes")
    vars(mapping).update(state)


BUILDERS: dict[type, Callable[[Any, Any], None]] = {
    OrderedDict: _build_mapping,
    numpy.ndarray: _build_array,
    numpy.dtype: _build_dtype,
}

_REBUILDS: dict[str, Callable[..., Any]] = {
    "_rebuild_tensor": _tensor,
    "_rebuild_tensor_v2": _tensor,
    "_rebuild_tensor_v3": _tensor_of_bytes,
    "_rebuild_parameter": _parameter,
    "_rebuild_parameter_with_state": _parameter,
}

ADMITTED: dict[str, Admitted] = {
    "collections OrderedDict": Admitted(_ordered),
    "collections Counter": Admitted(_counter),
    "_codecs encode": Admitted(_encode),
    "torch Size": Admitted(Size),
    "torch device": Admitted(_device),
    "torch Tensor": Admitted(value=Tensor),
    "torch.nn.parameter Parameter": Admitted(value=Parameter),
    "torch._tensor _rebuild_from_type_v2": Admitted(_of_type),
    "torch.storage UntypedStorage": Admitted(value=Storage),
    "torch UntypedStorage": Admitted(value=Storage),
    "numpy dtype": Admitted(_dtype),
    "numpy ndarray": Admitted(value=numpy.ndarray),
}
ADMITTED.update(
    (f"{module} {name}", Admitted(function))
    for module in ("builtins", "__builtin__")
    for name, function in (("set", _set), ("complex", _complex), ("bytearray", _byte_array))
)
ADMITTED.update(
    (f"numpy.{core}.multiarray {name}", Admitted(function))
    for core in ("core", "_core")
    for name, function in (("scalar", _scalar), ("_reconstruct", _array))
)
ADMITTED.update(
    (f"torch._utils {name}", Admitted(function, value=function))
    for name, function in _REBUILDS.items()
)
for _name, (_stored, _held) in _KINDS.items():
    ADMITTED[f"torch {_name}Storage"] = Admitted(value=Kind(_stored, _held))
    if _held is not None:
        ADMITTED[f"torch {_stored}"] = Admitted(value=_held)

for _name in ("uint16", "uint32", "uint64"):
    ADMITTED[f"torch {_name}"] = Admitted(value=dtypes.as_dtype(_name))

_REASONS = (
    ("torch.nn.modules.", "is a module: in the program that wrote it, save its state_dict()"),
    ("torch.optim.", "is an optimizer: in the program that wrote it, save its state_dict()"),
    ("torch._utils _rebuild_sparse", "is a sparse tensor: save it with to_dense()"),
    ("torch._utils _rebuild_q", "is a quantized tensor: save it with dequantize()"),
    ("torch._utils _rebuild_meta", "is a tensor without data"),
    ("torch Q", "is the storage of quantized tensors: save them with dequantize()"),
    ("torch ", "is a dtype or class that minigrad does not have: save with a dtype that it has"),
    ("argparse Namespace", "is no data: in the program that wrote it, save vars(arguments)"),
    ("__main__ ", "is a class of the program that wrote the file: save plain dicts of tensors"),
)


def reason(spelled: str) -> str:
    """Why a name that is not admitted is refused, and what would work."""
    name = spelled.replace(" ", ".")
    for start, why in _REASONS:
        if spelled.startswith(start):
            return f"it asks for '{name}', which {why}"
    return (
        f"it asks for '{name}', which is not among the classes and functions that describe "
        "tensors and plain data; nothing of it was run"
    )
