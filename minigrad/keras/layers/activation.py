"""Activations as layers: Activation, and those with a class of their own."""

from __future__ import annotations

import math
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras import activations
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.options import keep, options

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _Elementwise(Layer):
    """A layer whose output has the shape of its input."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


class Activation(_Elementwise):
    """An activation, given by its name or as a function, applied to inputs of any shape.

    >>> import minigrad
    >>> Activation("relu")(minigrad.tensor([[-1.0, 2.0]]))
    tensor([[0., 2.]])
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        """The activation of the inputs."""
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape; `glu` halves the last axis."""
        if self.activation is not activations.glu or input_shape[-1] is None:
            return input_shape
        return (*input_shape[:-1], input_shape[-1] // 2)


def _slope(owner: Any, name: str, value: Any) -> float:
    if value is None or not math.isfinite(value) or value < 0:
        raise ArgumentError(
            f"{type(owner).__name__}(): {name} must be a number of at least 0, got {value!r}"
        )
    return float(value)


class ReLU(_Elementwise):
    """x above `threshold`, up to `max_value`; `negative_slope * (x - threshold)` elsewhere."""

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _slope(self, "max_value", max_value)
        self.negative_slope = _slope(self, "negative_slope", negative_slope)
        self.threshold = _slope(self, "threshold", threshold)

    def call(self, inputs: Any) -> Any:
        """The activation of every element."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Elementwise):
    """x where it is positive, `negative_slope * x` elsewhere; the slope is 0.3 unless given."""

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        # Keras 2's name, which many listings have.
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _slope(self, "negative_slope", negative_slope)

    def call(self, inputs: Any) -> Any:
        """The activation of every element."""
        return activations.leaky_relu(inputs, self.negative_slope)


class PReLU(_Elementwise):
    """x where it is positive, `alpha * x` elsewhere, with alphas that are learned.

    There is one alpha for each place in a sample, shared along `shared_axes`; for images,
    shared_axes=[1, 2] leaves one for each channel. Source: He et al. 2015.
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        keep(self, "alpha", alpha_initializer, alpha_regularizer, alpha_constraint)
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else list(axes)

    def build(self, input_shape: Any) -> None:
        """Make the alphas."""
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            shape=tuple(shape),
            name="alpha",
            **options(self, "alpha"),
        )

    def call(self, inputs: Any) -> Any:
        """The activation of every element."""
        return activations.relu(inputs) - self.alpha * activations.relu(-inputs)


class ELU(_Elementwise):
    """x where it is positive, `alpha * (exp(x) - 1)` elsewhere."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = _slope(self, "alpha", alpha)

    def call(self, inputs: Any) -> Any:
        """The activation of every element."""
        return activations.elu(inputs, self.alpha)


class Softmax(_Elementwise):
    """exp(x) over its sum along `axis`, or several axes; a False in `mask` leaves an entry out."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Probabilities along the axis."""
        if mask is not None:
            inputs = minigrad.where(
                mask.bool(), inputs, -3e4 if inputs.dtype.itemsize == 2 else -1e9
            )
        return activations.softmax(inputs, self.axis)


# A layer's `activation` may be one of these, and its configuration then names the class.
activations.LOOKUP.known.update(
    {layer.__name__: layer for layer in (ELU, LeakyReLU, PReLU, ReLU, Softmax)}
)
