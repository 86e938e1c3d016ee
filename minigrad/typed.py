"""torch.FloatTensor and its like: tensors of one dtype by the name of a class, as of old."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.ops.creation import zeros
from minigrad.ops.data import tensor
from minigrad.tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class _Kind(type):
    """A class of which all tensors of its dtype are instances, and none is made otherwise."""

    dtype: dtypes.Dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype

    def __call__(cls, *given: Any) -> Any:
        if not given or all(type(size) is int for size in given):
            return zeros(given or (0,), dtype=cls.dtype)
        (data,) = given
        return tensor(data, dtype=cls.dtype)


class FloatTensor(metaclass=_Kind):
    """A float32 tensor of the data, or of zeros where sizes are given.

    >>> minigrad.FloatTensor([1, 2])
    tensor([1., 2.])
    """

    dtype = dtypes.float32


class DoubleTensor(metaclass=_Kind):
    """A float64 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.float64


class HalfTensor(metaclass=_Kind):
    """A float16 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.float16


class ByteTensor(metaclass=_Kind):
    """A uint8 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.uint8


class CharTensor(metaclass=_Kind):
    """An int8 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.int8


class ShortTensor(metaclass=_Kind):
    """An int16 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.int16


class IntTensor(metaclass=_Kind):
    """An int32 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.int32


class LongTensor(metaclass=_Kind):
    """An int64 tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.int64


class BoolTensor(metaclass=_Kind):
    """A bool tensor of the data, or of zeros where sizes are given."""

    dtype = dtypes.bool
