"""The .keras file of Keras 3: a zip of metadata.json, config.json and model.weights.h5."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.io import CheckpointError
from minigrad.io.atomic import check_writable, replacing
from minigrad.keras.exchange.describe import NotInKeras, to_keras, training_to_keras
from minigrad.keras.exchange.dialect import from_keras
from minigrad.keras.exchange.hdf5 import (
    group,
    read_weights,
    reading,
    write_weights,
    writing_to,
)
from minigrad.keras.exchange.slots import read_optimizer, write_optimizer
from minigrad.keras.exchange.training import compile_from

__all__ = ["is_archive", "load_archive", "load_archive_weights", "save_archive"]

# The version of Keras whose files these are.
_VERSION = "3.15.1"
_DTYPES = ("float16", "float32", "float64", "bool", "uint8", "int8", "int16", "int32", "int64")
_CONFIG = "config.json"
_WEIGHTS = "model.weights.h5"
# Configurations of the largest published models have a few MB; weights do not shrink so far.
_MOST_CONFIG = 64 << 20
_MOST_RATIO = 200


def is_archive(path: str) -> bool:
    """Whether the file begins as zip files do; False where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"PK\x03\x04"
    except (FileNotFoundError, IsADirectoryError):
        return False


def save_archive(path: str, model: Any) -> None:
    """Write the .keras file from which Keras 3 loads this model.

    Raises NotInKeras, and writes nothing, where Keras could not.
    """
    config = to_keras(model)
    if model.compiled:
        config["compile_config"] = training_to_keras(model)
    for weight in model.weights:
        if weight.dtype not in _DTYPES:
            raise NotInKeras(f"a weight has the dtype {weight.dtype}, which HDF5 has not")
    described = json.dumps(config)
    content = io.BytesIO()
    with writing_to(content, "save()") as file:
        write_weights(file, model)
        if model.compiled and model.optimizer is not None:
            write_optimizer(file, model)
    saved = {"keras_version": _VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    check_writable(path)
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        archive.writestr("metadata.json", json.dumps(saved))
        archive.writestr(_CONFIG, described)
        archive.writestr(_WEIGHTS, content.getvalue())


def load_archive(path: str, make: Callable[[Any], Any], compile: bool, what: str) -> Any:
    """The model of a .keras file of Keras: layers, weights, and with `compile` its training.

    `make` makes a model of its configuration. Raises CheckpointError for a damaged file, and
    ArgumentError for a class that is not known.
    """
    try:
        config = json.loads(_member(path, _CONFIG, what))
    except ValueError as error:
        raise CheckpointError(f"{what}: {_CONFIG} in {path} is damaged: {error}") from None
    if not isinstance(config, dict) or "class_name" not in config:
        raise CheckpointError(f"{what}: {_CONFIG} in {path} describes no model")
    content = io.BytesIO(_member(path, _WEIGHTS, what))
    model = make(from_keras(config, what))
    _build(model, config.get("build_config"))
    if not model.built:
        raise ArgumentError(
            f"{what}: {path} does not say for which shape of input '{model.name}' was built; save "
            "it again after it was called on data"
        )
    with reading(content, path, what) as file:
        read_weights(file, model, path, what)
        training = config.get("compile_config")
        if compile and training:
            compile_from(model, from_keras(training, what))
            variables = group(file, "optimizer/vars", path)
            if variables is not None and model.optimizer is not None:
                read_optimizer(variables, model, path)
    return model


def load_archive_weights(path: str, model: Any, what: str) -> None:
    """Take the weights of a .keras file of Keras."""
    with reading(io.BytesIO(_member(path, _WEIGHTS, what)), path, what) as file:
        read_weights(file, model, path, what)


def _build(model: Any, config: Any) -> None:
    """Make the weights of a model whose configuration alone did not."""
    shape = config.get("input_shape") if isinstance(config, dict) else None
    if model.built or not shape:
        return
    if isinstance(shape[0], (list, tuple)):
        shape = [tuple(one) for one in shape]
    else:
        shape = tuple(shape)
    if model._listed_layers():
        model.build(shape)
    else:
        model.compute_output_shape(shape)


def _member(path: str, name: str, what: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if name not in archive.namelist():
                raise CheckpointError(
                    f"{what}: {path} is a zip file without {name}, and not a model of Keras"
                )
            found = archive.getinfo(name)
            large = found.file_size > _MOST_CONFIG
            if large and (name == _CONFIG or found.file_size > _MOST_RATIO * found.compress_size):
                raise CheckpointError(
                    f"{what}: {name} in {path} would unpack to {found.file_size} bytes; refused"
                )
            return archive.read(name)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise CheckpointError(f"{what}: {path} is damaged: {error}") from None
