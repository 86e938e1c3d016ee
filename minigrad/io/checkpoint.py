"""`save` and `load`: which of the two formats a file has, and where its tensors go.

Safetensors files hold a checksum of all that they say; torch's zip archives hold what programs
for torch exchange. Neither is ever unpickled by Python.
"""

from __future__ import annotations

import errno
import io
import os
import tempfile
from typing import Any

from minigrad import backend
from minigrad.errors import ArgumentError
from minigrad.io.atomic import check_writable, replacing
from minigrad.io.failure import CheckpointError
from minigrad.io.safetensors_file import read_safetensors, write_safetensors
from minigrad.io.unpickle import Unreadable

__all__ = ["load", "save"]

_FORMATS = ("safetensors", "torch")
_TORCH_ENDINGS = (".pt", ".pth", ".pt2", ".ckpt", ".bin", ".tar")
_ZIP = b"PK\3\4"
_FOREIGN = {
    b"\x80": "a Python pickle, as torch.save() wrote before version 1.6; load and save it in torch",
    b"\x89H": "an HDF5 file",
    b"\x93N": "a NumPy file; read it with numpy.load() and minigrad.from_numpy()",
}


def save(obj: Any, f: Any, *, format: str | None = None) -> None:
    """Write a nested object to the file `f`: tensors, numbers, strings, None, containers.

    `format` is "safetensors" or "torch", a zip archive that `torch.load` reads; by default a path
    that ends in .pt, .pth, .ckpt, .bin or .tar and an open file get torch's, any other path
    safetensors, which holds NumPy's arrays and numbers too. Dicts keep the type of their keys, so
    that what `state_dict()` of a module, an optimizer or a schedule gives comes back as it was. In
    torch's format tensors that share memory share it again; in the other, a tensor that occurs
    twice is one again. The old file is replaced only once the new one is complete on the disk.
    Raises TypeError for other kinds of object and OSError when the file cannot be written.

    >>> import tempfile, minigrad
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     minigrad.save({"weight": minigrad.ones(2), "epoch": 3}, folder + "/run.safetensors")
    ...     minigrad.load(folder + "/run.safetensors")
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if format is not None and format not in _FORMATS:
        raise ArgumentError(
            f"save(): argument 'format' is {format!r}; it is 'safetensors' or 'torch'"
        )
    if hasattr(f, "write"):
        if format == "safetensors":
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "whole")
                write_safetensors(obj, path)
                with open(path, "rb") as whole:
                    f.write(whole.read())
            return
        content = io.BytesIO()  # what cannot be saved leaves the file as it was
        _write_torch(obj, content)
        f.write(content.getbuffer())
        return
    path = os.fspath(f)
    if format is None:
        format = "torch" if path.lower().endswith(_TORCH_ENDINGS) else "safetensors"
    if format == "safetensors":
        write_safetensors(obj, path)
        return
    check_writable(path)
    folder = os.path.splitext(os.path.basename(path))[0] or "archive"
    try:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            _write_torch(obj, file, folder)
    except OSError as error:
        kept = "; the file that was there is unchanged" if os.path.exists(path) else ""
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}{kept}") from error


def load(f: Any, map_location: Any = None, *, mmap: bool = False, weights_only: bool = True) -> Any:
    """What `save` or torch's `save` wrote to the file `f`, its tensors on the CPU.

    `map_location` names another device, or is a dict from the device that the file notes to
    another, or a function of a flat tensor and that device. A safetensors file of another program
    gives a dict of tensors by name. With `mmap`, tensors of torch's format stay in the file until
    they are used, and their checksums are not looked at. Nothing is ever run, whatever
    `weights_only` says: classes other than containers and tensors are refused by name.
    Raises FileNotFoundError when there is no such file and CheckpointError when it is damaged,
    cut short, of another format, or holds what is no data.
    """
    if hasattr(f, "read"):
        return _load_open(f, map_location)
    path = os.fspath(f)
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, f"cannot load {path}: there is no such file")
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, f"cannot load {path}: it is a folder; name a file")
    try:
        with open(path, "rb") as file:
            start = file.read(9)
            if start.startswith(_ZIP):
                return _read_torch(file, map_location, mapped=mmap)
    except OSError as error:
        raise OSError(error.errno, f"cannot load {path}: {error.strerror}") from error
    except Unreadable as error:
        raise CheckpointError(f"cannot load {path}: {error}") from error
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic) and start[8:] != b"{":
            raise CheckpointError(
                f"cannot load {path}: it is {kind}; minigrad reads safetensors files and the zip "
                "archives of torch.save()"
            )
    return read_safetensors(path, _device(map_location))


def _load_open(file: Any, map_location: Any) -> Any:
    """The object in an open file, from its position."""
    content = file.read()
    if not content.startswith(_ZIP):
        if not content:
            raise CheckpointError("cannot load an open file at its end; call its seek(0) first")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "open file")
            with open(path, "wb") as whole:
                whole.write(content)
            return load(path, map_location)
    try:
        return _read_torch(io.BytesIO(content), map_location)
    except Unreadable as error:
        raise CheckpointError(f"cannot load the open file: {error}") from error


# The modules for torch's files need the networks; who only asks for CheckpointError does not wait.


def _read_torch(file: Any, map_location: Any, *, mapped: bool = False) -> Any:
    from minigrad.io.torch_reader import read_torch

    return read_torch(file, map_location, mapped=mapped)


def _write_torch(obj: Any, file: Any, folder: str = "archive") -> None:
    from minigrad.io.torch_writer import write_torch

    write_torch(obj, file, folder)


def _device(map_location: Any) -> Any:
    """The one device for the tensors of a file that notes none."""
    if map_location is not None and not isinstance(map_location, str):
        map_location = None  # a dict or function of the devices that torch's files note
    place = backend.device("cpu" if map_location is None else map_location)
    backend.backend_for(place)
    return place
