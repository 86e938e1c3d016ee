"""Where Keras 3 puts the weights of each layer: paths such as layers/dense_1/vars/0."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from minigrad.keras.layers import GRU, LSTM, Layer, MultiHeadAttention, SimpleRNN
from minigrad.keras.layers.weight import Weight
from minigrad.keras.naming import snake_case
from minigrad.nn import Parameter

__all__ = ["Place", "class_name", "in_file_order", "is_functional", "is_sequential", "places"]

# The parts of an attention layer as its weights are named here, and as Keras calls their layers.
_ATTENTION = {
    "query": "query_dense",
    "key": "key_dense",
    "value": "value_dense",
    "attention_output": "output_dense",
}


class Place(NamedTuple):
    """A path without "/vars", the name of the layer that it belongs to, and the layer's weights."""

    path: str
    name: str
    weights: list[Weight]


def is_sequential(layer: Any) -> bool:
    """Whether the layer is a model of layers one after another, or a subclass of one."""
    return any(kind.__name__ == "Sequential" for kind in type(layer).__mro__)


def is_functional(layer: Any) -> bool:
    """Whether the layer is a model made of inputs and outputs."""
    return getattr(layer, "_graph", None) is not None


def class_name(layer: Any) -> str:
    """The name of the class, which in Keras is Functional for a plain Model(inputs, outputs)."""
    own = type(layer).__name__
    return "Functional" if own == "Model" and is_functional(layer) else own


def in_file_order(weights: list[Weight]) -> list[Weight]:
    """The weights of one layer as Keras lists them: what can be trained comes first."""
    ours = [one for one in weights if isinstance(one.tensor, Parameter) and one.wants_training]
    return ours + [one for one in weights if all(one is not other for other in ours)]


def places(model: Any) -> list[Place]:
    """The place of every layer of the model, those without weights too, in Keras's order."""
    return list(_walk(model, "", set()))


def _walk(layer: Any, path: str, seen: set[int]) -> Iterator[Place]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    own = in_file_order(layer._weights)
    if isinstance(layer, (LSTM, GRU, SimpleRNN)):
        yield Place(path, layer.name, [])
        yield Place(f"{path}/cell", f"{snake_case(type(layer).__name__)}_cell", own)
        return
    if isinstance(layer, MultiHeadAttention):
        yield Place(path, layer.name, [])
        for part, attribute in _ATTENTION.items():
            found = [weight for weight in own if weight.name.startswith(f"{part}/")]
            yield Place(f"{path}/{attribute}", part, found)
        return
    yield Place(path, layer.name, own)
    for attribute, value in _children(layer):
        yield from _member(value, f"{path}/{attribute}".lstrip("/"), seen)


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    """The attributes of layers, in the order in which Keras visits them."""
    found = dict(vars(layer))
    if is_sequential(layer) or is_functional(layer):
        yield "layers", layer.layers
    elif hasattr(layer, "_graph"):  # a model that is a subclass
        found["layers"] = layer.layers
    for name in sorted(found, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if not name.startswith("_") or isinstance(found[name], Layer):
            yield name, found[name]


def _member(value: Any, path: str, seen: set[int]) -> Iterator[Place]:
    if isinstance(value, Layer):
        yield from _walk(value, path, seen)
        return
    if not isinstance(value, (list, tuple, dict)):
        return
    counts: Counter[str] = Counter()
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, Layer):
            name = snake_case(class_name(member))
        elif isinstance(member, (list, tuple, dict)):
            name = "container"
        else:
            continue
        number = counts[name]
        counts[name] += 1
        yield from _member(member, f"{path}/{name}_{number}" if number else f"{path}/{name}", seen)
