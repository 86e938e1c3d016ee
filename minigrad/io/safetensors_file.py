"""Safetensors files, with a description and a checksum in their metadata.

The file is an ordinary safetensors file: any reader of that format finds the tensors under the
names of their path. The metadata holds, under the name `minigrad`, JSON with the CRC-32 of all
that follows, the version of the format, and the description. It is one entry, because
safetensors writes several in any order, and the same object should give the same file.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Mapping
from typing import Any

import numpy

from minigrad.errors import DtypeError
from minigrad.extras import require
from minigrad.io.atomic import check_writable, replacing
from minigrad.io.failure import CheckpointError
from minigrad.io.structure import pack, unpack

__all__ = ["read_safetensors", "write_safetensors"]

VERSION = 1
_NAME = "minigrad"
_START = '{"crc32":"'


def write_safetensors(obj: Any, path: str) -> None:
    """Write a nested object to a file, which is replaced once the new one is complete."""
    writer = require("safetensors.numpy", "minigrad.save()")
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


def read_safetensors(path: str, place: Any) -> Any:
    """The object in a file, its tensors on the device `place`; CheckpointError if damaged."""
    package = require("safetensors", "minigrad.load()")
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
