"""A layer's tensors as Keras sees them: Weight, the view in its layout, and Variable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras import initializers
from minigrad.modes import no_grad
from minigrad.nn import Module, Parameter
from minigrad.ops.data import from_numpy
from minigrad.tensor import Tensor

__all__ = ["Variable", "Weight"]


class Variable(Parameter):
    """What `add_weight` gives: a parameter with Keras's `assign`, `assign_add` and `numpy`."""

    name: str = "variable"

    def assign(self, value: Any) -> Variable:
        """Replace the values in place. Raises ArgumentError where the shapes differ."""
        given: Any = value if isinstance(value, Traced) else from_numpy(numpy.asarray(value))
        if tuple(given.shape) != tuple(self.shape):
            raise ArgumentError(
                f"assign(): '{self.name}' has shape {tuple(self.shape)}, got values of shape "
                f"{tuple(given.shape)}"
            )
        with no_grad():
            self.detach().copy_(given)
        return self

    def assign_add(self, value: Any) -> Variable:
        """Add to the values in place."""
        with no_grad():
            self.detach().add_(value)
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract from the values in place."""
        with no_grad():
            self.detach().sub_(value)
        return self

    def numpy(self, *, force: bool = False) -> Any:
        """A copy of the values as a NumPy array."""
        return self.detach().cpu().numpy().copy()


class Weight:
    """The tensor `owner.attribute`, seen in Keras's layout.

    `view`, a shape, and then `axes`, a permutation, lead from torch's layout to Keras's; None is
    the identity. A Dense kernel, [out, in] in torch and (in, out) in Keras, has axes (1, 0).
    Reading and assigning go through to the tensor itself, which is what is trained and saved.
    With a Variable as the owner, which is the tensor itself, `attribute` is None.
    """

    def __init__(
        self,
        owner: Module | Variable,
        attribute: str | None,
        name: str,
        *,
        path: str = "",
        trainable: bool = True,
        axes: tuple[int, ...] | None = None,
        view: tuple[int, ...] | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        constraint: Any = None,
    ) -> None:
        self.owner = owner
        self.attribute = attribute
        self.name = name
        self.path = path or name
        self.wants_training = trainable
        self.axes = axes
        self.view = view
        self.initializer = initializer
        self.regularizer = regularizer
        self.constraint = constraint

    @property
    def tensor(self) -> Any:
        """The parameter or buffer itself, in torch's layout."""
        return self.owner if self.attribute is None else getattr(self.owner, self.attribute)

    @property
    def value(self) -> Any:
        """The tensor in Keras's layout: a view of it, through which gradients flow."""
        return self._seen(self.tensor)

    def _seen(self, tensor: Any) -> Any:
        if self.view is not None:
            tensor = tensor.reshape(self.view)
        return tensor if self.axes is None else tensor.permute(*self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in Keras's layout."""
        shape = tuple(self.tensor.shape) if self.view is None else self.view
        return shape if self.axes is None else tuple(shape[axis] for axis in self.axes)

    @property
    def ndim(self) -> int:
        """The number of dimensions in Keras's layout."""
        return len(self.shape)

    @property
    def dtype(self) -> str:
        """The name of the dtype, such as "float32"."""
        name: str = self.tensor._array.dtype.name
        return name

    @property
    def trainable(self) -> bool:
        """Whether it is a parameter whose training is switched on; False holds for buffers."""
        return isinstance(self.tensor, Parameter) and self.tensor.requires_grad

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if isinstance(self.tensor, Parameter):
            self.tensor.requires_grad_(bool(value) and self.wants_training)

    def numpy(self) -> numpy.ndarray[Any, Any]:
        """A copy of the values as a NumPy array in Keras's layout."""
        with no_grad():
            array: numpy.ndarray[Any, Any] = self.value.detach().cpu().numpy()
        return array.copy()

    def assign(self, value: Any) -> Weight:
        """Replace the values by ones in Keras's layout, in place; returns the weight.

        Raises ArgumentError where the shapes differ.
        """
        if isinstance(value, Weight):
            value = value.numpy()
        elif isinstance(value, Traced):
            value = value.detach().cpu().numpy()  # type: ignore[attr-defined]
        given = numpy.asarray(value)
        if given.shape != self.shape:
            raise ArgumentError(
                f"assign(): weight '{self.path}' has shape {self.shape}, got values of shape "
                f"{given.shape}"
            )
        with no_grad():
            self._fill(given)
        return self

    def _fill(self, given: Any) -> None:
        if self.axes is not None:
            given = given.transpose([self.axes.index(axis) for axis in range(len(self.axes))])
        tensor = self.tensor.detach()
        dtype = tensor._array.dtype
        values = numpy.asarray(given.reshape(tuple(tensor.shape)), dtype, order="C")
        tensor.copy_(from_numpy(values).to(tensor.device))

    def initialize(self) -> None:
        """Let the initializer fill the tensor, if there is one."""
        if self.initializer is not None:
            initializers.fill_(self.initializer, self.tensor, self._seen)

    def constrain(self) -> None:
        """Bring the values back to where the constraint wants them, if there is one."""
        if self.constraint is not None:
            with no_grad():
                given: Any = self.constraint(self.value.detach())
                if not isinstance(given, Tensor) or tuple(given.shape) != self.shape:
                    self.assign(given)
                    return
                if self.axes is not None:
                    given = given.permute(*map(self.axes.index, range(len(self.axes))))
                tensor = self.tensor.detach()
                tensor.copy_(given.reshape(tuple(tensor.shape)))

    # A weight computes as its tensor does, so that `x @ layer.kernel` can be written.

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "owner" not in vars(self):
            raise AttributeError(name)
        return getattr(self.value, name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return numpy.asarray(self.numpy(), dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.value)

    def __getitem__(self, key: Any) -> Any:
        return self.value[key]

    def __float__(self) -> float:
        return float(self.numpy())

    def __neg__(self) -> Any:
        return -self.value

    def __add__(self, other: Any) -> Any:
        return self.value + other

    def __radd__(self, other: Any) -> Any:
        return other + self.value

    def __sub__(self, other: Any) -> Any:
        return self.value - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.value

    def __mul__(self, other: Any) -> Any:
        return self.value * other

    def __rmul__(self, other: Any) -> Any:
        return other * self.value

    def __truediv__(self, other: Any) -> Any:
        return self.value / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.value

    def __matmul__(self, other: Any) -> Any:
        return self.value @ other

    def __rmatmul__(self, other: Any) -> Any:
        return other @ self.value

    def __pow__(self, other: Any) -> Any:
        return self.value**other

    def __repr__(self) -> str:
        return f"<Weight path={self.path}, shape={self.shape}, dtype={self.dtype}>"
