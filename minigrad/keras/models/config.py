"""The configuration of a graph of layers, and the graph of a configuration."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.layers import Layer
from minigrad.keras.models.graph import Graph
from minigrad.keras.models.registry import deserialize_layer, serialize_layer
from minigrad.keras.symbolic import KerasTensor, Operation, flatten

__all__ = ["graph_config", "graph_from_config"]

_TENSOR = "keras_tensor"


def graph_config(graph: Graph) -> dict[str, Any]:
    """The layers, the calls in order, and which results of which calls go in and out.

    A tensor is {"keras_tensor": n}, where n counts the inputs and then what each call gives.
    """
    places: dict[int, int] = {id(tensor): place for place, tensor in enumerate(graph.given)}
    nodes = []
    for node in graph.nodes:
        nodes.append(
            {
                "layer": node.layer.name,
                "args": _packed(node.args, places),
                "kwargs": _packed(node.kwargs, places),
            }
        )
        for tensor in flatten(node.outputs):
            places[id(tensor)] = len(places)
    return {
        "layers": [_described(operation) for operation in graph.operations],
        "inputs": _packed(graph.inputs, places),
        "given": [
            {"batch_shape": list(one.shape), "dtype": one.dtype.name, "name": one.name}
            for one in graph.given
        ],
        "outputs": _packed(graph.outputs, places),
        "nodes": nodes,
    }


def graph_from_config(config: dict[str, Any]) -> tuple[Any, Any]:
    """The inputs and the outputs, KerasTensors in their structures, connected by new layers."""
    layers: dict[str, Any] = {}
    for one in config["layers"]:
        layer = _made(one)
        layers[layer.name] = layer
    known = deserialize_inputs(config["given"], layers)
    for node in config["nodes"]:
        outputs = layers[node["layer"]](
            *_unpacked(node["args"], known), **_unpacked(node["kwargs"], known)
        )
        known += flatten(outputs)
    return _unpacked(config["inputs"], known), _unpacked(config["outputs"], known)


def deserialize_inputs(given: list[dict[str, Any]], layers: dict[str, Any]) -> list[KerasTensor]:
    """The KerasTensors to start from: those of the input layers, or of new ones."""
    tensors = []
    for one in given:
        layer = layers.get(one["name"])
        if layer is None:
            layer = deserialize_layer({"class_name": "InputLayer", "config": one})
        tensors.append(layer.tensor)
    return tensors


def _described(operation: Any) -> dict[str, Any]:
    if isinstance(operation, Layer):
        return serialize_layer(operation)
    return {"operation": operation.kind, "name": operation.name}


def _made(config: dict[str, Any]) -> Any:
    if "operation" in config:
        return Operation(config["operation"], config["name"])
    return deserialize_layer(config)


def _packed(structure: Any, places: dict[int, int]) -> Any:
    """The structure for JSON: tensors as their places, tuples and slices marked."""
    if isinstance(structure, KerasTensor):
        return {_TENSOR: places[id(structure)]}
    if isinstance(structure, tuple):
        return {"tuple": [_packed(part, places) for part in structure]}
    if isinstance(structure, list):
        return [_packed(part, places) for part in structure]
    if isinstance(structure, dict):
        return {"dict": {key: _packed(part, places) for key, part in structure.items()}}
    if isinstance(structure, slice):
        return {"slice": [structure.start, structure.stop, structure.step]}
    if structure is Ellipsis:
        return {"ellipsis": True}
    if isinstance(structure, Traced) or hasattr(structure, "__array__"):
        raise ArgumentError(
            "get_config(): a tensor or array was combined with a KerasTensor, and configurations "
            "hold numbers only; put it into a layer as a weight"
        )
    return structure


def _unpacked(structure: Any, known: list[KerasTensor]) -> Any:
    if isinstance(structure, list):
        return [_unpacked(part, known) for part in structure]
    if not isinstance(structure, dict):
        return structure
    kind, content = next(iter(structure.items()))
    if kind == _TENSOR:
        return known[content]
    if kind == "tuple":
        return tuple(_unpacked(part, known) for part in content)
    if kind == "slice":
        return slice(*content)
    if kind == "ellipsis":
        return Ellipsis
    return {key: _unpacked(part, known) for key, part in content.items()}
