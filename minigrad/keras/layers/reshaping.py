"""Layers that move elements and change shapes without weights."""

from __future__ import annotations

import math
from typing import Any

from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import InputSpec, Layer
from minigrad.keras.layers.layout import format_of, positive
from minigrad.keras.lookup import Lookup

__all__ = ["Flatten", "Identity", "Lambda", "Permute", "RepeatVector", "Reshape"]

_FUNCTIONS = Lookup("keras.layers.Lambda", "function", {})


class Flatten(Layer):
    """All axes but the batch joined to one: (batch, ...) to (batch, features).

    The order is that of channels last, whatever `data_format`, so that weights behind it fit both.

    >>> Flatten().compute_output_shape((None, 28, 28))
    (None, 784)
    """

    keeps_dtype = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(self, data_format)
        self.flatten = nn.Flatten()
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Any) -> Any:
        """The inputs, one row for each sample."""
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.permute(0, *range(2, inputs.ndim), 1)
        return self.flatten(inputs) if inputs.ndim > 1 else inputs.unsqueeze(1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, features)."""
        sizes = input_shape[1:]
        return (input_shape[0], None if None in sizes else math.prod(sizes))


class Reshape(Layer):
    """Each sample in the shape `target_shape`; one -1 in it stands for what is left over."""

    keeps_dtype = True

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if given.count(-1) > 1 or any(size < -1 for size in given):
            raise ArgumentError(
                f"Reshape(): target_shape holds sizes without the batch, at most one of them -1, "
                f"got {given}"
            )
        self.target_shape = given

    def call(self, inputs: Any) -> Any:
        """The reshaped inputs."""
        sizes = self._sizes(inputs.shape)
        return inputs.reshape(inputs.shape[0], *sizes)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, *target_shape)."""
        return (input_shape[0], *self._sizes(input_shape))

    def _sizes(self, input_shape: Any) -> tuple[int | None, ...]:
        """The target with its -1 worked out, None where it is not known."""
        sizes = tuple(input_shape[1:])
        if None in sizes:
            return tuple(None if size == -1 else size for size in self.target_shape)
        have, fixed = math.prod(sizes), math.prod(size for size in self.target_shape if size != -1)
        wild = -1 in self.target_shape
        if (wild and (not fixed or have % fixed)) or (not wild and have != fixed):
            raise ArgumentError(
                f"layer '{self.name}' (Reshape): a sample of shape {sizes} has {have} elements, "
                f"which do not fit into target_shape {self.target_shape}"
            )
        return tuple(have // fixed if size == -1 else size for size in self.target_shape)


class Permute(Layer):
    """The axes of each sample in another order: `dims` counts from 1, the batch is 0."""

    keeps_dtype = True

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ArgumentError(
                f"Permute(): dims must hold each of 1 to {len(self.dims)} once (axis 0, the batch, "
                f"stays where it is), got {self.dims}"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Any) -> Any:
        """A view with the axes permuted."""
        return inputs.permute(0, *self.dims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape with the axes permuted."""
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))


class RepeatVector(Layer):
    """Each vector n times: (batch, features) to (batch, n, features)."""

    keeps_dtype = True

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = positive(self, "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Any) -> Any:
        """The repeated inputs."""
        return inputs.unsqueeze(1).expand(-1, self.n, -1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, n, features)."""
        return (input_shape[0], self.n, input_shape[1])


class Identity(Layer):
    """The inputs themselves."""

    keeps_dtype = True

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


class Lambda(Layer):
    """Any function of tensors as a layer: `function(inputs, **arguments)`.

    It has no weights that are trained; write a subclass of Layer for those. A lambda cannot be
    saved: its configuration needs a function with a name, registered by
    `keras.saving.register_keras_serializable()`.

    >>> import minigrad
    >>> Lambda(lambda x: x * 2)(minigrad.ones(1, 2))
    tensor([[2., 2.]])
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(function, str):
            function = _FUNCTIONS.find(function)
        if not callable(function):
            raise ArgumentError(
                f"Lambda(): function must be callable, got {type(function).__name__}"
            )
        if mask is not None:
            raise ArgumentError("Lambda(): masks do not exist here; leave the argument mask out")
        self.function = function
        self.arguments = dict(arguments or {})
        self.wanted_shape = output_shape

    def call(self, inputs: Any) -> Any:
        """The function of the inputs."""
        return self.function(inputs, **self.arguments)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`output_shape` with the batch, or what the function gives for zeros."""
        if self.wanted_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self.wanted_shape):
            return tuple(self.wanted_shape(input_shape))
        several = isinstance(input_shape[0], (list, tuple))
        return ((input_shape[0] if several else input_shape)[0], *self.wanted_shape)
