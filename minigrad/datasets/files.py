"""Where the files of a data set come from: a folder, the cache or a mirror, always checked."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import NamedTuple

from minigrad.datasets.idx import DataFileError
from minigrad.extras import is_installed, require

FOLDER_VARIABLE = "MINIGRAD_DATA"


class Source(NamedTuple):
    """The files of one data set: their folder, where they can be had, and their SHA-256 by name.

    `published` has the name that a file goes by on the mirrors, where it is another one.
    """

    folder: str
    mirrors: tuple[str, ...]
    sha256: Mapping[str, str]
    published: Mapping[str, str] = {}


def find(
    source: Source, name: str, root: str | os.PathLike[str] | None = None
) -> tuple[str | None, list[str]]:
    """The path of a file of the data set that is on the disk and whole, and where it was sought.

    Looked for in `root` alone where it is given, else in the folder that MINIGRAD_DATA names and
    then in the cache. The path is None where it is in neither. Raises DataFileError for a file
    that is damaged, but for one in the cache, which can be had again.
    """
    searched = []
    base = root if root is not None else os.environ.get(FOLDER_VARIABLE) or None
    if base is not None:
        path = os.path.join(base, source.folder, name)
        if os.path.exists(path):
            _check(path, source, name)
            return path, [path]
        searched.append(path)
    if root is None and is_installed("pooch"):
        path = os.path.join(_cache(source), name)
        if os.path.exists(path) and _sha256(path) == source.sha256[name]:
            return path, [*searched, path]
        searched.append(path)
    return None, searched


def locate(
    source: Source, name: str, root: str | os.PathLike[str] | None = None, download: bool = True
) -> str:
    """The path of a file of the data set, on the disk and whole.

    Looked for as `find` does, and downloaded into `root` or the cache where it is not there.
    Raises DataFileError for a file that is damaged or cannot be had, and MissingExtra where a
    download needs a package that is not installed.
    """
    path, searched = find(source, name, root)
    if path is not None:
        return path
    folder = _cache(source) if root is None else os.path.join(root, source.folder)
    if not download or not source.mirrors:
        advice = "download=True gets it" if source.mirrors else "it is on no public mirror"
        raise DataFileError(
            f"cannot find {name}: there is no {' and no '.join(searched)}; {advice}"
        )
    return _download(source, name, folder, searched)


def _cache(source: Source) -> str:
    nowhere = f"{source.folder} is in no folder that {FOLDER_VARIABLE} names; downloading it"
    return os.path.join(require("pooch", nowhere).os_cache("minigrad"), source.folder)


def _download(source: Source, name: str, folder: str, searched: list[str]) -> str:
    """The file from the first mirror that gives it whole."""
    pooch = require("pooch", f"downloading {source.folder}")
    failures = []
    published = source.published.get(name, name)
    for mirror in source.mirrors:
        try:
            path: str = pooch.retrieve(
                mirror + published,
                known_hash="sha256:" + source.sha256[name],
                fname=name,
                path=folder,
                progressbar=is_installed("tqdm"),
            )
        except (OSError, ValueError) as error:
            failures.append(f"{mirror} ({_short(error)})")
        else:
            return path
    raise DataFileError(
        f"cannot get {source.folder}/{name}: it is not at {' or '.join(searched)}, and no mirror "
        f"gave it: {', '.join(failures)}; put the file at {searched[0]}, or set "
        f"{FOLDER_VARIABLE} to a folder that holds {source.folder}/{name}"
    )


def _check(path: str, source: Source, name: str) -> None:
    found = _sha256(path)
    expected = source.sha256[name]
    if found != expected:
        raise DataFileError(
            f"{path} is damaged: it has {os.path.getsize(path):,} bytes with SHA-256 {found}, and "
            f"the published file has {expected}; {_remedy(source, name)}"
        )


def _remedy(source: Source, name: str) -> str:
    if not source.mirrors:
        return "remove it, or put the whole one in its place"
    address = source.mirrors[0] + source.published.get(name, name)
    return f"get it again from {address}, or remove it to have it downloaded"


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(error: Exception) -> str:
    """The first line of an error, as several are told in one line."""
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:120]
