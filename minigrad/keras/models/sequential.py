"""Sequential: layers one after another."""

from __future__ import annotations

from typing import Any, Self

from minigrad.errors import ArgumentError
from minigrad.keras.layers import Input, InputLayer, Layer
from minigrad.keras.models.model import Model
from minigrad.keras.models.registry import deserialize_layer, register, serialize_layer
from minigrad.keras.symbolic import KerasTensor

__all__ = ["Sequential"]


@register
class Sequential(Model):
    """Layers one after another, each taking what the one before gives.

    The weights are made once the shape of the input is known: from a first `keras.Input(shape)`,
    from `input_shape=` of the first layer, from `build(input_shape)`, or from the first data.

    >>> from minigrad.keras import layers
    >>> model = Sequential([layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(1)])
    >>> model.count_params()
    49
    """

    def __init__(
        self, layers: Any = None, *, trainable: bool = True, name: str | None = None
    ) -> None:
        super().__init__(name=name, trainable=trainable)
        self._layers: list[Layer] = []
        # What each layer gives for the symbolic input; empty while no shape is known.
        self._symbols: list[KerasTensor] = []
        if layers is not None and not isinstance(layers, (list, tuple)):
            raise ArgumentError(
                f"Sequential(): give the layers in a list, Sequential([...]), got "
                f"{type(layers).__name__}"
            )
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end. Raises ArgumentError for anything but a layer, or a second name.

        Something that `keras.Input` gives can stand first.
        """
        layer = self._checked(layer)
        if isinstance(layer, InputLayer):
            if self._layers or self._symbols:
                raise ArgumentError(
                    f"Sequential.add(): an Input must come first, '{self.name}' has layers already"
                )
            self._start(layer.tensor)
            return
        if not self._layers and not self._symbols and layer.batch_input_shape is not None:
            self._start(Input(batch_shape=layer.batch_input_shape, dtype=self._first_dtype(layer)))
        if any(one.name == layer.name for one in self._layers):
            raise ArgumentError(
                f"Sequential.add(): '{self.name}' has a layer named {layer.name!r} already; give "
                "each layer a name of its own"
            )
        if self._symbols:
            self._extend(layer)
        elif self.built:
            self.built = self._ready = False
        self._layers.append(layer)
        self._forget_trainer()

    def _checked(self, layer: Any) -> Layer:
        if isinstance(layer, KerasTensor):
            if layer.node is None or not isinstance(layer.node.layer, InputLayer):
                raise ArgumentError(
                    "Sequential.add(): a KerasTensor was given that is no Input; use "
                    "keras.Model(inputs, outputs) for a graph of layers"
                )
            return layer.node.layer
        if isinstance(layer, type):
            raise ArgumentError(
                f"Sequential.add(): got the class {layer.__name__}; make a layer of it: "
                f"{layer.__name__}(...)"
            )
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"Sequential.add(): expected a layer such as layers.Dense(8), got "
                f"{type(layer).__name__}"
            )
        return layer

    def _start(self, tensor: KerasTensor) -> None:
        self._symbols = [tensor]
        self._input_shape = tensor.shape
        self._finish_build()

    def _extend(self, layer: Layer) -> None:
        self._symbols.append(layer(self._symbols[-1]))

    def _first_dtype(self, layer: Layer) -> str:
        return "int32" if layer.takes_integers else "float32"

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer off and return it. Raises ArgumentError if there is none."""
        if not self._layers:
            raise ArgumentError(f"Sequential.pop(): '{self.name}' has no layers")
        layer = self._layers.pop()
        if self._symbols:
            self._symbols.pop()
        self._forget_trainer()
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of all layers for inputs of this shape, whose first entry is the batch.

        Raises ArgumentError where a layer cannot take what the one before gives.
        """
        if self._symbols:
            return
        if not self._layers:
            raise ArgumentError(f"Sequential.build(): '{self.name}' has no layers; add one first")
        if input_shape is None:
            raise ArgumentError(
                f"Sequential.build(): '{self.name}' was given no shape; write build((None, 784)), "
                "or put keras.Input(shape=(784,)) first"
            )
        shape = tuple(input_shape)
        self._start(Input(batch_shape=shape, dtype=self._first_dtype(self._layers[0])))
        for layer in self._layers:
            self._extend(layer)

    def call(self, inputs: Any) -> Any:
        """The output of the last layer."""
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def _listed_layers(self) -> list[Layer]:
        return list(vars(self).get("_layers", ()))

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the Input."""
        return list(self._layers)

    @property
    def takes_integers(self) -> bool:  # type: ignore[override]
        """Whether the first layer that looks at numbers wants integers."""
        for layer in self._layers:
            if layer.takes_integers:
                return True
            if not layer.keeps_dtype:
                return False
        return False

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for an input of this shape."""
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The KerasTensor that comes out for a KerasTensor."""
        tensor = args[0]
        for layer in self._layers:
            tensor = layer.compute_output_spec(tensor)
        return tensor

    def _symbol(self, what: str, place: int) -> KerasTensor:
        if not self._symbols:
            raise ArgumentError(
                f"Sequential '{self.name}' has no {what} yet, as no shape is known; put "
                "keras.Input(shape=(...)) first, call build(input_shape), or call it on data"
            )
        return self._symbols[place]

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input, in a list; empty while no shape is known."""
        return self._symbols[:1]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output, in a list; empty while no shape is known."""
        return self._symbols[-1:]

    @property
    def input(self) -> Any:
        """The symbolic input, from which `keras.Model(model.input, ...)` can start."""
        return self._symbol("input", 0)

    @property
    def output(self) -> Any:
        """The symbolic output."""
        return self._symbol("output", -1)

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer."""
        return [self._layers[-1].name] if self._layers else []

    @property
    def input_shape(self) -> Any:
        """The shape of the input, None for the batch."""
        return self.input.shape

    @property
    def output_shape(self) -> Any:
        """The shape of the output, None for the batch."""
        return self.output.shape

    def get_config(self) -> dict[str, Any]:
        """The layers in order, and the shape that the weights were made for."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [serialize_layer(layer) for layer in self._layers],
            "build_input_shape": list(self._symbols[0].shape) if self._symbols else None,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The model of a configuration, with new weights."""
        if "layers" not in config:
            return super().from_config(config)
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for one in config["layers"]:
            model.add(deserialize_layer(one))
        if config.get("build_input_shape") is not None:
            model.build(config["build_input_shape"])
        return model
