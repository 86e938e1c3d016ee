"""The array of this face: a Tensor with NumPy's operators and methods."""

# Methods take NumPy's arguments where a Tensor's of the same name take torch's.
# mypy: disable-error-code="assignment, override"

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import to_numpy
from minigrad.errors import DtypeError
from minigrad.graph import Traced, is_recording
from minigrad.inplace import check_writable, in_place, update
from minigrad.numpy import (
    creation,
    elementwise,
    indexing,
    joining,
    manipulation,
    parts,
    products,
    reductions,
    sorting,
)
from minigrad.numpy.base import Base, dtype_of
from minigrad.ops import shape as shapes
from minigrad.ops.elementwise import imag as imaginary
from minigrad.ops.elementwise import real as real_part
from minigrad.ops.index import getitem
from minigrad.ops.promotion import convert
from minigrad.tensor import Tensor


class Count(int):
    """The number of elements, as NumPy's `x.size`; called, the shape, as torch's `x.size()`."""

    shape: tuple[int, ...]

    def __call__(self, dim: int | None = None) -> Any:
        return self.shape if dim is None else self.shape[dim]


def _in_place(function: Any, name: str) -> Any:
    """The operator `x += y` of a function `add(x, y)`: NumPy's dtypes, written into `x`."""

    def computed(old: Any, other: Any) -> Any:
        result = function(old, other)
        if not numpy.can_cast(result._array.dtype, old._array.dtype, "same_kind"):
            raise DtypeError(
                f"{name}: the result has dtype {result._array.dtype} and cannot be written into an "
                f"array of dtype {old._array.dtype}; write x = x op y"
            )
        return convert(result, old._array.dtype)

    computed.__name__ = computed.__qualname__ = name
    return in_place(computed)


def _forward(function: Any) -> Any:
    def method(self: Any, other: Any) -> Any:
        return function(self, other) if _known(other) else NotImplemented

    return method


def _reflected(function: Any) -> Any:
    def method(self: Any, other: Any) -> Any:
        return function(other, self) if _known(other) else NotImplemented

    return method


def _known(value: Any) -> bool:
    """Whether an operand is one of ours, a number, or what NumPy makes an array of numbers of."""
    if isinstance(value, (Traced, int, float, complex, numpy.ndarray, numpy.generic)):
        return True
    return isinstance(value, (list, tuple)) or hasattr(value, "__array_interface__")


