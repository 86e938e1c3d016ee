"""Layers that multiply by a matrix or look rows of one up: Dense and Embedding."""

from __future__ import annotations

from typing import Any

from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras import activations, regularizers
from minigrad.keras.layers.base import InputSpec, Layer
from minigrad.keras.layers.layout import known_channels, positive
from minigrad.keras.layers.options import keep, options

__all__ = ["Dense", "Embedding"]


class Dense(Layer):
    """`activation(inputs @ kernel + bias)` on the last axis: (..., in) to (..., units).

    kernel: (in, units), bias: (units,). It holds an `nn.Linear`.

    >>> import minigrad
    >>> Dense(2, activation="relu")(minigrad.ones(5, 3)).shape
    minigrad.Size([5, 2])
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        inputs = known_channels(self, input_shape)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})
        self.linear = nn.Linear(inputs, self.units, bias=self.use_bias, dtype=self.dtype)
        self.kernel = self.track(
            self.linear,
            "weight",
            "kernel",
            axes=(1, 0),
            **options(self, "kernel"),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.track(
                self.linear,
                "bias",
                "bias",
                **options(self, "bias"),
            )

    def call(self, inputs: Any) -> Any:
        """The activation of the affine map."""
        out = self.linear(inputs)
        return out if self.activation is activations.linear else self.activation(out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape with `units` last."""
        return (*input_shape[:-1], self.units)


class Embedding(Layer):
    """A table of `input_dim` rows of `output_dim` numbers: integers (...) to (..., output_dim).

    embeddings: (input_dim, output_dim). It holds an `nn.Embedding`. An integer outside
    [0, input_dim) raises. Steps are not masked: `mask_zero` must be False.
    """

    takes_integers = True

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None:
            kwargs["input_shape"] = (length,)
        super().__init__(**kwargs)
        if mask_zero:
            raise ArgumentError(
                "Embedding(): masks do not exist here, so mask_zero must be False; pad the "
                "sequences in front (padding='pre'), or pool with the padding's weight at zero"
            )
        self.input_dim = positive(self, "input_dim", input_dim)
        self.output_dim = positive(self, "output_dim", output_dim)
        keep(
            self,
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self.mask_zero = False
        self.weights_given = weights

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        self.table = nn.Embedding(self.input_dim, self.output_dim, dtype=self.dtype)
        self.embeddings = self.track(
            self.table,
            "weight",
            "embeddings",
            **options(self, "embeddings"),
        )
        if self.weights_given is not None:
            given, self.weights_given = self.weights_given, None
            self.embeddings.assign(given[0] if isinstance(given, (list, tuple)) else given)

    def call(self, inputs: Any) -> Any:
        """The rows."""
        if inputs.dtype.kind == "f":
            inputs = inputs.long()
        return self.table(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape with `output_dim` behind."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, without the values of the table."""
        config = super().get_config()
        config.pop("weights", None)
        return config
