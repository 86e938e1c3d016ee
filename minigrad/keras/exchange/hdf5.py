"""HDF5 files: opened with errors that name the file, and the weights of a model in them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.extras import require
from minigrad.io import CheckpointError
from minigrad.io.atomic import check_writable, replacing
from minigrad.keras.exchange.tree import places

__all__ = [
    "assign_all",
    "dataset",
    "group",
    "is_hdf5",
    "numbered",
    "read_weights",
    "reading",
    "write_weights",
    "writing",
    "writing_to",
]

# Groups that hold no weights of the layers: training's, and the seeds of random layers.
_NO_LAYERS = ("optimizer", "seed_generator", "loss_tracker", "_metrics", "metrics", "_loss_tracker")


def is_hdf5(path: str) -> bool:
    """Whether the file begins as HDF5 files do; False where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except (FileNotFoundError, IsADirectoryError):
        return False


@contextmanager
def reading(source: str | io.BytesIO, path: str, what: str) -> Iterator[Any]:
    """The open HDF5 file `source`, which messages call `path`.

    Raises MissingExtra without h5py, and CheckpointError for a damaged file.
    """
    h5py = require("h5py", f"{what}: an HDF5 file")
    try:
        with h5py.File(source, "r") as file:
            yield file
    except FileNotFoundError:
        raise FileNotFoundError(f"{what}: there is no file {path}") from None
    except OSError as error:
        raise CheckpointError(
            f"{what}: {path} is damaged or no HDF5 file; write it again, or take a copy ({error})"
        ) from None


@contextmanager
def writing(path: str, what: str) -> Iterator[Any]:
    """A new HDF5 file that takes the place of `path` once it is whole."""
    require("h5py", f"{what}: an HDF5 file")
    check_writable(path)
    with replacing(path) as temporary, writing_to(temporary, what) as file:
        yield file


@contextmanager
def writing_to(target: str | io.BytesIO, what: str) -> Iterator[Any]:
    """A new HDF5 file in this very place. Raises MissingExtra without h5py."""
    h5py = require("h5py", f"{what}: an HDF5 file")
    with h5py.File(target, "w") as file:
        yield file


def group(parent: Any, name: str, path: str) -> Any:
    """The group of that name; None if there is none. Refuses links out of the file."""
    found = _inside(parent, name, path)
    return found if found is not None and hasattr(found, "keys") else None


def dataset(parent: Any, name: str, path: str) -> Any:
    """The dataset of that name, whose values lie in this very file, and are numbers.

    Raises CheckpointError otherwise.
    """
    found = _inside(parent, name, path)
    if found is None or not hasattr(found, "shape"):
        raise CheckpointError(f"{path}: there is no array {name!r} in {parent.name!r}")
    if found.is_virtual or found.external:
        raise CheckpointError(f"{path}: the array {found.name!r} lies in another file; refused")
    if found.dtype.kind not in "biufc":
        raise CheckpointError(
            f"{path}: the array {found.name!r} has dtype {found.dtype}, and weights are numbers"
        )
    return found


def _inside(parent: Any, name: str, path: str) -> Any:
    here = parent
    for part in name.split("/"):
        link = here.get(part, getlink=True) if hasattr(here, "keys") and part in here else None
        if link is None:
            return None
        if type(link).__name__ != "HardLink":
            raise CheckpointError(
                f"{path}: {here.name!r} holds the link {part!r} to another place; refused"
            )
        here = here[part]
    return here


def numbered(variables: Any, path: str) -> list[Any]:
    """The datasets "0", "1", ... of a group."""
    return [dataset(variables, str(index), path) for index in range(len(variables))]


def write_weights(file: Any, model: Any) -> None:
    """Write the weights of all layers where Keras 3 looks for them."""
    for place in places(model):
        variables = file.create_group(f"{place.path}/vars" if place.path else "vars")
        variables.attrs["name"] = place.name
        for index, weight in enumerate(place.weights):
            values = weight.numpy()
            if values.dtype.kind not in "biufc":
                raise ArgumentError(
                    f"save(): weight '{weight.path}' has dtype {values.dtype.name}, which HDF5 "
                    "files do not hold; convert the model first: model.to('float32')"
                )
            variables[str(index)] = values


def read_weights(file: Any, model: Any, path: str, what: str) -> None:
    """Take the weights of all layers from where Keras 3 writes them.

    Raises ArgumentError, and changes nothing, where a layer, an array or a shape differs.
    """
    found = _stored(file, path)
    pairs = []
    for place in places(model):
        arrays = found.pop(place.path, [])
        if len(arrays) != len(place.weights):
            known = ", ".join(sorted(name for name in found if found[name])) or "no other layer's"
            raise ArgumentError(
                f"{what}: the layer '{place.name}' of '{model.name}' has {len(place.weights)} "
                f"weights, and {path} holds {len(arrays)} for it under {place.path!r} (beside "
                f"{known}); nothing was changed. Build the model as it was when it was saved"
            )
        pairs += list(zip(place.weights, arrays))
    left = sorted(name for name, arrays in found.items() if arrays)
    if left:
        raise ArgumentError(
            f"{what}: {path} holds weights of {', '.join(left)}, which '{model.name}' does not "
            "have; nothing was changed. Build the model as it was when it was saved"
        )
    assign_all(pairs, path, what)


def assign_all(pairs: list[tuple[Any, Any]], path: str, what: str) -> None:
    """Give each weight the values of its dataset, all of them or, where one differs, none."""
    for weight, stored in pairs:
        if tuple(stored.shape) != tuple(weight.shape):
            raise ArgumentError(
                f"{what}: weight '{weight.path}' has shape {tuple(weight.shape)}, and {path} holds "
                f"one of shape {tuple(stored.shape)}; nothing was changed"
            )
    values = [numpy.asarray(stored[()]) for _, stored in pairs]
    for (weight, _), value in zip(pairs, values):
        weight.assign(value)


def _stored(file: Any, path: str) -> dict[str, list[Any]]:
    """The datasets of each layer by the path of the layer.

    Files of Keras 2.13 call the list of layers "_layer_checkpoint_dependencies".
    """
    found: dict[str, list[Any]] = {}
    stack = [("", file)]
    while stack:
        here, parent = stack.pop()
        for name in parent:
            child = group(parent, name, path)
            if child is None or name in _NO_LAYERS:
                continue
            if name == "vars":
                found[here] = numbered(child, path)
            else:
                name = "layers" if name == "_layer_checkpoint_dependencies" else name
                stack.append((f"{here}/{name}".lstrip("/"), child))
    return found
