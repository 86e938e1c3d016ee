"""The classes of layers and models by name, for configurations and saved files."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras import layers
from minigrad.keras.layers import Layer
from minigrad.keras.lookup import CUSTOM, Lookup, registered_name

__all__ = ["deserialize_layer", "register", "serialize_layer"]

_KNOWN: dict[str, Any] = {
    name: value
    for name, value in vars(layers).items()
    if isinstance(value, type) and issubclass(value, Layer)
}


def register(kind: type) -> type:
    """Make a class of the package known by its name."""
    _KNOWN[kind.__name__] = kind
    return kind


def serialize_layer(layer: Any) -> dict[str, Any]:
    """The class and the configuration of a layer, ready for JSON."""
    return {"class_name": registered_name(type(layer)), "config": layer.get_config()}


def deserialize_layer(config: dict[str, Any]) -> Any:
    """The layer, unbuilt, that `serialize_layer` described.

    Raises ArgumentError for a class that is neither Keras's nor registered.
    """
    name = config["class_name"]
    if name not in CUSTOM and name not in _KNOWN:
        last = name.rpartition(">")[2]
        if last not in CUSTOM:
            raise ArgumentError(
                f"the layer class {name!r} is not known; pass custom_objects={{{last!r}: {last}}}, "
                "or decorate the class with @keras.saving.register_keras_serializable()"
            )
    return Lookup("keras.layers", "layer", _KNOWN).from_config(config)
