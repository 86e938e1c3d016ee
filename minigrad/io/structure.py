"""Nested Python objects as a flat dict of arrays and a JSON-ready description, and back.

The description is JSON's own value for None, bool, int, str, a finite float and a list. Every
other kind is an object with one marker key: `{"dict": [[key, value], ...]}`, `{"tuple": [...]}`,
`{"float": "nan"}`, `{"tensor": name}`, `{"array": name}` or `{"scalar": name}`. The last three
may add `"complex": true` (the array holds pairs of real and imaginary parts, as the file format
has no complex128) and `"grad": true` (the tensor requires a gradient).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy

from minigrad.ops.data import from_numpy
from minigrad.tensor import Tensor

__all__ = ["pack", "spelled", "unpack"]

# The one name that the file format keeps for itself.
_RESERVED = "__metadata__"
_KEYS = (str, int, float, bool, type(None), tuple)
_STORABLE = frozenset(
    {
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "bfloat16", "complex64", "complex128",
    }
)  # fmt: skip
_ARRAY_KINDS = frozenset({"array", "scalar", "tensor"})


def pack(value: Any) -> tuple[Any, dict[str, numpy.ndarray[Any, Any]]]:
    """The description of `value` and its arrays by name.

    Names follow the path: `{"model": {"0.weight": w}}` stores `w` as `model.0.weight`. A tensor
    that is met twice is stored once. Raises TypeError for a kind of object that is not supported
    and ValueError for one that contains itself, both naming the place.
    """
    packer = _Packer()
    return packer.describe(value, ()), packer.arrays


class _Packer:
    """The arrays collected so far, and what is being walked."""

    def __init__(self) -> None:
        self.arrays: dict[str, numpy.ndarray[Any, Any]] = {}
        # Keeping the tensor beside its name keeps its id from being used again.
        self.stored: dict[int, tuple[dict[str, Any], Any]] = {}
        self.open: set[int] = set()

    def describe(self, value: Any, path: tuple[Any, ...]) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, Tensor):
            described = self.store("tensor", value, value.detach().cpu().numpy(), path)
            return {**described, "grad": True} if value.requires_grad else described
        if kind is numpy.ndarray:
            return self.store("array", value, value, path)
        if isinstance(value, numpy.generic):
            return self.store("scalar", value, numpy.asarray(value), path)
        if isinstance(value, (Mapping, list, tuple)):
            return self.describe_container(value, path)
        raise TypeError(
            f"save(): {spelled(path)} is a {kind.__name__}; it can hold tensors, arrays, numbers, "
            "strings, None, and dicts, lists and tuples of them. Save state_dict() instead of a "
            "module or an optimizer"
        )

    def describe_container(self, value: Any, path: tuple[Any, ...]) -> Any:
        if id(value) in self.open:
            raise ValueError(f"save(): {spelled(path)} contains itself, so it has no end")
        self.open.add(id(value))
        described: Any
        if isinstance(value, Mapping):
            described = {
                "dict": [
                    [self.describe_key(key, path), self.describe(entry, (*path, key))]
                    for key, entry in value.items()
                ]
            }
        else:
            described = [self.describe(entry, (*path, i)) for i, entry in enumerate(value)]
            if isinstance(value, tuple):
                described = {"tuple": described}
        self.open.remove(id(value))
        return described

    def describe_key(self, key: Any, path: tuple[Any, ...]) -> Any:
        if not isinstance(key, _KEYS):
            raise TypeError(
                f"save(): {spelled(path)} has a key of type {type(key).__name__}; keys are "
                "strings, numbers, bools, None or tuples of these"
            )
        return self.describe(key, (*path, key))

    def store(
        self, kind: str, owner: Any, array: numpy.ndarray[Any, Any], path: tuple[Any, ...]
    ) -> dict[str, Any]:
        known = self.stored.get(id(owner))
        if known is not None:
            return known[0]
        if array.dtype.name not in _STORABLE:
            raise TypeError(
                f"save(): {spelled(path)} is an array of dtype {array.dtype}; only bools and "
                "numbers of up to 64 bits can be saved"
            )
        name = self.free_name(path)
        described: dict[str, Any] = {kind: name}
        if array.dtype.kind == "c":
            array = numpy.stack([array.real, array.imag], axis=-1)
            described["complex"] = True
        self.arrays[name] = array
        self.stored[id(owner)] = (described, owner)
        return described

    def free_name(self, path: tuple[Any, ...]) -> str:
        wanted = ".".join(str(key) for key in path) or "value"
        # The file holds UTF-8; a lone surrogate, which a Python string may hold, has none.
        wanted = wanted.encode("utf-8", "replace").decode("utf-8")
        name = wanted
        count = 1
        while name in self.arrays or name == _RESERVED:
            count += 1
            name = f"{wanted}~{count}"
        return name


def unpack(
    described: Any, arrays: Mapping[str, numpy.ndarray[Any, Any]], place: str = "cpu"
) -> Any:
    """The object that `pack` described, its tensors on the device `place`.

    A tensor that was met twice is one tensor again. Raises KeyError for a name that `arrays`
    lacks and ValueError for a description that is none.
    """
    return _Unpacker(arrays, place).build(described)


class _Unpacker:
    """The arrays to draw from, and the tensors made so far."""

    def __init__(self, arrays: Mapping[str, numpy.ndarray[Any, Any]], place: str) -> None:
        self.arrays = arrays
        self.place = place
        self.made: dict[tuple[str, str], Any] = {}

    def build(self, described: Any) -> Any:
        if isinstance(described, list):
            return [self.build(entry) for entry in described]
        if not isinstance(described, dict):
            return described
        kind, content = next(iter(described.items()))
        if kind == "dict":
            return {self.build(key): self.build(entry) for key, entry in content}
        if kind == "tuple":
            return tuple(self.build(entry) for entry in content)
        if kind == "float":
            return float(content)
        if kind in _ARRAY_KINDS:
            made = self.make(kind, content, "complex" in described)
            return made.requires_grad_(True) if "grad" in described else made
        raise ValueError(f"'{kind}' is no kind of object")

    def make(self, kind: str, name: str, is_complex: bool) -> Any:
        if (kind, name) not in self.made:
            array = self.arrays[name]
            if is_complex:
                array = array.view(numpy.result_type(array.dtype, numpy.complex64))[..., 0]
            if kind == "tensor":
                made = from_numpy(array).to(self.place)
            elif kind == "scalar":
                made = array[()]
            else:
                made = array
            self.made[kind, name] = made
        return self.made[kind, name]


def spelled(path: tuple[Any, ...]) -> str:
    """The place of an object within the one that is saved, as a program would write it."""
    return "obj" + "".join(f"[{key!r}]" for key in path)
