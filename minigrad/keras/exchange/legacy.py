"""Whole models in one HDF5 file, as Keras wrote them before its .keras archives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.keras.exchange.dialect import from_keras
from minigrad.keras.exchange.hdf5 import assign_all, dataset, group, reading
from minigrad.keras.exchange.training import compile_from
from minigrad.keras.layers.weight import Weight

__all__ = ["is_legacy", "load_legacy", "read_legacy_weights"]


def is_legacy(file: Any) -> bool:
    """Whether the open file lists its layers by name, as the old files do."""
    return "model_config" in file.attrs or "layer_names" in file.attrs


def load_legacy(path: str, make: Callable[[Any], Any], compile: bool, what: str) -> Any:
    """The model of a .h5 file; its optimizer starts anew.

    `make` makes a model of its configuration. Raises CheckpointError where the file holds no model,
    and ArgumentError for a class that is not known.
    """
    with reading(path, path, what) as file:
        described = file.attrs.get("model_config")
        if described is None:
            raise CheckpointError(
                f"{what}: {path} holds no model but weights; build the model and call "
                "model.load_weights()"
            )
        model = make(from_keras(_parsed(described, path, what), what))
        if not model.built:
            raise ArgumentError(
                f"{what}: {path} does not say for which shape of input '{model.name}' was built"
            )
        read_legacy_weights(file, model, path, what)
        training = file.attrs.get("training_config")
        if compile and training is not None:
            config = from_keras(_parsed(training, path, what), what)
            config["optimizer"] = config.pop("optimizer_config", None) or "rmsprop"
            found = config.get("metrics")
            if isinstance(found, list) and len(found) == 1 and isinstance(found[0], list):
                config["metrics"] = found[0]
            compile_from(model, config)
    return model


def read_legacy_weights(file: Any, model: Any, path: str, what: str) -> None:
    """Take the weights, layer by layer in their order, whatever the layers are called.

    Raises ArgumentError, and changes nothing, where their number or a shape differs.
    """
    parent = group(file, "model_weights", path) if "layer_names" not in file.attrs else file
    if parent is None:
        raise CheckpointError(f"{what}: {path} holds no group 'model_weights'")
    stored = []
    for name in _names(parent, "layer_names"):
        layer = group(parent, name, path)
        if layer is None:
            raise CheckpointError(f"{what}: {path} has no group for its layer {name!r}")
        arrays = [dataset(layer, one, path) for one in _names(layer, "weight_names")]
        if arrays:
            stored.append((name, arrays))
    layers = [layer for layer in model.layers if layer.weights]
    if len(stored) != len(layers):
        raise ArgumentError(
            f"{what}: {path} holds weights of {len(stored)} layers, and '{model.name}' has "
            f"{len(layers)} with weights; nothing was changed"
        )
    pairs: list[tuple[Any, Any]] = []
    for (name, arrays), layer in zip(stored, layers):
        weights = _in_order(layer)
        if len(weights) != len(arrays):
            raise ArgumentError(
                f"{what}: layer '{layer.name}' has {len(weights)} weights, and {path} holds "
                f"{len(arrays)} for it under {name!r}; nothing was changed"
            )
        pairs += list(zip(weights, arrays))
    assign_all(pairs, path, what)


def _in_order(layer: Any) -> list[Weight]:
    """The weights of a layer or nested model: those that train first, as the files have them."""
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _names(parent: Any, attribute: str) -> list[str]:
    """The names in an attribute, which long lists are cut into: names0, names1, ..."""
    found = list(parent.attrs.get(attribute, ()))
    number = 0
    while f"{attribute}{number}" in parent.attrs:
        found += list(parent.attrs[f"{attribute}{number}"])
        number += 1
    return [name.decode() if isinstance(name, bytes) else str(name) for name in found]


def _parsed(text: Any, path: str, what: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"{what}: a configuration in {path} is damaged: {error}") from None
    if not isinstance(config, dict):
        raise CheckpointError(f"{what}: a configuration in {path} describes nothing")
    return config
