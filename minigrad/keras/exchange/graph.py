"""The graph of a functional model as Keras describes it: each layer with the calls made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras.layers import InputLayer
from minigrad.keras.naming import snake_case
from minigrad.keras.symbolic import OPERATIONS, KerasTensor, Operation, flatten

__all__ = ["graph_from_keras"]

_Known = dict[tuple[str, int], list[KerasTensor]]


def graph_from_keras(config: dict[str, Any], make: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The inputs and the outputs, KerasTensors in their structures, connected by new layers.

    `make` makes a layer of its configuration. Raises ArgumentError where a call waits for a tensor
    that no layer gives.
    """
    known: _Known = {}
    waiting = []
    old_style = False
    for one in config["layers"]:
        layer, options = _made(one, make)
        name = one.get("name") or layer.name
        if isinstance(layer, InputLayer):
            known[name, 0] = [layer.tensor]
            continue
        for index, node in enumerate(one["inbound_nodes"]):
            old_style = old_style or isinstance(node, list)
            args, kwargs = _call(node)
            waiting.append(((name, index), layer, args, {**options, **kwargs}))
    while waiting:
        later = []
        for place, layer, args, kwargs in waiting:
            if all(_place(tensor) in known for tensor in _tensors((args, kwargs))):
                known[place] = flatten(layer(*_filled(args, known), **_filled(kwargs, known)))
            else:
                later.append((place, layer, args, kwargs))
        if len(later) == len(waiting):
            raise ArgumentError(
                f"load_model(): the call of layer {later[0][0][0]!r} waits for a tensor that no "
                "layer of the file gives; the configuration is damaged"
            )
        waiting = later
    ends = [_end(config[key], known) for key in ("input_layers", "output_layers")]
    if old_style:
        # Keras 2 writes a list of one also for a tensor alone.
        ends = [end[0] if isinstance(end, list) and len(end) == 1 else end for end in ends]
    return ends[0], ends[1]


def _made(config: dict[str, Any], make: Callable[[Any], Any]) -> tuple[Any, dict[str, Any]]:
    """The layer or operation, and the options that an operation of Keras has of its own."""
    if "operation" not in config:
        return make(config), {}
    kind = snake_case(config["operation"])
    kind = {"divide": "true_divide"}.get(kind, kind)
    if kind not in OPERATIONS:
        raise ArgumentError(
            f"load_model(): the file needs the operation {config['operation']}, which keras.ops "
            "does not have"
        )
    options = {
        name: value
        for name, value in config["config"].items()
        if value is not None and name not in ("name", "trainable", "dtype")
    }
    return Operation(kind, config["name"]), options


def _call(node: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call; options of Keras that are None, and the mode, are left out."""
    args: list[Any]
    if isinstance(node, list):
        # Keras 2: [layer, call, output, options] for each tensor, or only one of them.
        listed = [node] if node and isinstance(node[0], str) else node
        tensors = [_tensor(one) for one in listed]
        kwargs = listed[0][3] if len(listed[0]) > 3 else {}
        args = tensors if len(tensors) == 1 else [tensors]
    else:
        args, kwargs = list(node["args"]), dict(node["kwargs"])
    while args and args[-1] is None:
        args.pop()
    kwargs = {
        name: value
        for name, value in kwargs.items()
        if value is not None and name not in ("training", "mask")
    }
    return args, kwargs


def _tensor(place: list[Any]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": list(place[:3])}}


def _is_tensor(value: Any) -> bool:
    kind = value.get("class_name") if isinstance(value, dict) else None
    return bool(kind == "__keras_tensor__")


def _place(tensor: dict[str, Any]) -> tuple[str, int]:
    name, call, _ = tensor["config"]["keras_history"]
    return name, call


def _tensors(structure: Any) -> list[dict[str, Any]]:
    if _is_tensor(structure):
        return [structure]
    parts: Any = ()
    if isinstance(structure, dict):
        parts = structure.values()
    elif isinstance(structure, (list, tuple)):
        parts = structure
    return [tensor for part in parts for tensor in _tensors(part)]


def _filled(structure: Any, known: _Known) -> Any:
    if isinstance(structure, dict):
        kind = structure.get("class_name")
        config = structure.get("config")
        if _is_tensor(structure):
            return known[_place(structure)][config["keras_history"][2]]  # type: ignore[index]
        if kind == "__slice__" and isinstance(config, dict):
            return slice(*(_filled(config[end], known) for end in ("start", "stop", "step")))
        if kind == "__ellipsis__":
            return Ellipsis
        return {name: _filled(part, known) for name, part in structure.items()}
    if isinstance(structure, (list, tuple)):
        parts = [_filled(part, known) for part in structure]
        # JSON has no tuples, and an index is one.
        return tuple(parts) if any(isinstance(part, slice) for part in parts) else parts
    return structure


def _end(structure: Any, known: _Known) -> Any:
    """The tensors of "input_layers" or "output_layers" in the structure that they have there."""
    if isinstance(structure, dict):
        return {name: _end(part, known) for name, part in structure.items()}
    if len(structure) == 3 and isinstance(structure[0], str):
        place = (structure[0], structure[1])
        if place not in known:
            raise ArgumentError(
                f"load_model(): the model starts or ends at layer {structure[0]!r}, which the file "
                "does not describe; the configuration is damaged"
            )
        return known[place][structure[2]]
    return [_end(part, known) for part in structure]
