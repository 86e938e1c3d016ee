"""Whole models and weights in files: safetensors with a configuration, never pickles."""

from __future__ import annotations

import json
import os
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError, load, save
from minigrad.keras import losses, metrics, optimizers
from minigrad.keras.lookup import custom_object_scope
from minigrad.keras.models.registry import deserialize_layer, serialize_layer

__all__ = [
    "check_ending",
    "clone_model",
    "load_model",
    "load_weights",
    "model_from_json",
    "save_model",
    "save_weights",
]

_KIND = "minigrad.keras model"
_WEIGHTS = "minigrad.keras weights"


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: Any = None) -> None:
    """Write the layers, the weights, what `compile` was given, and the optimizer's state.

    Raises ArgumentError where a model has no weights yet or a part has no configuration, and
    FileExistsError where a file is there and `overwrite` is False.
    """
    path = _checked_path(filepath, overwrite, "save()")
    if not model.built:
        raise ArgumentError(
            f"save(): the model '{model.name}' has no weights yet, as no shape is known; call it "
            "on data or build(input_shape) first"
        )
    content: dict[str, Any] = {
        "kind": _KIND,
        "config": json.dumps(serialize_layer(model)),
        "build": _build_shapes(model),
        "weights": _weights_of(model),
    }
    if model.compiled:
        content["compile"] = json.dumps(_compile_config(model))
        if model.optimizer is not None and model.optimizer.built:
            content["optimizer"] = model.optimizer.state_dict()
    save(content, path)


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that `save` wrote: layers, weights, and unless `compile` is False its training.

    `custom_objects` maps the names of a user's own classes and functions to them. Raises
    CheckpointError for a file of another program, or a damaged one.
    """
    content = _read(filepath, _KIND, "load_model()")
    with custom_object_scope(custom_objects):
        model = deserialize_layer(json.loads(content["config"]))
        _build(model, content["build"])
        _set_weights(model, content["weights"], os.fspath(filepath))
        if compile and "compile" in content:
            _compile(model, json.loads(content["compile"]))
            if "optimizer" in content:
                model.optimizer.build([one for one in model.parameters() if one.requires_grad])
                model.optimizer.load_state_dict(content["optimizer"])
    return model


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights in Keras's layout and order. Raises as `save_model` does."""
    path = _checked_path(filepath, overwrite, "save_weights()")
    if not model.weights:
        raise ArgumentError(
            f"save_weights(): the model '{model.name}' has no weights yet; call it on data first"
        )
    save({"kind": _WEIGHTS, "weights": _weights_of(model)}, path)


def load_weights(model: Any, filepath: Any) -> None:
    """Take the weights of a file of `save_weights` or `save`.

    Raises ArgumentError, and changes nothing, where they do not fit.
    """
    content = _read(filepath, _WEIGHTS, "load_weights()", _KIND)
    if not model.built:
        raise ArgumentError(
            f"load_weights(): the model '{model.name}' has no weights yet, as no shape is known; "
            "call it on data or build(input_shape) first"
        )
    _set_weights(model, content["weights"], os.fspath(filepath))


def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model, with new weights, that `to_json` described."""
    with custom_object_scope(custom_objects):
        return deserialize_layer(json.loads(json_string))


def clone_model(model: Any, input_tensors: Any = None, clone_function: Any = None) -> Any:
    """A model of the same layers with weights of its own."""
    if input_tensors is not None or clone_function is not None:
        raise ArgumentError(
            "clone_model(): only the model itself can be given; to change layers on the way, "
            "change model.get_config() and call from_config()"
        )
    return type(model).from_config(model.get_config())


def check_ending(filepath: Any, what: str) -> str:
    """The path. Raises ArgumentError where its ending promises a format that is not written."""
    path: str = os.fspath(filepath)
    if path.endswith((".h5", ".hdf5")):
        raise ArgumentError(
            f"{what}: HDF5 files are not written; use the ending .keras, "
            f"{os.path.splitext(path)[0] + '.keras'!r}, for a safetensors file"
        )
    return path


def _checked_path(filepath: Any, overwrite: bool, what: str) -> str:
    path = check_ending(filepath, what)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{what}: {path} is there already; pass overwrite=True")
    return path


def _read(filepath: Any, kind: str, what: str, other: str = "") -> Any:
    path = os.fspath(filepath)
    if os.path.isfile(path):
        with open(path, "rb") as file:
            start = file.read(4)
        for magic, found in ((b"PK\x03\x04", "zip archive"), (b"\x89HDF", "HDF5 file")):
            if start == magic:
                raise CheckpointError(
                    f"{what}: {path} is a {found} as Keras itself writes it, which minigrad does "
                    "not read; in Keras call numpy.savez(file, *model.get_weights()), build the "
                    "same model here, and call its set_weights(...) with the arrays in that order"
                )
    content: Any = load(path)
    found_kind = content.get("kind") if isinstance(content, dict) else None
    if found_kind not in (kind, other) or found_kind is None:
        hint = "; use model.load_weights() for it" if found_kind == _WEIGHTS else ""
        raise CheckpointError(f"{what}: {path} holds no {kind}{hint}")
    return content


def _weights_of(model: Any) -> list[dict[str, Any]]:
    return [{"path": weight.path, "value": weight.numpy()} for weight in model.weights]


def _set_weights(model: Any, saved: list[dict[str, Any]], path: str) -> None:
    try:
        model.set_weights([entry["value"] for entry in saved])
    except ArgumentError as error:
        raise ArgumentError(f"the weights of {path} do not fit: {error}") from None


def _build_shapes(model: Any) -> Any:
    """The shape that a subclass was built for; other models' configurations hold it."""
    return model._input_shape if not model.inputs else None


def _build(model: Any, shape: Any) -> None:
    if shape is not None and not model.inputs:
        model.compute_output_shape(shape)


def _compile_config(model: Any) -> dict[str, Any]:
    given = model._compiled_with
    return {
        "optimizer": optimizers.serialize(given["optimizer"]),
        "loss": _mapped(losses.serialize, given["loss"]),
        "loss_weights": given["loss_weights"],
        "metrics": _mapped(metrics.serialize, given["metrics"]),
        "weighted_metrics": _mapped(metrics.serialize, given["weighted_metrics"]),
    }


def _mapped(function: Any, structure: Any) -> Any:
    if structure is None or isinstance(structure, str):
        return structure
    if isinstance(structure, (list, tuple)):
        return [_mapped(function, part) for part in structure]
    if isinstance(structure, dict) and "class_name" not in structure:
        return {name: _mapped(function, part) for name, part in structure.items()}
    return function(structure)


def _compile(model: Any, config: dict[str, Any]) -> None:
    model.compile(
        optimizer=optimizers.deserialize(config["optimizer"]),
        loss=_mapped(losses.deserialize, config["loss"]),
        loss_weights=config["loss_weights"],
        metrics=_mapped(metrics.deserialize, config["metrics"]),
        weighted_metrics=_mapped(metrics.deserialize, config["weighted_metrics"]),
    )
