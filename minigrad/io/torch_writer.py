"""Writing checkpoints as torch does, in a form that torch.load(weights_only=True) reads.

The instructions of the pickle are written here one by one, as Python's own writer would have to
import torch to name its functions.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy

from minigrad.backend import device
from minigrad.io.archive import write_archive
from minigrad.io.shared import Piece, pieces
from minigrad.io.structure import spelled
from minigrad.nn import Parameter
from minigrad.tensor import Size, Tensor

__all__ = ["write_torch"]

_STORAGES = {
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "float16": "HalfStorage",
    "int64": "LongStorage",
    "int32": "IntStorage",
    "int16": "ShortStorage",
    "int8": "CharStorage",
    "uint8": "ByteStorage",
    "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
    "bfloat16": "BFloat16Storage",
}
_CONSTANTS = {None: b"N", True: b"\x88", False: b"\x89"}
_KEYS = (str, int, float, bool, bytes, type(None), tuple)


def write_torch(obj: Any, file: BinaryIO, folder: str = "archive") -> None:
    """Write a nested object of tensors, numbers, strings and containers to a file.

    Raises TypeError for what torch.load(weights_only=True) would refuse, naming the place.
    """
    writer = _Writer()
    writer.collect(obj, ())
    writer.located = pieces(writer.tensors)
    writer.put(b"\x80\x02")
    writer.write(obj, ())
    writer.put(b".")
    records: dict[str, Any] = {"data.pkl": b"".join(writer.parts), "byteorder": b"little"}
    for key, storage in enumerate(writer.storages):
        records[f"data/{key}"] = storage.view(numpy.uint8).data
    records["version"] = b"3\n"
    write_archive(file, folder, records)


class _Writer:
    """The instructions so far, and what was written already and may be referred to."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.tensors: dict[int, Any] = {}
        self.located: dict[int, Piece] = {}
        self.storages: list[Any] = []
        self.keys: dict[int, int] = {}
        # Keeping the object beside its number keeps its id from being used again.
        self.memo: dict[Any, tuple[int, Any]] = {}
        self.open: set[int] = set()

    def put(self, instruction: bytes) -> None:
        self.parts.append(instruction)

    def collect(self, value: Any, path: tuple[Any, ...]) -> None:
        """Note all tensors, and refuse what contains itself."""
        if isinstance(value, Tensor):
            self.tensors[id(value)] = value
            return
        if not isinstance(value, (Mapping, list, tuple)):
            return
        if id(value) in self.open:
            raise ValueError(f"save(): {spelled(path)} contains itself, so it has no end")
        self.open.add(id(value))
        entries = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, entry in entries:
            self.collect(entry, (*path, key))
        self.open.remove(id(value))

    def write(self, value: Any, path: tuple[Any, ...]) -> None:
        kind = type(value)
        if value is None or kind is bool:
            self.put(_CONSTANTS[value])
        elif kind is int:
            self.integer(value)
        elif kind is float:
            self.put(b"G" + struct.pack(">d", value))
        elif kind is str:
            self.text(value)
        elif isinstance(value, device):
            self.call("torch", "device", (value.type,) if value.index is None else (
                value.type, value.index))  # fmt: skip
        elif isinstance(value, numpy.dtype) and value.name in _STORAGES:
            self.name("torch", value.name)
        elif kind is complex:
            self.call("builtins", "complex", (value.real, value.imag))
        elif kind is bytes:
            self.call("_codecs", "encode", (value.decode("latin1"), "latin1"))
        elif id(value) in self.memo:
            self.get(id(value))
        else:
            self.compound(value, path)

    def compound(self, value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, Tensor):
            self.tensor(value, path)
        elif isinstance(value, Size):
            self.call("torch", "Size", (tuple(value),))
        elif isinstance(value, Mapping):
            self.mapping(value, path)
        elif type(value) is list:
            self.put(b"]")
            self.remember(value)
            self.elements(list(enumerate(value)), path, b"e", keyed=False)
        elif type(value) is tuple:
            self.elements(list(enumerate(value)), path, b"t", keyed=False)
            self.remember(value)
        elif type(value) is set:
            self.call("builtins", "set", (list(value),))
        else:
            raise TypeError(_refusal(value, path))

    def mapping(self, value: Mapping[Any, Any], path: tuple[Any, ...]) -> None:
        if isinstance(value, OrderedDict):
            self.name("collections", "OrderedDict")
            self.put(b")R")
        else:
            self.put(b"}")
        self.remember(value)
        for key in value:
            if not isinstance(key, _KEYS):
                raise TypeError(
                    f"save(): {spelled(path)} has a key of type {type(key).__name__}; keys are "
                    "strings, numbers, bools, None or tuples of these"
                )
        self.elements(list(value.items()), path, b"u", keyed=True)
        metadata = getattr(value, "_metadata", None)
        if metadata is not None:
            self.write({"_metadata": metadata}, path)
            self.put(b"b")

    def elements(self, entries: Any, path: tuple[Any, ...], end: bytes, *, keyed: bool) -> None:
        self.put(b"(")
        for key, entry in entries:
            if keyed:
                self.write(key, (*path, key))
            self.write(entry, (*path, key))
        self.put(end)

    def tensor(self, value: Any, path: tuple[Any, ...]) -> None:
        if not value.is_leaf:
            raise TypeError(
                f"save(): {spelled(path)} was computed from other tensors, and its graph cannot be "
                "saved; save x.detach()"
            )
        if type(value) is Parameter:
            self.name("torch._utils", "_rebuild_parameter")
            self.put(b"(")
        typed = value.dtype.name in _STORAGES  # torch has no class of storage for the others
        self.name("torch._utils", "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3")
        self.put(b"(")
        piece = self.located[id(value)]
        self.storage(piece, str(value.device))
        self.integer(piece.offset)
        for numbers in (piece.shape, piece.strides):
            self.elements(list(enumerate(numbers)), path, b"t", keyed=False)
        self.put(_CONSTANTS[value.requires_grad and type(value) is not Parameter])
        self.call("collections", "OrderedDict", ())
        if not typed:
            self.name("torch", value.dtype.name)
        self.put(b"tR")
        if type(value) is Parameter:
            self.put(_CONSTANTS[value.requires_grad])
            self.call("collections", "OrderedDict", ())
            self.put(b"tR")
        self.remember(value)

    def storage(self, piece: Piece, place: str) -> None:
        """A reference to the record that holds the elements of a tensor."""
        key = self.keys.get(id(piece.storage))
        if key is None:
            key = self.keys[id(piece.storage)] = len(self.storages)
            self.storages.append(piece.storage)
        self.put(b"(")
        self.text("storage")
        kind = _STORAGES.get(piece.storage.dtype.name)
        self.name("torch" if kind else "torch.storage", kind or "UntypedStorage")
        self.text(str(key))
        self.text("cuda:0" if place == "cuda" else place)
        self.integer(piece.storage.size if kind else piece.storage.nbytes)
        self.put(b"tQ")

    def call(self, module: str, function: str, arguments: tuple[Any, ...]) -> None:
        self.name(module, function)
        self.put(b"(")
        for argument in arguments:
            self.write(argument, ())
        self.put(b"tR")

    def name(self, module: str, name: str) -> None:
        key = (module, name)
        if key in self.memo:
            self.get(key)
            return
        self.put(f"c{module}\n{name}\n".encode())
        self.memo[key] = (len(self.memo), key)
        self.put(b"r" + struct.pack("<I", self.memo[key][0]))

    def text(self, value: str) -> None:
        if ("text", value) in self.memo:
            self.get(("text", value))
            return
        encoded = value.encode("utf-8", "surrogatepass")
        self.put(b"X" + struct.pack("<I", len(encoded)) + encoded)
        self.memo["text", value] = (len(self.memo), value)
        self.put(b"r" + struct.pack("<I", self.memo["text", value][0]))

    def integer(self, value: int) -> None:
        if 0 <= value < 256:
            self.put(b"K" + struct.pack("<B", value))
        elif -(1 << 31) <= value < 1 << 31:
            self.put(b"J" + struct.pack("<i", value))
        else:
            size = value.bit_length() // 8 + 1
            if size > 255:
                raise TypeError("save(): an integer has more than 2032 bits; save it as a string")
            digits = value.to_bytes(size, "little", signed=True)
            self.put(b"\x8a" + struct.pack("<B", size) + digits)

    def remember(self, value: Any) -> None:
        self.memo[id(value)] = (len(self.memo), value)
        self.put(b"r" + struct.pack("<I", self.memo[id(value)][0]))

    def get(self, key: Any) -> None:
        self.put(b"j" + struct.pack("<I", self.memo[key][0]))


def _refusal(value: Any, path: tuple[Any, ...]) -> str:
    kind = type(value)
    if isinstance(value, numpy.ndarray):
        fix = "minigrad.from_numpy(array)"
    elif isinstance(value, numpy.generic):
        fix = "value.item()"
    else:
        fix = "state_dict() instead of a module or an optimizer, and plain containers"
    return (
        f"save(): {spelled(path)} is a {kind.__module__}.{kind.__qualname__}, which "
        f"torch.load(weights_only=True) would refuse; save {fix}"
    )
