"""What every transform's arrays have in common: they look like arrays and compute by primitives.

An expression of a derivative rule, `g * other`, runs on these as it runs on raw arrays and on
Tensors. A function of the array library that is called on one outside of a primitive, where no
derivative is asked for, is given to the level, which calls it on what the array stands for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy

from minigrad.backend import levels
from minigrad.ops import compare, elementwise, power
from minigrad.ops import matmul as products
from minigrad.ops.index import take
from minigrad.ops.promotion import cast, discretize
from minigrad.ops.shape import _clone, _reshape, _transpose, permute, reverse_dims

__all__ = ["Array"]


class Array(levels.Lifted):
    """The array of a tensor inside a transform.

    `value` is the tensor below, `part` what the level adds to it, `base` the array that this one
    is a view of.
    """

    __slots__ = ()
    __array_priority__ = 1000

    def __init__(self, level: Any, value: Any, part: Any, base: Array | None = None) -> None:
        self.level = level
        self.value = value
        self.part = part
        self.base = base

    # What the array is like.

    @property
    def shape(self) -> tuple[int, ...]:
        return self.level.shape_of(self)  # type: ignore[no-any-return]

    @property
    def strides(self) -> tuple[int, ...]:
        strides = self.value._array.strides
        return strides[len(strides) - self.ndim :]  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def dtype(self) -> Any:
        return self.value._array.dtype

    @property
    def itemsize(self) -> int:
        return self.value._array.dtype.itemsize  # type: ignore[no-any-return]

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def flags(self) -> Any:
        return self.value._array.flags

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return str(self.level.describe(self))

    # What is computed by primitives.

    __add__ = elementwise._add
    __sub__ = elementwise._sub
    __mul__ = elementwise.mul
    __truediv__ = elementwise._div
    __floordiv__ = elementwise.floor_divide
    __mod__ = elementwise.remainder
    __pow__ = power._pow
    __matmul__ = products.matmul
    __neg__ = elementwise.neg
    __abs__ = elementwise.abs
    __invert__ = compare.bitwise_not
    __and__ = __rand__ = compare.bitwise_and
    __or__ = __ror__ = compare.bitwise_or
    __xor__ = __rxor__ = compare.bitwise_xor
    __lshift__ = compare.bitwise_left_shift
    __rshift__ = compare.bitwise_right_shift
    __lt__ = compare.lt
    __le__ = compare.le
    __gt__ = compare.gt
    __ge__ = compare.ge

    def __getitem__(self, index: Any) -> Any:
        items = index if isinstance(index, tuple) else (index,)
        if any(isinstance(item, slice) and (item.step or 1) < 0 for item in items):
            # A raw array may be turned round so, a tensor not.
            return self.level.raw(operator.getitem, (self, index), {})
        return take(self, index)

    def __eq__(self, other: Any) -> Any:
        return compare.eq(self, other)

    def __ne__(self, other: Any) -> Any:
        return compare.ne(self, other)

    __hash__ = object.__hash__

    def __radd__(self, other: Any) -> Any:
        return elementwise._add(self, other)

    def __rmul__(self, other: Any) -> Any:
        return elementwise.mul(self, other)

    def __rsub__(self, other: Any) -> Any:
        return elementwise._sub(other, self)

    def __rtruediv__(self, other: Any) -> Any:
        return elementwise._div(other, self)

    def __rfloordiv__(self, other: Any) -> Any:
        return elementwise.floor_divide(other, self)

    def __rmod__(self, other: Any) -> Any:
        return elementwise.remainder(other, self)

    def __rpow__(self, other: Any) -> Any:
        return power._pow(other, self)

    def __rmatmul__(self, other: Any) -> Any:
        return products.matmul(other, self)

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """The elements in another dtype."""
        dtype = numpy.dtype(dtype)
        if self.dtype == dtype:
            return self.copy() if copy else self
        floats = dtype.kind in "fc" and self.dtype.kind in "fc"
        return (cast if floats else discretize)(self, to=dtype)

    def copy(self) -> Any:
        """A copy with its own memory."""
        return _clone(self)

    def reshape(self, *size: Any) -> Any:
        """The elements in another shape."""
        given = size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size
        return _reshape(self, size=tuple(given))

    def view(self, dtype: Any) -> Any:
        """The same bytes read as another dtype of the same size."""
        tensor = self.value.detach()
        tensor._array = tensor._array.view(dtype)
        return Array(self.level, tensor, self.part if isinstance(self.part, bool) else None)

    def swapaxes(self, dim0: int, dim1: int) -> Any:
        """Two dimensions exchanged."""
        return _transpose(self, dim0=dim0, dim1=dim1)

    def transpose(self, *dims: Any) -> Any:
        """The dimensions in the order given, or in reverse."""
        given = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
        return permute(self, given) if given else reverse_dims(self)

    @property
    def T(self) -> Any:
        return reverse_dims(self)

    @property
    def mT(self) -> Any:
        return _transpose(self, dim0=-2, dim1=-1)

    @property
    def real(self) -> Any:
        return elementwise.real(self)

    @property
    def imag(self) -> Any:
        return elementwise.imag(self)

    # What runs on the raw arrays below.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        written = _OPERATORS.get(ufunc.__name__)
        if written is not None and method == "__call__" and not kwargs:
            first, *rest = inputs
            if rest and not isinstance(first, Array):
                return getattr(rest[0], _TURNED[ufunc.__name__])(first)
            return written(*inputs)
        return self.level.raw(getattr(ufunc, method), inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return levels.highest((args, kwargs)).raw(function, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise self.level.unreadable("turned into a NumPy array")

    @property
    def __array_interface__(self) -> Any:
        return self.level.read(self, "address").__array_interface__

    def item(self) -> Any:
        """The only element as a Python number, where the level knows one."""
        return self.level.read(self, "item").item()

    def tolist(self) -> Any:
        """The elements as nested lists, where the level knows them."""
        return self.level.read(self, "tolist").tolist()

    def nonzero(self) -> Any:
        """The positions of the elements that are not zero, where the level knows them."""
        return self.level.read(self, "nonzero").nonzero()

    def __bool__(self) -> bool:
        return bool(self.level.read(self, "bool"))

    def __int__(self) -> int:
        return int(self.level.read(self, "int"))

    def __float__(self) -> float:
        return float(self.level.read(self, "float"))

    def __complex__(self) -> complex:
        return complex(self.level.read(self, "complex"))

    def __index__(self) -> int:
        return operator.index(self.level.read(self, "index"))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.level.assign(self, index, value)


def _method(name: str) -> Callable[..., Any]:
    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        return self.level.raw(operator.methodcaller(name, *args, **kwargs), (self,), {})

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name}` of the raw array; no derivative goes through."
    return method


def _over_all(name: str) -> Callable[..., Any]:
    """A method that a check of arguments asks of all elements, wherever in a batch they are."""

    def method(self: Array, *args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            return getattr(levels.bottom(self), name)()
        return self.level.raw(operator.methodcaller(name, *args, **kwargs), (self,), {})

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{name}` of the raw array, of the whole batch where no dimension is given."
    return method


for _name in (
    "argmax", "argmin", "argsort", "clip", "cumprod", "cumsum", "mean", "prod", "ravel", "repeat",
    "squeeze", "sum", "take",
):  # fmt: skip
    setattr(Array, _name, _method(_name))
for _name in ("all", "any", "max", "min"):
    setattr(Array, _name, _over_all(_name))

_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "floor_divide": operator.floordiv, "remainder": operator.mod,
    "power": operator.pow, "matmul": operator.matmul, "negative": operator.neg,
    "absolute": operator.abs, "invert": operator.invert, "bitwise_and": operator.and_,
    "bitwise_or": operator.or_, "bitwise_xor": operator.xor, "less": operator.lt,
    "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "equal": operator.eq, "not_equal": operator.ne,
}  # fmt: skip
_TURNED = {
    "add": "__radd__", "subtract": "__rsub__", "multiply": "__rmul__", "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__", "remainder": "__rmod__", "power": "__rpow__",
    "matmul": "__rmatmul__", "bitwise_and": "__and__", "bitwise_or": "__or__",
    "bitwise_xor": "__xor__", "less": "__gt__", "less_equal": "__ge__", "greater": "__lt__",
    "greater_equal": "__le__", "equal": "__eq__", "not_equal": "__ne__",
}  # fmt: skip
