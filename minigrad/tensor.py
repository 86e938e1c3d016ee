"""The Tensor: an array, the node that made it, and everything that can be asked of it.

The operations as methods come from `minigrad.methods`; here are construction, autograd,
conversion, protocols and indexing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy

from minigrad import dtypes, engine, inplace, mutation, printing
from minigrad.backend import backend_for, backend_of, device, device_of, to_numpy
from minigrad.errors import ArgumentError, DeviceError, DtypeError, GraphError
from minigrad.graph import Leaf, Node, Traced, new, primitive, wrap
from minigrad.hooks import RemovableHandle, hooks_of
from minigrad.methods.creation import CreationMethods
from minigrad.methods.elementwise import ElementwiseMethods
from minigrad.methods.index import IndexMethods
from minigrad.methods.linalg import LinalgMethods
from minigrad.methods.nn import FunctionalMethods
from minigrad.methods.reduce import ReduceMethods
from minigrad.methods.shape import ShapeMethods
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import broadcast_to

__all__ = ["Size", "Tensor", "is_tensor", "move"]


class Size(tuple[int, ...]):
    """A shape: a tuple of ints with torch's name and repr."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        count = 1
        for size in self:
            count *= size
        return count

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


@primitive(input=lambda g, origin: move(g, to=origin, origin=origin))
def move(xp: Any, input: Any, *, to: device, origin: device) -> Any:
    """The same values on the device `to`; `origin` is where the gradient goes back to."""
    here = device_of(input)
    if here == to:
        return input
    if here.type == to.type:
        return backend_of(input).move(input, to)
    return backend_for(to).from_numpy(to_numpy(input), to)


def _copy(input: Any, src: Any, non_blocking: bool = False) -> Any:
    """The values of `src`, broadcast to the shape of `input`, in its dtype and on its device."""
    if not isinstance(src, Traced):
        raise TypeError(f"copy_(): src must be a Tensor, not {type(src).__name__}")
    value = convert(_moved(src, input.device), input._array.dtype)
    return broadcast_to(value, size=input._array.shape)


