"""Dtypes under torch's names, the default dtype, and torch's rules for promoting them."""

from __future__ import annotations

import builtins
from typing import Any

import numpy

from minigrad.errors import DtypeError

__all__ = [
    "bool",
    "can_cast",
    "cdouble",
    "cfloat",
    "complex64",
    "complex128",
    "double",
    "float",
    "float16",
    "float32",
    "float64",
    "get_default_dtype",
    "half",
    "int",
    "int8",
    "int16",
    "int32",
    "int64",
    "long",
    "promote_types",
    "set_default_dtype",
    "short",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

Dtype = numpy.dtype[Any]

bool = numpy.dtype("bool")
uint8 = numpy.dtype("uint8")
uint16 = numpy.dtype("uint16")
uint32 = numpy.dtype("uint32")
uint64 = numpy.dtype("uint64")
int8 = numpy.dtype("int8")
int16 = short = numpy.dtype("int16")
int32 = int = numpy.dtype("int32")
int64 = long = numpy.dtype("int64")
float16 = half = numpy.dtype("float16")
float32 = float = numpy.dtype("float32")
float64 = double = numpy.dtype("float64")
complex64 = cfloat = numpy.dtype("complex64")
complex128 = cdouble = numpy.dtype("complex128")

SUPPORTED = (
    bool, uint8, int8, int16, int32, int64, uint16, uint32, uint64,
    float16, float32, float64, complex64, complex128,
)  # fmt: skip
_BY_NAME = {dtype.name: dtype for dtype in SUPPORTED}
_PYTHON = {
    builtins.bool: bool,
    builtins.int: int64,
    builtins.float: float32,
    builtins.complex: complex64,
}
# A category outranks the ones before it; within one, NumPy's promotion is torch's.
_CATEGORY: dict[str, builtins.int] = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}
_COMPLEX_OF: dict[Dtype, Dtype] = {float16: complex64, float32: complex64, float64: complex128}
_REAL_OF: dict[Dtype, Dtype] = {complex64: float32, complex128: float64}

_default: Dtype = float32

OLD_NAMES: dict[str, Dtype] = {
    "FloatTensor": float32, "DoubleTensor": float64, "HalfTensor": float16, "LongTensor": int64,
    "IntTensor": int32, "ShortTensor": int16, "CharTensor": int8, "ByteTensor": uint8,
    "BoolTensor": bool, "ComplexFloatTensor": complex64, "ComplexDoubleTensor": complex128,
}  # fmt: skip
"""Torch's names for types of tensors by dtype."""


def get_default_dtype() -> Dtype:
    """The dtype that Python floats, and integers divided, become; float32 at the start."""
    return _default


def set_default_dtype(d: Any) -> None:
    """Set the default dtype: float16, float32 or float64."""
    global _default
    dtype = as_dtype(d, "set_default_dtype")
    if dtype.kind != "f":
        raise DtypeError(f"set_default_dtype(): d must be a floating dtype, got {dtype}")
    _default = dtype


def default_complex() -> Dtype:
    """The complex dtype whose parts have the default dtype."""
    return _COMPLEX_OF[_default]


def complex_of(dtype: Dtype) -> Dtype:
    """The complex dtype with parts of this real dtype (the default's for integers)."""
    return dtype if dtype.kind == "c" else _COMPLEX_OF.get(dtype, default_complex())


def real_of(dtype: Dtype) -> Dtype:
    """The dtype of the parts of a complex dtype; a real dtype itself."""
    return _REAL_OF.get(dtype, dtype)


def as_dtype(value: Any, operation: str = "dtype") -> Dtype:
    """The dtype object for a dtype, its name, a NumPy scalar class or a Python number class.

    Raises DtypeError when minigrad has no such dtype.
    """
    if isinstance(value, numpy.dtype):
        found = _BY_NAME.get(value.name)
    elif value is builtins.float:
        return _default
    elif value is builtins.complex:
        return default_complex()
    elif isinstance(value, type) and value in _PYTHON:
        return _PYTHON[value]
    elif isinstance(value, str):
        name = value.removeprefix("torch.").removeprefix("minigrad.")
        found = _BY_NAME.get(name) or OLD_NAMES.get(name)
    elif isinstance(value, type) and issubclass(value, numpy.generic):
        found = _BY_NAME.get(numpy.dtype(value).name)
    else:
        found = OLD_NAMES.get(getattr(value, "__name__", ""))
    if found is None:
        known = ", ".join(_BY_NAME)
        raise DtypeError(f"{operation}(): {value!r} is not a dtype of minigrad; these are: {known}")
    return found


def category(dtype: Dtype) -> builtins.int:
    """0 for bool, 1 for integers, 2 for floats, 3 for complex."""
    return _CATEGORY[dtype.kind]


def promote_types(type1: Any, type2: Any) -> Dtype:
    """The smallest dtype that both convert to, by torch's table.

    >>> promote_types(int64, float16)
    dtype('float16')
    """
    first = as_dtype(type1, "promote_types")
    second = as_dtype(type2, "promote_types")
    if first is second:
        return first
    low, high = sorted((first, second), key=category)
    if category(low) == category(high):
        if low.kind != high.kind and any(d.kind == "u" and d.itemsize > 1 for d in (low, high)):
            raise DtypeError(
                f"promote_types(): {first} and {second} have no common dtype; convert one of them"
            )
        return as_dtype(numpy.promote_types(low, high))
    if high.kind == "c" and low.kind == "f":
        return as_dtype(numpy.promote_types(_COMPLEX_OF[low], high))
    return high


def scalar_dtype(value: Any) -> Dtype:
    """The dtype that a Python number stands for."""
    kind = type(value)
    if kind is builtins.float:
        return _default
    if kind is builtins.complex:
        return default_complex()
    if kind in _PYTHON:
        return _PYTHON[kind]
    raise TypeError(f"expected a number, got {kind.__name__}")


def result_dtype(arrays: list[tuple[Dtype, builtins.int]], scalars: list[Any]) -> Dtype:
    """The common dtype of arrays, given as (dtype, ndim), and Python numbers.

    Dimensioned arrays decide; 0-d arrays and then numbers only lift the result to their category.
    """
    result: Dtype | None = None
    for wanted in (1, 0):
        tier: Dtype | None = None
        for dtype, ndim in arrays:
            if min(ndim, 1) == wanted:
                tier = dtype if tier is None else promote_types(tier, dtype)
        result = _lift(result, tier)
    tier = None
    for value in scalars:
        dtype = scalar_dtype(value)
        tier = dtype if tier is None else promote_types(tier, dtype)
    result = _lift(result, tier)
    assert result is not None
    return result


def _lift(result: Dtype | None, lower: Dtype | None) -> Dtype | None:
    if result is None or lower is None:
        return lower if result is None else result
    if category(lower) <= category(result):
        return result
    if lower.kind == "c" and result.kind == "f":
        return _COMPLEX_OF[result]
    return lower


def can_cast(from_: Any, to: Any) -> builtins.bool:
    """Whether torch lets a result of dtype `from_` be stored in `to`: never to a lower category.

    >>> can_cast(float32, int64)
    False
    """
    return category(as_dtype(from_)) <= category(as_dtype(to)) or (
        category(as_dtype(from_)) == 1 and category(as_dtype(to)) == 1
    )
