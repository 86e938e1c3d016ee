"""Configurations written as Keras 3 reads them: layers, graphs of layers, and their training."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras.exchange.dialect import namespace_of
from minigrad.keras.exchange.training import compile_config
from minigrad.keras.exchange.tree import class_name, is_functional, is_sequential
from minigrad.keras.layers import InputLayer, Layer
from minigrad.keras.symbolic import KerasTensor, Operation, flatten

__all__ = ["NotInKeras", "to_keras", "training_to_keras"]

# The operations whose classes in Keras take no arguments of their own, by Keras's module.
_OPERATIONS = {
    "keras.src.ops.numpy": {
        "absolute": "Absolute",
        "add": "Add",
        "cos": "Cos",
        "exp": "Exp",
        "get_item": "GetItem",
        "log": "Log",
        "matmul": "Matmul",
        "maximum": "Maximum",
        "minimum": "Minimum",
        "multiply": "Multiply",
        "negative": "Negative",
        "power": "Power",
        "sin": "Sin",
        "sqrt": "Sqrt",
        "square": "Square",
        "subtract": "Subtract",
        "tanh": "Tanh",
        "true_divide": "TrueDivide",
    },
    "keras.src.ops.nn": {"relu": "Relu", "sigmoid": "Sigmoid", "silu": "Silu"},
}
# Those whose classes there take the options of the call.
_WITH_OPTIONS = {
    "concatenate": "Concatenate",
    "max": "Max",
    "mean": "Mean",
    "min": "Min",
    "sum": "Sum",
}
# What configurations hold here and Keras's class does not take, with the value it stands for there.
_TOO_MUCH: dict[str, dict[str, Any]] = {
    "Cropping1D": {"data_format": "channels_last"},
    "SpatialDropout1D": {"trainable": True},
    "SpatialDropout2D": {"trainable": True},
    "SpatialDropout3D": {"trainable": True},
}
_MODULES = {"Functional": "keras.src.models.functional", "Sequential": "keras"}


class NotInKeras(ArgumentError):
    """A part of a model that Keras itself has not, so that its file could not be read there."""


def to_keras(layer: Any) -> dict[str, Any]:
    """The class and configuration of a layer or model, as Keras 3 writes them.

    Raises NotInKeras for a user's own class, and for what Keras would not find by its name.
    """
    name = class_name(layer)
    if not type(layer).__module__.startswith("minigrad.keras."):
        raise NotInKeras(f"{name} is a class of the user's own")
    if isinstance(layer, InputLayer):
        config = _input(layer.tensor)
    elif is_functional(layer):
        config = {"name": layer.name, "trainable": layer._trainable, **_graph(layer._graph)}
    elif is_sequential(layer):
        config = _sequence(layer)
    else:
        config = _settings(layer.get_config())
        if name in ("Cropping1D", "ZeroPadding1D"):
            key = "padding" if "padding" in config else "cropping"
            config[key] = config[key][0]  # Keras has pairs for each axis, but not for one alone.
        for key, only in _TOO_MUCH.get(name, {}).items():
            if config.pop(key) != only:
                raise NotInKeras(f"{name} there has no {key}")
    module = _MODULES.get(name, "keras.layers")
    return _object(module, name, config, "Functional" if name == "Functional" else None)


def training_to_keras(model: Any) -> dict[str, Any]:
    """What the model was compiled with, as Keras 3 writes it."""
    config: dict[str, Any] = _encoded(compile_config(model))
    return {**config, "run_eagerly": False, "steps_per_execution": 1, "jit_compile": False}


def _object(module: str, name: str, config: Any, registered: str | None = None) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": registered}


def _settings(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a layer: its dtype as a policy, and no shape of an input."""
    made = {name: _encoded(value) for name, value in config.items() if name != "batch_input_shape"}
    if "dtype" in made:
        made["dtype"] = _object("keras", "DTypePolicy", {"name": made["dtype"]})
    return made


