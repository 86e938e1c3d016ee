"""Whole models and weights in files: Keras's own or safetensors, never pickles."""

from __future__ import annotations

import json
import os
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.extras import is_installed, require
from minigrad.io import CheckpointError, load, save
from minigrad.keras.exchange.archive import (
    is_archive,
    load_archive,
    load_archive_weights,
    save_archive,
)
from minigrad.keras.exchange.describe import NotInKeras
from minigrad.keras.exchange.hdf5 import is_hdf5, read_weights, reading, write_weights, writing
from minigrad.keras.exchange.legacy import is_legacy, load_legacy, read_legacy_weights
from minigrad.keras.exchange.training import compile_config, compile_from
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

    With h5py the file is that of Keras 3, which Keras itself loads, if Keras has every part of the
    model. Without it, and for a user's own classes, it is a safetensors file for minigrad alone.

    Raises ArgumentError where a model has no weights yet or a part has no configuration, and
    FileExistsError where a file is there and `overwrite` is False.
    """
    path = _checked_path(filepath, overwrite, "save()")
    if not model.built:
        raise ArgumentError(
            f"save(): the model '{model.name}' has no weights yet, as no shape is known; call it "
            "on data or build(input_shape) first"
        )
    if is_installed("h5py"):
        try:
            save_archive(path, model)
            return
        except NotInKeras:
            pass  # The format below holds any model.
    content: dict[str, Any] = {
        "kind": _KIND,
        "config": json.dumps(serialize_layer(model)),
        "build": _build_shapes(model),
        "weights": _weights_of(model),
    }
    if model.compiled:
        content["compile"] = json.dumps(compile_config(model))
        if model.optimizer is not None and model.optimizer.built:
            content["optimizer"] = model.optimizer.state_dict()
    save(content, path)


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model that `save` wrote: layers, weights, and unless `compile` is False its training.

    A .keras or .h5 file that Keras itself wrote is read too, if all classes in it are known here.

    `custom_objects` maps the names of a user's own classes and functions to them. Raises
    CheckpointError for a file of another program, or a damaged one.
    """
    path: str = os.fspath(filepath)
    with custom_object_scope(custom_objects):
        if is_archive(path):
            return load_archive(path, deserialize_layer, compile, "load_model()")
        if is_hdf5(path):
            return load_legacy(path, deserialize_layer, compile, "load_model()")
        content = _read(path, _KIND, "load_model()")
        model = deserialize_layer(json.loads(content["config"]))
        _build(model, content["build"])
        _set_weights(model, content["weights"], path)
        if compile and "compile" in content:
            compile_from(model, json.loads(content["compile"]))
            if "optimizer" in content:
                model.optimizer.build([one for one in model.parameters() if one.requires_grad])
                model.optimizer.load_state_dict(content["optimizer"])
    return model


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights in Keras's layout and order. Raises as `save_model` does.

    A file whose name ends in .weights.h5 is the one that Keras 3 itself writes and reads.
    """
    path = _checked_path(filepath, overwrite, "save_weights()", weights=True)
    if not model.weights:
        raise ArgumentError(
            f"save_weights(): the model '{model.name}' has no weights yet; call it on data first"
        )
    if path.endswith(".h5"):
        with writing(path, "save_weights()") as file:
            write_weights(file, model)
        return
    save({"kind": _WEIGHTS, "weights": _weights_of(model)}, path)


def load_weights(model: Any, filepath: Any) -> None:
    """Take the weights of a file of `save_weights` or `save`, of Keras's own ones too.

    Raises ArgumentError, and changes nothing, where they do not fit.
    """
    path: str = os.fspath(filepath)
    if not model.built:
        raise ArgumentError(
            f"load_weights(): the model '{model.name}' has no weights yet, as no shape is known; "
            "call it on data or build(input_shape) first"
        )
    if is_archive(path):
        load_archive_weights(path, model, "load_weights()")
    elif is_hdf5(path):
        with reading(path, path, "load_weights()") as file:
            read = read_legacy_weights if is_legacy(file) else read_weights
            read(file, model, path, "load_weights()")
    else:
        content = _read(path, _WEIGHTS, "load_weights()", _KIND)
        _set_weights(model, content["weights"], path)


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


def check_ending(filepath: Any, what: str, weights: bool = False) -> str:
    """The path. Raises ArgumentError or MissingExtra where no such file can be written."""
    path: str = os.fspath(filepath)
    if not path.endswith((".h5", ".hdf5")):
        return path
    if weights and not path.endswith(".weights.h5"):
        raise ArgumentError(
            f"{what}: weights in HDF5 have the ending .weights.h5, as in Keras; write "
            f"{os.path.splitext(path)[0] + '.weights.h5'!r}"
        )
    if not weights:
        raise ArgumentError(
            f"{what}: whole models are not written to HDF5 files; use the ending .keras, "
            f"{os.path.splitext(path)[0] + '.keras'!r}, or save_weights() with .weights.h5"
        )
    require("h5py", f"{what}: an HDF5 file")
    return path


def _checked_path(filepath: Any, overwrite: bool, what: str, weights: bool = False) -> str:
    path = check_ending(filepath, what, weights)
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{what}: {path} is there already; pass overwrite=True")
    return path


def _read(filepath: Any, kind: str, what: str, other: str = "") -> Any:
    path = os.fspath(filepath)
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
