"""Model: layers that are trained together, written as a graph of layers or as a subclass."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any, Self

from minigrad.errors import ArgumentError
from minigrad.keras.exchange.graph import graph_from_keras
from minigrad.keras.layers import InputLayer, Layer
from minigrad.keras.lookup import nearest
from minigrad.keras.models.config import graph_config, graph_from_config
from minigrad.keras.models.fitting import Fitting
from minigrad.keras.models.graph import Graph
from minigrad.keras.models.registry import deserialize_layer, register, serialize_layer
from minigrad.keras.models.saving import load_weights, save_model, save_weights
from minigrad.keras.models.summary import print_summary
from minigrad.keras.naming import snake_case, unique_name
from minigrad.keras.symbolic import (
    KerasTensor,
    infer,
    map_shapes,
    map_structure,
    shape_of,
    symbols,
)

__all__ = ["Model"]


@register
class Model(Fitting, Layer):
    """A model: `Model(inputs, outputs)` between KerasTensors, or a subclass with `call(inputs)`.

    Inputs and outputs are KerasTensors, or lists or dicts of them.

    >>> from minigrad.keras import Input, layers
    >>> x = Input(shape=(4,))
    >>> Model(x, layers.Dense(2)(x)).output_shape
    (None, 2)
    """

    # What an input is converted to is decided by the Input or the layer that it reaches.
    takes_integers = True
    _graph: Graph | None = None

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        **kwargs: Any,
    ) -> None:
        if (inputs is None) != (outputs is None):
            lacking = "inputs" if inputs is None else "outputs"
            raise ArgumentError(f"Model(): {lacking} are missing; write Model(inputs, outputs)")
        if name is None:
            plain = "functional" if inputs is not None else "model"
            name = unique_name(plain if type(self) is Model else snake_case(type(self).__name__))
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._set_up_fitting()
        if inputs is not None:
            self._graph = Graph(inputs, outputs)
            self._finish_build()

    # Computing.

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if Layer.any_added_losses and "_weights" in vars(self):
            for layer in self._sublayers():
                layer._added_losses.clear()
        return super().__call__(*args, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of a subclass by calling it on a symbolic input of this shape."""
        if self._graph is None and input_shape is not None:
            infer(self.call, (symbols(input_shape, self.dtype),), {})

    def _build_once(self, shape: Any) -> None:
        # A subclass without `build` is built by its first call, of which there is no need here.
        if type(self).build is not Model.build:
            super()._build_once(shape)
        elif not self.built:
            self._finish_build(map_shapes(lambda lengths: (None, *lengths[1:]), shape))

    def call(self, inputs: Any) -> Any:
        """The outputs for the inputs; a subclass writes its own."""
        if self._graph is None:
            own = type(self).__name__
            raise ArgumentError(
                f"{own} has no call(); write `def call(self, inputs): ...` in a subclass, or make "
                f"it by {own}(inputs, outputs)"
            )
        return self._graph.run(inputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The KerasTensors that come out for KerasTensors."""
        if self._graph is not None and args:
            shapes = [tensor.shape for tensor in self._graph.listed(args[0])]
            if shapes == [tensor.shape for tensor in self._graph.given]:
                return map_structure(
                    lambda tensor: KerasTensor(tensor.shape, tensor.dtype), self._graph.outputs
                )
        return super().compute_output_spec(*args, **kwargs)

    # Layers.

    def _find(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        found: set[int] = set()
        for layer in self._listed_layers():
            if isinstance(layer, kind):
                found.add(id(layer))
                yield layer.name, layer
        for name, value in super()._find(kind):
            if id(value) not in found:
                found.add(id(value))
                yield name, value

    def _listed_layers(self) -> list[Layer]:
        """The layers that are held in order and not as attributes."""
        if self._graph is None:
            return []
        return [layer for layer in self._graph.layers if not isinstance(layer, InputLayer)]

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in the model, in Keras's order."""
        if self._graph is not None:
            return list(self._graph.layers)
        return [module for module in self.children() if isinstance(module, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this index. Raises ArgumentError if there is none."""
        if (name is None) == (index is None):
            raise ArgumentError("get_layer(): give the name or the index of a layer")
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    f"get_layer(): index {index} is out of range; '{self.name}' has {len(layers)} "
                    "layers"
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in layers]
        close = nearest(str(name), names)
        meant = f"did you mean {' or '.join(map(repr, close))}?" if close else f"it has {names}"
        raise ArgumentError(f"get_layer(): '{self.name}' has no layer named {name!r}; {meant}")

    @property
    def inputs(self) -> list[KerasTensor]:
        """The KerasTensors that the model was made from, as a list."""
        return [] if self._graph is None else list(self._graph.given)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The KerasTensors that it gives, as a list."""
        return [] if self._graph is None else list(self._graph.wanted)

    @property
    def input(self) -> Any:
        """The KerasTensor, or structure of them, that the model was made from."""
        return super().input if self._graph is None else self._graph.inputs

    @property
    def output(self) -> Any:
        """The KerasTensor, or structure of them, that it gives."""
        return super().output if self._graph is None else self._graph.outputs

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor.name for tensor in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the keys of a dict, else of the layers they come from."""
        if self._graph is None:
            return []
        if isinstance(self._graph.outputs, dict):
            return list(self._graph.outputs)
        names: list[str] = []
        for tensor in self.outputs:
            own = tensor.node.layer.name if tensor.node is not None else tensor.name
            count = sum(name == own or name.startswith(f"{own}_") for name in names)
            names.append(f"{own}_{count}" if own in names else own)
        return names

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or shapes of the inputs, None for the batch."""
        return super().input_shape if self._graph is None else shape_of(self._graph.inputs)

    @property
    def output_shape(self) -> Any:
        """The shape of the output, or shapes of the outputs, None for the batch."""
        return super().output_shape if self._graph is None else shape_of(self._graph.outputs)

    # Looking at it, saving it.

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of the layers with the shapes of their outputs and their parameters."""
        print_summary(
            self,
            line_length=line_length,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write layers, weights and training to a file, which `keras.models.load_model` reads."""
        save_model(self, filepath, overwrite)

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Write the weights to a file."""
        save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Take the weights of a file that `save_weights` or `save` wrote."""
        load_weights(self, filepath)

    def to_json(self, **kwargs: Any) -> str:
        """The layers and how they are connected as JSON, without the weights."""
        return json.dumps(serialize_layer(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The layers and how they are connected, ready for JSON; a subclass: its arguments."""
        if self._graph is None or type(self) is not Model:
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable, **graph_config(self._graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The model of a configuration, with new weights."""
        if "input_layers" in config:
            inputs, outputs = graph_from_keras(config, deserialize_layer)
        elif "nodes" in config:
            inputs, outputs = graph_from_config(config)
        else:
            return super().from_config(config)
        return cls(
            inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True)
        )
