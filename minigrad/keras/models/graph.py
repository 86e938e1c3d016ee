"""Graph: the layers between inputs and outputs in the order in which they are to be called."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.layers import InputLayer, Layer
from minigrad.keras.symbolic import KerasTensor, Node, flatten, map_structure
from minigrad.ops.data import from_numpy

__all__ = ["Graph"]


class Graph:
    """What lies between `inputs` and `outputs`: nested lists and dicts of KerasTensors.

    Raises ArgumentError where an output depends on an input that is not listed, or two layers
    have one name.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs = inputs
        self.outputs = outputs
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for leaf in flatten(structure):
                _check_symbolic(what, leaf)
        self.given: list[KerasTensor] = flatten(inputs)
        self.wanted: list[KerasTensor] = flatten(outputs)
        ends = _sorted_leaves(outputs)
        self.nodes = _in_order(self.given, ends)
        self.operations = _by_depth(self.given, ends, self.nodes)
        counts = Counter(operation.name for operation in self.operations)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ArgumentError(
                f"Model(): {len(twice)} name{'s' if len(twice) > 1 else ''} "
                f"{', '.join(map(repr, twice))} stand for more than one layer; give each layer a "
                "name of its own"
            )
        self.layers = [one for one in self.operations if isinstance(one, Layer)]
        self._whole = [self._wants_integers(tensor) for tensor in self.given]
        self._places = {id(tensor): place for place, tensor in enumerate(self._tensors())}
        self._steps = [self._step(node) for node in self.nodes]

    def _tensors(self) -> list[KerasTensor]:
        made = [tensor for node in self.nodes for tensor in flatten(node.outputs)]
        return [*self.given, *made]

    def _wants_integers(self, tensor: KerasTensor) -> bool:
        users = [node.layer for node in self.nodes if any(one is tensor for one in node.inputs)]
        return tensor.dtype.kind in "iub" or any(
            getattr(user, "takes_integers", False) for user in users
        )

    def _step(self, node: Node) -> tuple[Any, int | None, Any, Any, list[int]]:
        """The layer, the place of its one input, or its arguments, and the places of its outputs.

        Almost every layer takes one tensor, which is called without looking into structures.
        """
        results = [self._places[id(tensor)] for tensor in flatten(node.outputs)]
        if len(node.args) == 1 and not node.kwargs and isinstance(node.args[0], KerasTensor):
            return node.layer, self._places[id(node.args[0])], None, None, results
        return node.layer, None, node.args, node.kwargs, results

    def run(self, inputs: Any) -> Any:
        """The outputs for these inputs, tensors in the structure of the KerasTensors."""
        values: list[Any] = [None] * len(self._places)
        values[: len(self.given)] = self.matched(inputs)
        for layer, place, args, kwargs, results in self._steps:
            if place is not None:
                output = layer(values[place])
            else:
                output = layer(*self._filled(args, values), **self._filled(kwargs, values))
            if len(results) == 1:
                values[results[0]] = output
            else:
                for result, part in zip(results, flatten(output)):
                    values[result] = part
        if isinstance(self.outputs, KerasTensor):
            return values[self._places[id(self.outputs)]]
        return map_structure(lambda tensor: values[self._places[id(tensor)]], self.outputs)

    def _filled(self, structure: Any, values: list[Any]) -> Any:
        def fill(leaf: Any) -> Any:
            return values[self._places[id(leaf)]] if isinstance(leaf, KerasTensor) else leaf

        return map_structure(fill, structure)

    def matched(self, inputs: Any) -> list[Any]:
        """The inputs as a list in the order of the KerasTensors, floats unless wanted otherwise."""
        given = self.listed(inputs)
        return [
            _converted(value, tensor, whole)
            for value, tensor, whole in zip(given, self.given, self._whole)
        ]

    def listed(self, inputs: Any) -> list[Any]:
        """The inputs in a list. Raises ArgumentError where they are not as many, or not named so.

        A dict is matched by the names of its keys where the model has them, else of the inputs.
        """
        if isinstance(inputs, dict):
            keys = list(self.inputs) if isinstance(self.inputs, dict) else []
            if not keys or any(key not in inputs for key in keys):
                keys = [tensor.name for tensor in self.given]
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise ArgumentError(
                    f"the model's inputs are named {keys}, and {missing} "
                    f"{'are' if len(missing) > 1 else 'is'} not in the given dict, whose keys are "
                    f"{list(inputs)}"
                )
            return [inputs[key] for key in keys]
        listed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(listed) != len(self.given):
            names = [tensor.name for tensor in self.given]
            raise ArgumentError(
                f"the model has {len(self.given)} inputs {names}, got {len(listed)}; give a list "
                "with one array for each, or a dict by their names"
            )
        return listed


