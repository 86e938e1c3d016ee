"""Dtypes, constants, and what can be asked of them: NumPy's own objects and rules."""

from __future__ import annotations

from typing import Any

import numpy
from numpy import bool_ as bool
from numpy import (
    complex64,
    complex128,
    dtype,
    e,
    euler_gamma,
    finfo,
    float16,
    float32,
    float64,
    iinfo,
    inf,
    int8,
    int16,
    int32,
    int64,
    isdtype,
    issubdtype,
    nan,
    newaxis,
    pi,
    promote_types,
    uint8,
    uint16,
    uint32,
    uint64,
)

from minigrad.backend import device
from minigrad.graph import Traced
from minigrad.numpy.base import common, lift, raw

bool_, int_, uint, intp = bool, numpy.int_, numpy.uint, numpy.intp
double, single, half, cdouble, csingle = float64, float32, float16, complex128, complex64
floating, integer, inexact, number = numpy.floating, numpy.integer, numpy.inexact, numpy.number
generic, complexfloating = numpy.generic, numpy.complexfloating
signedinteger, unsignedinteger = numpy.signedinteger, numpy.unsignedinteger
True_, False_ = numpy.True_, numpy.False_

__all__ = [
    "False_",
    "True_",
    "bool",
    "bool_",
    "can_cast",
    "cdouble",
    "common_type",
    "complex64",
    "complex128",
    "complexfloating",
    "csingle",
    "double",
    "dtype",
    "e",
    "euler_gamma",
    "finfo",
    "float16",
    "float32",
    "float64",
    "floating",
    "generic",
    "half",
    "iinfo",
    "inexact",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "integer",
    "intp",
    "iscomplexobj",
    "isdtype",
    "isrealobj",
    "isscalar",
    "issubdtype",
    "may_share_memory",
    "min_scalar_type",
    "nan",
    "ndim",
    "newaxis",
    "number",
    "pi",
    "promote_types",
    "result_type",
    "shape",
    "shares_memory",
    "signedinteger",
    "single",
    "size",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unsignedinteger",
]  # fmt: skip


def _dtype(value: Any) -> Any:
    return value._array.dtype if isinstance(value, Traced) else value


def can_cast(from_: Any, to: Any, /, casting: Any = "safe") -> Any:
    """Whether a dtype, or an array's, can be converted to another by NumPy's rules."""
    return numpy.can_cast(_dtype(from_), to, casting)


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype that NumPy's promotion gives arrays, dtypes and Python numbers."""
    if not arrays_and_dtypes:
        raise ValueError("at least one array or dtype is required")
    return common(*arrays_and_dtypes)


def common_type(*arrays: Any) -> Any:
    """The floating dtype that holds all arrays."""
    return numpy.common_type(*(raw(a) for a in arrays))


def min_scalar_type(a: Any, /) -> Any:
    """The smallest dtype that holds a number."""
    return numpy.min_scalar_type(raw(a))


def iscomplexobj(x: Any) -> Any:
    """Whether an array has a complex dtype."""
    return lift(x)._array.dtype.kind == "c"


def isrealobj(x: Any) -> Any:
    """Whether an array has a real dtype."""
    return lift(x)._array.dtype.kind != "c"


def isscalar(element: Any) -> Any:
    """Whether an object is a number and no array."""
    return numpy.isscalar(element) if not isinstance(element, Traced) else False


def ndim(a: Any) -> int:
    """The number of axes."""
    return int(lift(a).ndim)


def shape(a: Any) -> tuple[int, ...]:
    """The size of each axis."""
    return tuple(lift(a)._array.shape)


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or the size of one axis."""
    a = lift(a)
    return int(a._array.size if axis is None else a._array.shape[axis])


def shares_memory(a: Any, b: Any, /, max_work: Any = None) -> Any:
    """Whether two arrays have an element in memory in common."""
    return numpy.shares_memory(lift(a)._array, lift(b)._array, max_work)


def may_share_memory(a: Any, b: Any, /, max_work: Any = None) -> Any:
    """Whether the memory of two arrays may overlap."""
    return numpy.may_share_memory(lift(a)._array, lift(b)._array, max_work)


_KINDS = {
    "bool": ("bool",),
    "signed integer": ("int8", "int16", "int32", "int64"),
    "unsigned integer": ("uint8", "uint16", "uint32", "uint64"),
    "real floating": ("float32", "float64"),
    "complex floating": ("complex64", "complex128"),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


class Info:
    """What this namespace has: the standard's inspection of capabilities, dtypes and devices."""

    def capabilities(self) -> dict[str, Any]:
        """What is supported of what the standard leaves open."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """The device that arrays are made on."""
        return device("cpu")

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes that Python's numbers become."""
        names = {
            "real floating": "float64", "complex floating": "complex128", "integral": "int64",
            "indexing": "int64",
        }  # fmt: skip
        return {kind: numpy.dtype(name) for kind, name in names.items()}

    def devices(self) -> list[Any]:
        """The devices of this machine."""
        import minigrad.cuda

        count = minigrad.cuda.device_count() if minigrad.cuda.is_available() else 0
        return [device("cpu"), *(device("cuda", n) for n in range(count))]

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """The dtypes by name: all, or those of a kind or of several."""
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        unknown = [one for one in kinds if one not in _KINDS]
        if unknown:
            raise ValueError(f"dtypes(): unknown kind {unknown}; known are {sorted(_KINDS)}")
        return {name: numpy.dtype(name) for one in kinds for name in _KINDS[one]}


def __array_namespace_info__() -> Info:
    """The standard's inspection functions."""
    return Info()
