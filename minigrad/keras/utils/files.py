"""Files from the web, kept in a cache."""

from __future__ import annotations

import os
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.extras import is_installed, require

__all__ = ["get_file"]


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "sha256",
    extract: bool = False,
    cache_dir: str | os.PathLike[str] | None = None,
) -> str:
    """The path of the file at the address `origin`, downloaded if it is not in the cache.

    The cache is the folder `cache_subdir` in `cache_dir`, else in the user's cache of minigrad.
    `file_hash` is checked by `hash_algorithm`. With `extract` (or `untar`) a zip or tar archive is
    unpacked beside the file, and the path is that of the folder.

    Raises ArgumentError without an address, ValueError for a file that has another hash, and
    MissingExtra where the package that downloads is not installed.
    """
    if not origin:
        raise ArgumentError("get_file(): say origin, the address of the file")
    pooch = require("pooch", f"downloading {origin}")
    name = fname or origin.rstrip("/").rpartition("/")[2]
    known = f"md5:{md5_hash}" if md5_hash else None
    if file_hash:
        known = f"{'sha256' if hash_algorithm == 'auto' else hash_algorithm}:{file_hash}"
    folder = os.path.join(cache_dir or pooch.os_cache("minigrad"), cache_subdir)
    processor: Any = None
    unpacked = name.partition(".")[0] + "_extracted"
    if untar or extract:
        unpack = pooch.Unzip if name.endswith(".zip") else pooch.Untar
        processor = unpack(extract_dir=unpacked)
    path: str = pooch.retrieve(
        origin,
        known_hash=known,
        fname=name,
        path=folder,
        processor=processor,
        progressbar=is_installed("tqdm"),
    )
    return path if processor is None else os.path.join(folder, unpacked)
