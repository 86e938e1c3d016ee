"""What a dtype can hold, and torch's names for kinds of memory, which change no values."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad import dtypes
from minigrad.errors import DtypeError

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "e",
    "finfo",
    "iinfo",
    "inf",
    "layout",
    "memory_format",
    "nan",
    "newaxis",
    "pi",
    "preserve_format",
    "strided",
]

e, inf, nan, pi = math.e, math.inf, math.nan, math.pi
newaxis = None


class memory_format:
    """An order of elements in memory; tensors keep the order that NumPy gives them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"


class layout:
    """A kind of tensor; all tensors are strided."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"minigrad.{self.name}"


contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")
strided = layout("strided")


class finfo:
    """The limits of a floating dtype, of the default dtype unless one is given.

    >>> finfo(dtypes.float32).bits
    32
    """

    def __init__(self, type: Any = None) -> None:
        dtype = dtypes.get_default_dtype() if type is None else dtypes.as_dtype(type, "finfo")
        dtype = dtypes.real_of(dtype)
        if dtype.kind != "f":
            raise DtypeError(f"finfo(): argument 'type' is {dtype}; for integers use iinfo()")
        limits = numpy.finfo(dtype)
        self.bits = int(limits.bits)
        self.eps = float(limits.eps)
        self.max = float(limits.max)
        self.min = float(limits.min)
        self.tiny = self.smallest_normal = float(limits.smallest_normal)
        self.resolution = float(limits.resolution)
        self.dtype = dtype.name

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """The limits of an integer dtype.

    >>> iinfo(dtypes.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        dtype = dtypes.as_dtype(type, "iinfo")
        if dtype.kind not in "iu":
            raise DtypeError(f"iinfo(): argument 'type' is {dtype}; for floats use finfo()")
        limits = numpy.iinfo(dtype)
        self.bits = int(limits.bits)
        self.max = int(limits.max)
        self.min = int(limits.min)
        self.dtype = dtype.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