class Tensor(
    ElementwiseMethods,
    ReduceMethods,
    ShapeMethods,
    IndexMethods,
    LinalgMethods,
    FunctionalMethods,
    CreationMethods,
    Traced,
):
    """An n-dimensional array that knows how it was made, so that gradients can flow back.

    `Tensor(data)` holds the data in the default dtype; `Tensor(2, 3)` holds zeros of that shape.
    Prefer `minigrad.tensor(data)`, which keeps the dtype of what it is given.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    grad: Tensor | None = None
    retains_grad = False
    __array_priority__ = 1000
    __array_ufunc__ = None
    _tensor: ClassVar[type[Any]]

    def __init__(self, *data: Any, device: Any = "cpu") -> None:
        dtype = dtypes.get_default_dtype()
        if len(data) == 1 and isinstance(data[0], Traced):
            array = convert(wrap(data[0], data[0]._array), dtype)._array
        elif data and all(type(size) is int for size in data):
            array = numpy.zeros(data, dtype)
        elif len(data) == 1:
            array = numpy.array(data[0], dtype=dtype)
        elif not data:
            array = numpy.zeros(0, dtype)
        else:
            raise TypeError(
                "Tensor(): give one sequence of numbers, such as Tensor([1.0, 2.0]), or sizes"
            )
        self._array = backend_for(device).from_numpy(array, device)
        self._node = None

    # What it is.

    @property
    def shape(self) -> Size:
        """The size of each dimension."""
        return Size(self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one dimension."""
        shape = self._array.shape
        if dim is None:
            return Size(shape)
        try:
            return shape[dim]
        except IndexError:
            raise IndexError(
                f"size(): dimension {dim} is out of range for a tensor of {len(shape)} dimensions"
            ) from None

    @property
    def dtype(self) -> Any:
        """The dtype of the elements, a NumPy dtype object."""
        return self._array.dtype

    @property
    def device(self) -> device:
        """Where the elements live."""
        return device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    def dim(self) -> int:
        """The number of dimensions."""
        return int(self._array.ndim)

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    nelement = numel

    def element_size(self) -> int:
        """The bytes of one element."""
        return int(self._array.dtype.itemsize)

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return int(self._array.dtype.itemsize)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return int(self._array.nbytes)

    @property
    def is_cuda(self) -> bool:
        """Whether the elements live on a CUDA device."""
        return self.device.type == "cuda"

    def is_floating_point(self) -> bool:
        """Whether the dtype is float16, float32 or float64."""
        return bool(self._array.dtype.kind == "f")

    def is_complex(self) -> bool:
        """Whether the dtype is complex64 or complex128."""
        return bool(self._array.dtype.kind == "c")

    def is_contiguous(self) -> bool:
        """Whether the elements lie in memory in row-major order without gaps."""
        return bool(self._array.flags.c_contiguous)

    def stride(self, dim: int | None = None) -> Any:
        """The step in elements along each dimension, or along one."""
        strides = tuple(step // self._array.itemsize for step in self._array.strides)
        return strides if dim is None else strides[dim]

    def storage_offset(self) -> int:
        """How many elements of the shared buffer come before the first of this tensor."""
        first = mutation.owner(self._array)
        gap = self._array.__array_interface__["data"][0] - first.__array_interface__["data"][0]
        return int(gap // self._array.itemsize)

    def data_ptr(self) -> int:
        """The address of the first element."""
        if hasattr(self._array, "__array_interface__"):
            return int(self._array.__array_interface__["data"][0])
        return int(self._array.data.ptr)

    # Gradients.

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to this tensor."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether operations on this leaf are recorded; returns the tensor.

        Raises DtypeError for an integer or bool tensor, GraphError for one that is no leaf.
        """
        if not self.is_leaf:
            if requires_grad:
                return self
            raise GraphError(
                "requires_grad_(): this tensor was computed from others, so its gradient cannot be "
                "switched off; use detach()"
            )
        if not requires_grad:
            self._node = None
        elif self._node is None:
            if self._array.dtype.kind not in "fc":
                raise DtypeError(
                    f"requires_grad_(): only floating and complex tensors have gradients, this one "
                    f"has dtype {self._array.dtype}; convert it first, for example with .float()"
                )
            self._node = Leaf(self)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user rather than by a recorded operation."""
        return self._node is None or type(self._node) is Leaf

    @property
    def grad_fn(self) -> Node | None:
        """The node that made this tensor; None for a leaf."""
        return None if self.is_leaf else self._node

    @property
    def data(self) -> Tensor:
        """The same elements without a gradient; assigning replaces the elements."""
        return wrap(self, self._array)  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Traced):
            raise TypeError(f"data must be a Tensor, got {type(value).__name__}")
        self._array = value._array

    def detach(self) -> Tensor:
        """The same elements, sharing memory, without a gradient."""
        return wrap(self, self._array)  # type: ignore[no-any-return]

    def detach_(self) -> Self:
        """Make this tensor a leaf that needs no gradient."""
        self._node = None
        return self

    @property
    def _version(self) -> int:
        """How often the memory was changed in place."""
        return mutation.version(self._array)

    def is_view(self) -> bool:
        """Whether this tensor is a view whose in-place changes reach another tensor."""
        return self._base is not None

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor with respect to the leaves into their `.grad`.

        A tensor of one element needs no `gradient`; another needs one of its own shape. With
        `create_graph` the gradients can be differentiated again. Raises GraphError when nothing
        was recorded or the graph was freed by an earlier call without `retain_graph`.
        """
        seed = engine.seed(self, gradient, create_graph, "backward")
        engine.backward(
            (self,),
            (seed,),
            retain_graph=create_graph if retain_graph is None else retain_graph,
            create_graph=create_graph,
            inputs=(inputs,) if isinstance(inputs, Traced) else inputs,
        )

    def retain_grad(self) -> None:
        """Keep the gradient of this computed tensor in `.grad` too."""
        if self._node is None:
            raise GraphError("retain_grad(): this tensor does not require a gradient")
        if type(self._node) is not Leaf:
            hooks_of(self._node).retain(self)
            self.retains_grad = True

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Any:
        """Call `hook` with the gradient each time it is computed; what it returns replaces it."""
        if self._node is None:
            raise GraphError(
                "register_hook(): this tensor does not require a gradient, so none will come"
            )
        return hooks_of(self._node).register(hook, self)

    def register_post_accumulate_grad_hook(
        self, hook: Callable[[Tensor], None]
    ) -> RemovableHandle:
        """Call `hook` with this leaf each time after its `.grad` was added to."""
        if type(self._node) is not Leaf:
            raise GraphError(
                "register_post_accumulate_grad_hook(): only a leaf that requires a gradient "
                "accumulates one"
            )
        if self._node.accumulated is None:
            self._node.accumulated = {}
        return RemovableHandle.add(self._node.accumulated, hook)

    # Conversion.

    def item(self) -> Any:
        """The only element as a Python number; raises ArgumentError if there are more or none."""
        if self._array.size != 1:
            raise ArgumentError(
                f"item(): a tensor with {self._array.size} elements is no single number; index one "
                f"element, or use tolist()"
            )
        return self._array.item()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> numpy.ndarray[Any, Any]:
        """The elements as a NumPy array that shares this tensor's memory.

        Raises GraphError for a tensor that requires a gradient and DeviceError for one that is not
        on the CPU, unless `force` asks for a detached copy on the host.
        """
        if not force:
            if self._node is not None:
                raise GraphError(
                    "numpy(): this tensor requires a gradient, which NumPy would drop; use "
                    "x.detach().numpy()"
                )
            if self.device != "cpu":
                raise DeviceError(
                    f"numpy(): this tensor is on {self.device}; use x.cpu().numpy()"
                )
        return to_numpy(self._array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return numpy.array(self.numpy(), dtype=dtype, copy=copy)

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self._node is not None:
            raise GraphError(
                "__dlpack__(): this tensor requires a gradient, which the receiver would drop; "
                "pass x.detach()"
            )
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """The tensor with another dtype or on another device, or as another tensor has them.

        `to(dtype)`, `to(device, dtype)`, `to(other)`; itself when nothing changes, unless `copy`.
        """
        place, dtype, copy = _destination(args, kwargs)
        result: Any = self
        if dtype is not None:
            result = convert(result, dtype)
        if place is not None:
            result = _moved(result, place)
        if copy and result is self:
            result = self.clone()
        return result  # type: ignore[no-any-return]

    def cpu(self) -> Tensor:
        """The tensor in the host's memory."""
        return _moved(self, device("cpu"))  # type: ignore[no-any-return]

    def cuda(self, device: Any = "cuda") -> Tensor:
        """The tensor in a GPU's memory."""
        return self.to(device)

    def type(self, dtype: Any = None) -> Any:
        """The dtype's name, or the tensor with another dtype."""
        return f"minigrad.{self._array.dtype.name}" if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor with the dtype of another."""
        return self.to(other._array.dtype)

    def bool(self) -> Tensor:
        """The tensor as bools."""
        return convert(self, dtypes.bool)  # type: ignore[no-any-return]

    def byte(self) -> Tensor:
        """The tensor as uint8."""
        return convert(self, dtypes.uint8)  # type: ignore[no-any-return]

    def char(self) -> Tensor:
        """The tensor as int8."""
        return convert(self, dtypes.int8)  # type: ignore[no-any-return]

    def short(self) -> Tensor:
        """The tensor as int16."""
        return convert(self, dtypes.int16)  # type: ignore[no-any-return]

    def int(self) -> Tensor:
        """The tensor as int32."""
        return convert(self, dtypes.int32)  # type: ignore[no-any-return]

    def long(self) -> Tensor:
        """The tensor as int64."""
        return convert(self, dtypes.int64)  # type: ignore[no-any-return]

    def half(self) -> Tensor:
        """The tensor as float16."""
        return convert(self, dtypes.float16)  # type: ignore[no-any-return]

    def float(self) -> Tensor:
        """The tensor as float32."""
        return convert(self, dtypes.float32)  # type: ignore[no-any-return]

    def double(self) -> Tensor:
        """The tensor as float64."""
        return convert(self, dtypes.float64)  # type: ignore[no-any-return]

    def cfloat(self) -> Tensor:
        """The tensor as complex64."""
        return convert(self, dtypes.complex64)  # type: ignore[no-any-return]

    def cdouble(self) -> Tensor:
        """The tensor as complex128."""
        return convert(self, dtypes.complex128)  # type: ignore[no-any-return]

    copy_ = inplace.in_place(_copy, keeps=False)

    def pin_memory(self) -> Tensor:
        """The tensor itself: host memory is not pinned here."""
        return self

    # Protocols.

    def __repr__(self) -> str:
        return printing.represent(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self._array.size == 1 else repr(self)

    def __bool__(self) -> Any:
        if self._array.size != 1:
            raise ArgumentError(
                f"the truth of a tensor of shape {list(self._array.shape)} is ambiguous; use "
                f".any(), .all() or .item()"
            )
        return self._array.item() != 0

    def __int__(self) -> Any:
        return _number(self, "int").__int__()

    def __float__(self) -> Any:
        return _number(self, "float").__float__()

    def __complex__(self) -> complex:
        return complex(_number(self, "complex"))

    def __index__(self) -> Any:
        value = _number(self, "index")
        if self._array.dtype.kind not in "iub":
            raise TypeError(
                f"only integer tensors of one element are an index, this one has dtype "
                f"{self._array.dtype}; convert it with .long()"
            )
        return value.__index__()

    def __len__(self) -> Any:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return len(self._array)

    def __iter__(self) -> Iterator[Any]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._array)))

    def __contains__(self, element: Any) -> Any:
        return (self._array == getattr(element, "_array", element)).any().item()

    __hash__ = object.__hash__

    def __deepcopy__(self, memo: dict[Any, Any]) -> Self:
        if not self.is_leaf:
            raise GraphError(
                "deepcopy of a tensor that was computed from others would lose its graph; copy "
                "x.detach()"
            )
        copy = self._rebuild(self._array.copy(), self._node is not None)
        memo[id(self)] = copy
        for name, value in vars(self).items():
            if name == "grad" and value is not None:
                copy.grad = wrap(self, value._array.copy())
            elif name not in _OWN:
                setattr(copy, name, value)
        return copy

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise GraphError(
                "pickling a tensor that was computed from others would lose its graph; pickle "
                "x.detach()"
            )
        array = to_numpy(self._array)
        return _unpickle, (type(self), array, str(self.device), self._node is not None)

    def _rebuild(self, array: Any, requires_grad: Any) -> Self:
        copy = new(type(self))
        copy._array = array
        copy._node = None
        if requires_grad:
            copy._node = Leaf(copy)
        return copy


Traced._tensor = Tensor
_OWN = frozenset({"_array", "_node", "_base", "_view", "_views", "grad", "retains_grad"})


def _unpickle(kind: type[Tensor], array: Any, place: str, requires_grad: bool) -> Tensor:
    tensor = new(kind)
    tensor._array = backend_for(place).from_numpy(array, device(place))
    tensor._node = Leaf(tensor) if requires_grad else None
    return tensor


def _number(tensor: Tensor, wanted: str) -> Any:
    if tensor._array.size != 1:
        raise TypeError(
            f"only a tensor of one element converts to {wanted}, this one has shape "
            f"{list(tensor._array.shape)}"
        )
    return tensor._array.item()


def _destination(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The device, dtype and copy flag that the arguments of `to` ask for."""
    place, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    copy = kwargs.pop("copy", False)
    other = kwargs.pop("other", None)
    for name in ("non_blocking", "memory_format"):
        kwargs.pop(name, None)
    if kwargs:
        raise TypeError(f"to(): unexpected arguments {sorted(kwargs)}")
    for value in args:
        if isinstance(value, Traced):
            other = value
        elif isinstance(value, device) or (isinstance(value, str) and _names_device(value)):
            place = value
        elif isinstance(value, bool):
            continue
        elif isinstance(value, int):
            place = device("cuda", value)
        elif value is not None:
            dtype = value
    if other is not None:
        place, dtype = device_of(other._array), other._array.dtype
    return (
        None if place is None else device(place),
        None if dtype is None else dtypes.as_dtype(dtype, "to"),
        copy,
    )


def _names_device(text: str) -> bool:
    return text.split(":")[0] in ("cpu", "cuda") or text not in dtypes.__all__


def _moved(tensor: Any, place: device) -> Any:
    here = tensor.device
    if here == place or (place.index is None and here.type == place.type):
        return tensor
    return move(tensor, to=place, origin=here)


def is_tensor(obj: Any) -> bool:
    """Whether the object is a Tensor."""
    return isinstance(obj, Tensor)
