"""The Tensor: an array, the node that made it, and everything that can be asked of it.

The operations as methods come from `minigrad.methods`; here are construction,
autograd, and Python's protocols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy

from minigrad import dtypes, engine, mutation, printing
from minigrad.backend import backend_for, device, to_numpy
from minigrad.errors import DtypeError, GraphError
from minigrad.graph import Leaf, Node, Traced, new, wrap
from minigrad.hooks import RemovableHandle, hooks_of
from minigrad.methods.convert import ConvertMethods
from minigrad.methods.creation import CreationMethods
from minigrad.methods.describe import DescribeMethods, Size
from minigrad.methods.elementwise import ElementwiseMethods
from minigrad.methods.index import IndexMethods
from minigrad.methods.linalg import LinalgMethods
from minigrad.methods.nn import FunctionalMethods
from minigrad.methods.reduce import ReduceMethods
from minigrad.methods.shape import ShapeMethods
from minigrad.methods.signal import SignalMethods
from minigrad.ops.promotion import convert

__all__ = ["Size", "Tensor", "is_complex", "is_floating_point", "is_tensor", "numel"]


class Tensor(
    ElementwiseMethods,
    ReduceMethods,
    ShapeMethods,
    IndexMethods,
    LinalgMethods,
    FunctionalMethods,
    SignalMethods,
    CreationMethods,
    ConvertMethods,
    DescribeMethods,
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
    _leaf: Node | None = None
    _place: Any = None
    __array_priority__ = 1000
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
            # Graphs that hold the leaf's node find the tensor again when it is switched on.
            self._leaf = self._node or self._leaf
            self._node = None
        elif self._node is None:
            if self._array.dtype.kind not in "fc":
                raise DtypeError(
                    f"requires_grad_(): only floating and complex tensors have gradients, this one "
                    f"has dtype {self._array.dtype}; convert it first, for example with .float()"
                )
            self._node = self._leaf or Leaf(self)
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
        """Make this tensor a leaf that needs no gradient; GraphError if it is a view."""
        if self._base is not None:
            raise GraphError("detach_(): a view follows its base's gradient; use detach()")
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

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Call `hook` with this leaf each time after its `.grad` was added to."""
        if type(self._node) is not Leaf:
            raise GraphError(
                "register_post_accumulate_grad_hook(): only a leaf that requires a gradient "
                "accumulates one"
            )
        if self._node.accumulated is None:
            self._node.accumulated = {}
        return RemovableHandle.add(self._node.accumulated, hook)

    # Protocols.

    def __repr__(self) -> str:
        return printing.represent(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self._array.size == 1 else repr(self)

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
_OWN = frozenset(
    {"_array", "_base", "_leaf", "_node", "_place", "_view", "_views", "grad", "retains_grad"}
)


def _unpickle(kind: type[Tensor], array: Any, place: str, requires_grad: bool) -> Tensor:
    tensor = new(kind)
    # An unpickled dtype is an equal one, but not the object that operations compare with.
    array = array.view(dtypes.as_dtype(array.dtype))
    tensor._array = backend_for(place).from_numpy(array, device(place))
    tensor._node = Leaf(tensor) if requires_grad else None
    return tensor


def is_tensor(obj: Any) -> bool:
    """Whether the object is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether a tensor's dtype is float16, float32 or float64."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether a tensor's dtype is complex64 or complex128."""
    return input.is_complex()


def numel(input: Tensor) -> int:
    """The number of elements of a tensor."""
    return input.numel()
