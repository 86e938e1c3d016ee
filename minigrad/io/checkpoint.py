"""`save` and `load`: one safetensors file with a description and a checksum in its metadata.

The file is an ordinary safetensors file: any reader of that format finds the tensors under the
names of their path. The metadata holds, under the name `minigrad`, JSON with the CRC-32 of all
that follows, the version of the format, and the description. It is one entry, because
safetensors writes several in any order, and the same object should give the same file.
"""

from __future__ import annotations

import errno
import json
import os
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy

from minigrad import backend
from minigrad.errors import DtypeError
from minigrad.extras import require
from minigrad.io.atomic import check_writable, replacing
from minigrad.io.structure import pack, unpack

__all__ = ["CheckpointError", "load", "save"]

VERSION = 1
_NAME = "minigrad"
_START = '{"crc32":"'
_FOREIGN = {
    b"PK": "a zip archive, such as torch.save() writes",
    b"\x80": "a Python pickle",
    b"\x89H": "an HDF5 file",
    b"\x93N": "a NumPy file",
}


class CheckpointError(RuntimeError):
    """A file cannot be loaded: damaged, cut short, or of another format."""


def save(obj: Any, f: str | os.PathLike[str]) -> None:
    """Write a nested object to the file `f`: tensors, arrays, numbers, strings, None, containers.

    Dicts keep the type of their keys, so that what `state_dict()` of a module, an optimizer or a
    schedule gives comes back as it was (any mapping as a dict, a Parameter as a tensor that
    requires a gradient); a tensor that occurs twice is one tensor again. The old file is replaced
    only once the new one is complete on the disk.
    Raises TypeError for other kinds of object and OSError when the file cannot be written.

    >>> import tempfile, minigrad
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     minigrad.save({"weight": minigrad.ones(2), "epoch": 3}, folder + "/run.safetensors")
    ...     minigrad.load(folder + "/run.safetensors")
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    writer = require("safetensors.numpy", "minigrad.save()")
    path = os.fspath(f)
    described, arrays = pack(obj)
    dense = {name: _dense(array) for name, array in arrays.items()}
    checksum = _checksum(described, dense)
    entry = {"crc32": checksum, "version": VERSION, "structure": described}
    metadata = {_NAME: _compact(entry)}
    check_writable(path)
    failures = (OSError, require("safetensors", "minigrad.save()").SafetensorError)
    try:
        with replacing(path) as temporary:
            writer.save_file(dense, temporary, metadata=metadata)
    except failures as error:
        number, reason = _reason(error)
        kept = "; the file that was there is unchanged" if os.path.exists(path) else ""
        raise OSError(number, f"cannot write {path}: {reason}{kept}") from error


def load(f: str | os.PathLike[str], map_location: Any = None) -> Any:
    """What `save` wrote to the file `f`, its tensors on the CPU or on the device `map_location`.

    A safetensors file of another program gives a dict of tensors by name.
    Raises FileNotFoundError when there is no such file and CheckpointError when it is damaged
    (sizes, checksum), cut short or not a safetensors file.
    """
    package = require("safetensors", "minigrad.load()")
    path = os.fspath(f)
    _check_format(path)
    try:
        with package.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except package.SafetensorError as error:
        raise CheckpointError(
            f"cannot load {path}: its {os.path.getsize(path):,} bytes are not a complete "
            "safetensors file; it was cut short or damaged, or another program wrote it"
        ) from error
    except TypeError as error:  # NumPy does not know the dtype that safetensors asks it for
        raise CheckpointError(
            f"cannot load {path}: it holds a tensor that minigrad cannot hold: {error}"
        ) from error
    described: Any = {"dict": [[name, {"tensor": name}] for name in arrays]}
    if any(name == _NAME or text.startswith(_START) for name, text in metadata.items()):
        described = _description(path, metadata, arrays)
    place = backend.device("cpu" if map_location is None else map_location)
    backend.backend_for(place)
    try:
        return unpack(described, arrays, place)
    except DtypeError as error:
        raise CheckpointError(
            f"cannot load {path}: it holds a tensor that minigrad cannot hold: {error}"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"cannot load {path}: its description is damaged ({error})"
        ) from error


def _description(
    path: str, metadata: Mapping[str, str], arrays: Mapping[str, numpy.ndarray[Any, Any]]
) -> Any:
    """The description in the metadata, after the checks that it and the tensors are whole."""
    try:
        entry = json.loads(metadata[_NAME])
        expected, version, described = (entry[key] for key in ("crc32", "version", "structure"))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"cannot load {path}: its metadata is damaged; use an older copy or train again"
        ) from error
    if version != VERSION:
        raise CheckpointError(
            f"cannot load {path}: it has version {version!r} of the format and this minigrad "
            f"reads version {VERSION}; a newer minigrad may read it"
        )
    found = _checksum(described, arrays)
    if found != expected:
        raise CheckpointError(
            f"cannot load {path}: the file is damaged (its checksum is {expected}, its content "
            f"gives {found}); use an older copy or train again"
        )
    return described


def _check_format(path: str) -> None:
    """Raise an error that teaches for what is certainly not a safetensors file."""
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, f"cannot load {path}: there is no such file")
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, f"cannot load {path}: it is a folder; name a file")
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError as error:
        raise OSError(error.errno, f"cannot load {path}: {error.strerror}") from error
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic) and start[8:] != b"{":
            raise CheckpointError(
                f"cannot load {path}: it is {kind}, and minigrad reads safetensors files only; "
                "in the program that wrote it, save the state dict with "
                "safetensors.torch.save_file()"
            )


def _dense(array: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """The array in row-major order and in the byte order of this machine."""
    return numpy.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _checksum(described: Any, arrays: Mapping[str, numpy.ndarray[Any, Any]]) -> str:
    """The CRC-32, in hexadecimal, of the description and of each tensor's name, kind and bytes."""
    total = zlib.crc32(_compact(described).encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype.name} {array.shape}".encode(), total)
        total = zlib.crc32(array.reshape(-1).view(numpy.uint8).data, total)
    return f"{total:08x}"


def _reason(error: Exception) -> tuple[int | None, str]:
    """The number and the words of an error of the system, also where safetensors reports it."""
    if isinstance(error, OSError) and error.strerror:
        return error.errno, error.strerror
    found = re.search(r"\(os error (\d+)\)", str(error))
    if found:
        return int(found[1]), os.strerror(int(found[1]))
    return None, str(error)