def _sorted_leaves(structure: Any) -> list[KerasTensor]:
    """The leaves with those of a dict in the order of its sorted keys, as Keras walks them."""
    if isinstance(structure, dict):
        structure = [structure[key] for key in sorted(structure)]
    if not isinstance(structure, (list, tuple)):
        return [structure]
    return [leaf for part in structure for leaf in _sorted_leaves(part)]


def _converted(value: Any, tensor: KerasTensor, whole: bool) -> Any:
    if isinstance(value, KerasTensor):
        return value
    if not isinstance(value, Traced):
        value = from_numpy(numpy.asarray(value))
    kind = value._array.dtype
    if kind is tensor.dtype or (whole and kind.kind in "iub"):
        return value
    return value.to(tensor.dtype) if kind.kind in "iubf" else value


def _check_symbolic(what: str, leaf: Any) -> None:
    if not isinstance(leaf, KerasTensor):
        kind = leaf.__name__ if isinstance(leaf, type) else type(leaf).__name__
        raise ArgumentError(
            f"Model(): {what} must be what keras.Input(...) gives and layers make of it, got a "
            f"{kind}; write x = keras.Input(shape=(...)) and call the layers on x"
        )


def _in_order(given: list[KerasTensor], wanted: list[KerasTensor]) -> list[Node]:
    """The nodes between, each after those that it depends on."""
    known = {id(tensor) for tensor in given}
    done: set[int] = set()
    order: list[Node] = []
    stack: list[tuple[KerasTensor, bool]] = [(tensor, False) for tensor in reversed(wanted)]
    while stack:
        tensor, ready = stack.pop()
        node = tensor.node
        if id(tensor) in known or id(node) in done:
            continue
        if node is None or isinstance(node.layer, InputLayer):
            raise ArgumentError(
                f"Model(): an output depends on '{tensor.name}', which is not among the inputs "
                f"{[one.name for one in given]}; add it to inputs"
            )
        if ready:
            done.add(id(node))
            order.append(node)
            continue
        stack.append((tensor, True))
        stack += [(one, False) for one in reversed(node.inputs)]
    return order


def _by_depth(given: list[KerasTensor], wanted: list[KerasTensor], nodes: list[Node]) -> list[Any]:
    """The layers and operators as Keras lists them: farthest from the outputs first.

    Layers at one depth come in the order in which a walk from the outputs back meets them.
    """
    starts = [tensor.node for tensor in given if tensor.node is not None]
    depth: dict[int, int] = {}
    layers: dict[int, int] = {}
    everything = {id(node.layer): node.layer for node in [*starts, *nodes]}
    for node in [*reversed(nodes), *starts]:
        depth[id(node)] = max(depth.get(id(node), 0), layers.get(id(node.layer), 0))
        layers[id(node.layer)] = depth[id(node)]
        if node in starts:
            continue
        for tensor in node.inputs:
            if tensor.node is not None:
                before = depth.get(id(tensor.node), 0)
                depth[id(tensor.node)] = max(before, depth[id(node)] + 1)
    met: dict[int, int] = {}
    stack = list(reversed(wanted))
    while stack:
        found = stack.pop().node
        if found is None or id(found.layer) not in everything or id(found.layer) in met:
            continue
        met[id(found.layer)] = len(met)
        if found not in starts:
            stack += reversed(found.inputs)
    last = len(everything)
    return sorted(
        everything.values(),
        key=lambda layer: (-layers[id(layer)], met.get(id(layer), last)),
    )