def _encoded(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_encoded(part) for part in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {name: _encoded(part) for name, part in value.items()}
    name, config = value["class_name"], value.get("config")
    module = namespace_of(name, None, config)
    if module is None or not isinstance(config, dict) or name == "Given":
        raise NotInKeras(f"{name} is a class of the user's own, or a model inside of a layer")
    return _object(
        module, name, _settings(config) if module == "keras.layers" else _encoded(config)
    )


def _input(tensor: KerasTensor) -> dict[str, Any]:
    return {
        "batch_shape": list(tensor.shape),
        "dtype": tensor.dtype.name,
        "sparse": False,
        "name": tensor.name,
    }


def _sequence(model: Any) -> dict[str, Any]:
    start = model.input
    layers = [_object("keras.layers", "InputLayer", _input(start))]
    return {
        "name": model.name,
        "trainable": model._trainable,
        "layers": layers + [to_keras(layer) for layer in model.layers],
        "build_input_shape": list(start.shape),
    }


def _graph(graph: Any) -> dict[str, Any]:
    """The layers with the calls made of each, and where the model starts and ends."""
    counts: dict[int, int] = {}
    places: dict[int, list[Any]] = {}
    for tensor in graph.given:
        if tensor.node is None or not isinstance(tensor.node.layer, InputLayer):
            raise NotInKeras("the model starts at what a layer gives")
        places[id(tensor)] = [tensor.node.layer.name, 0, 0]
    calls: dict[int, list[Any]] = {}
    for node in graph.nodes:
        number = counts.get(id(node.layer), 0)
        counts[id(node.layer)] = number + 1
        args, kwargs = _packed(node.args, places), _packed(node.kwargs, places)
        if isinstance(node.layer, Operation):
            kwargs = _without_options(node.layer.kind, args, kwargs)
        calls.setdefault(id(node.layer), []).append({"args": args, "kwargs": kwargs})
        for index, tensor in enumerate(flatten(node.outputs)):
            places[id(tensor)] = [node.layer.name, number, index]
    layers = [
        {
            **_operation(one, graph.nodes),
            "name": one.name,
            "inbound_nodes": calls.get(id(one), []),
        }
        for one in graph.operations
    ]
    return {
        "layers": layers,
        "input_layers": _ends(graph.inputs, places),
        "output_layers": _ends(graph.outputs, places),
    }


def _without_options(kind: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a call of an operation less those that its class takes."""
    if len(args) != 1 if kind in _WITH_OPTIONS else kwargs:
        raise NotInKeras(f"the operation {kind} was called with options")
    return {}


def _operation(one: Any, nodes: list[Any]) -> dict[str, Any]:
    if isinstance(one, Layer):
        return to_keras(one)
    if one.kind in _WITH_OPTIONS:
        name = _WITH_OPTIONS[one.kind]
        kwargs = next(node.kwargs for node in nodes if node.layer is one)
        options = {"name": one.name, **_packed(kwargs, {})}
        return _object("keras.src.ops.numpy", name, options, name)
    for module, known in _OPERATIONS.items():
        if one.kind in known:
            name = known[one.kind]
            return _object(module, name, {"name": one.name}, name)
    raise NotInKeras(f"the operation {one.kind} is not written for Keras")


def _packed(structure: Any, places: dict[int, list[Any]]) -> Any:
    if isinstance(structure, KerasTensor):
        config = {
            "shape": list(structure.shape),
            "dtype": structure.dtype.name,
            "keras_history": places[id(structure)],
        }
        return {"class_name": "__keras_tensor__", "config": config}
    if isinstance(structure, (list, tuple)):
        return [_packed(part, places) for part in structure]
    if isinstance(structure, dict):
        return {name: _packed(part, places) for name, part in structure.items()}
    if isinstance(structure, slice):
        ends = {"start": structure.start, "stop": structure.stop, "step": structure.step}
        return {"class_name": "__slice__", "config": ends}
    if structure is None or isinstance(structure, (bool, int, float, str)):
        return structure
    raise NotInKeras(f"a call has the argument {structure!r}")


def _ends(structure: Any, places: dict[int, list[Any]]) -> Any:
    if isinstance(structure, KerasTensor):
        return places[id(structure)]
    if isinstance(structure, dict):
        return {name: _ends(part, places) for name, part in structure.items()}
    return [_ends(part, places) for part in structure]