class ndarray(Base):
    """An array with NumPy's names that carries gradients: a Tensor that promotes as NumPy does.

    `minigrad.numpy.asarray(tensor)` and `x.to_tensor()` lead from one kind to the other: views,
    through which gradients and writes go.

    >>> from minigrad import numpy as np
    >>> x = np.arange(3.0).requires_grad_()
    >>> (x ** 2).sum().backward()
    >>> x.grad
    array([0., 2., 4.])
    """

    def __init__(self, shape: Any, dtype: Any = float) -> None:
        self._array = creation.zeros(shape, dtype)._array
        self._node = None

    # Operators.

    __add__, __radd__ = _forward(elementwise.add), _reflected(elementwise.add)
    __sub__, __rsub__ = _forward(elementwise.subtract), _reflected(elementwise.subtract)
    __mul__, __rmul__ = _forward(elementwise.multiply), _reflected(elementwise.multiply)
    __truediv__, __rtruediv__ = _forward(elementwise.divide), _reflected(elementwise.divide)
    __floordiv__ = _forward(elementwise.floor_divide)
    __rfloordiv__ = _reflected(elementwise.floor_divide)
    __mod__, __rmod__ = _forward(elementwise.remainder), _reflected(elementwise.remainder)
    __divmod__, __rdivmod__ = _forward(parts.divmod), _reflected(parts.divmod)
    __pow__, __rpow__ = _forward(elementwise.power), _reflected(elementwise.power)
    __matmul__, __rmatmul__ = _forward(products.matmul), _reflected(products.matmul)
    __and__, __rand__ = _forward(elementwise.bitwise_and), _reflected(elementwise.bitwise_and)
    __or__, __ror__ = _forward(elementwise.bitwise_or), _reflected(elementwise.bitwise_or)
    __xor__, __rxor__ = _forward(elementwise.bitwise_xor), _reflected(elementwise.bitwise_xor)
    __lshift__, __rlshift__ = _forward(elementwise.left_shift), _reflected(elementwise.left_shift)
    __rshift__ = _forward(elementwise.right_shift)
    __rrshift__ = _reflected(elementwise.right_shift)
    __lt__, __le__ = _forward(elementwise.less), _forward(elementwise.less_equal)
    __gt__, __ge__ = _forward(elementwise.greater), _forward(elementwise.greater_equal)
    __eq__, __ne__ = _forward(elementwise.equal), _forward(elementwise.not_equal)
    __hash__ = object.__hash__

    __iadd__ = _in_place(elementwise.add, "__iadd__")
    __isub__ = _in_place(elementwise.subtract, "__isub__")
    __imul__ = _in_place(elementwise.multiply, "__imul__")
    __itruediv__ = _in_place(elementwise.divide, "__itruediv__")
    __ifloordiv__ = _in_place(elementwise.floor_divide, "__ifloordiv__")
    __imod__ = _in_place(elementwise.remainder, "__imod__")
    __ipow__ = _in_place(elementwise.power, "__ipow__")
    __imatmul__ = _in_place(products.matmul, "__imatmul__")
    __iand__ = _in_place(elementwise.bitwise_and, "__iand__")
    __ior__ = _in_place(elementwise.bitwise_or, "__ior__")
    __ixor__ = _in_place(elementwise.bitwise_xor, "__ixor__")
    __ilshift__ = _in_place(elementwise.left_shift, "__ilshift__")
    __irshift__ = _in_place(elementwise.right_shift, "__irshift__")

    def __neg__(self) -> Any:
        return elementwise.negative(self)

    def __pos__(self) -> Any:
        return elementwise.positive(self)

    def __abs__(self) -> Any:
        return elementwise.absolute(self)

    def __invert__(self) -> Any:
        return elementwise.invert(self)

    def __getitem__(self, index: Any) -> Any:
        return indexing.read(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        indexing.write(self, index, value)

    def __repr__(self) -> str:
        text = repr(to_numpy(self._array))
        if self._node is None:
            return text
        return text[:-1] + ", requires_grad=True)"

    def __str__(self) -> str:
        return str(to_numpy(self._array))

    # What the array is.

    @property
    def shape(self) -> Any:
        """The size of each axis."""
        return self._array.shape

    @property
    def size(self) -> Any:
        """The number of elements; called as torch does, the shape."""
        found = Count(self._array.size)
        found.shape = self._array.shape
        return found

    @property
    def strides(self) -> tuple[int, ...]:
        """The step in bytes along each axis."""
        return tuple(self._array.strides)

    @property
    def flags(self) -> Any:
        """How the elements lie in memory."""
        return self._array.flags

    @property
    def T(self) -> Any:
        """The axes in reverse order; a view."""
        return manipulation.transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return real_part(self) if self._array.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        """The imaginary part; zeros for real arrays."""
        return imaginary(self) if self._array.dtype.kind == "c" else creation.zeros_like(self)

    @property
    def flat(self) -> Any:
        """The elements in one dimension; a view if possible."""
        return manipulation.ravel(self)

    # Methods of the same meaning as the functions.

    all = reductions.all
    any = reductions.any
    argmax = reductions.argmax
    argmin = reductions.argmin
    argpartition = sorting.argpartition
    argsort = sorting.argsort
    astype = creation.astype
    choose = indexing.choose
    clip = parts.clip
    conj = conjugate = lambda self: elementwise.conjugate(self)
    copy = creation.copy
    cumprod = reductions.cumprod
    cumsum = reductions.cumsum
    diagonal = products.diagonal
    dot = products.dot
    max = reductions.max
    mean = reductions.mean
    min = reductions.min
    nonzero = indexing.nonzero
    prod = reductions.prod
    put = indexing.put
    ravel = manipulation.ravel
    repeat = joining.repeat
    round = parts.round
    searchsorted = sorting.searchsorted
    squeeze = manipulation.squeeze
    std = reductions.std
    sum = reductions.sum
    swapaxes = manipulation.swapaxes
    take = indexing.take
    trace = products.trace
    var = reductions.var

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """The slices along an axis where a condition holds."""
        return indexing.compress(condition, self, axis, out)

    def fill(self, value: Any) -> None:
        """Write one value everywhere."""
        self[...] = value

    def flatten(self, order: Any = "C") -> Any:
        """A copy of the elements in one dimension."""
        return shapes.clone(manipulation.ravel(self, order))

    def item(self, *args: Any) -> Any:
        """One element as a Python number: the only one, or the one at an index."""
        return to_numpy(self._array).item(*args)

    def reshape(self, *shape: Any, order: Any = "C", copy: Any = None) -> Any:
        """The same elements in another shape, one size of which may be -1: a view if possible."""
        size = shape[0] if len(shape) == 1 else shape
        return manipulation.reshape(self, size, order, copy=copy)

    def resize(self, *shape: Any, refcheck: bool = True) -> None:
        """Raises TypeError: an array keeps its shape."""
        raise TypeError("resize(): an array keeps its shape here; write numpy.resize(x, shape)")

    def sort(
        self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None
    ) -> Any:
        """Put the elements in order in place."""
        if is_recording():
            check_writable(self, "sort")
        update(self, sorting.sort(Tensor.clone(self), axis), "sort")

    def partition(self, kth: Any, axis: int = -1, kind: Any = None, order: Any = None) -> None:
        """Put the k-th smallest element in its place, in place: sorted here."""
        self.sort(axis)

    def to_device(self, device: Any, /, *, stream: Any = None) -> Any:
        """The array on another device."""
        return self.to(device)

    def to_tensor(self) -> Any:
        """The same elements as a plain Tensor, which promotes as torch does: a view."""
        result = getitem(self, index=(Ellipsis,))
        result.__class__ = Tensor
        return result

    def tobytes(self, order: Any = "C") -> bytes:
        """The bytes of the elements."""
        return bytes(to_numpy(self._array).tobytes(order))

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, reversed if none is given; a view."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return manipulation.transpose(self, order)

    def view(self, *args: Any, dtype: Any = None, **kwargs: Any) -> Any:
        """A view of the same elements; given a dtype, the same bytes read as that dtype."""
        if args and isinstance(args[0], type) and issubclass(args[0], Traced):
            return getitem(self, index=(Ellipsis,))
        dtype = args[0] if args and not isinstance(args[0], (int, tuple, list)) else dtype
        if dtype is not None:
            return shapes.view_bits(self, to=dtype_of(dtype, "view"))
        return Tensor.view(self, *args, **kwargs) if args else getitem(self, index=(Ellipsis,))


Base._tensor = ndarray
