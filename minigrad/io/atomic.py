"""Writing a file so that its old content stays until the new one is safely on the disk."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[str]:
    """Give a path to write to; what is there afterwards takes the place of `path` at once.

    The new file is made in the same folder, forced to the disk and renamed over the old one, so
    that a full disk, a kill or a power cut leaves either the old file or the new one. A symbolic
    link is followed. On any error the new file is removed and the old one is untouched.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
        os.chmod(temporary, _mode_of(target))
        _force_to_disk(temporary)
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
    if os.name == "posix":
        # The rename itself is an entry of the folder, which has a buffer of its own.
        _force_to_disk(folder)


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError, naming `path` and the reason, where `replacing(path)` could not write.

    A file is made and removed beside it: permission bits alone do not tell of a read-only disk.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    if os.path.isdir(target) or not name:
        raise IsADirectoryError(
            errno.EISDIR, f"cannot write {os.fspath(path)}: it is a folder; name a file"
        )
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            errno.ENOENT,
            f"cannot write {os.fspath(path)}: there is no folder {folder}; make it first",
        )
    probe = os.path.join(folder, f".{name}.{secrets.token_hex(6)}.tmp")
    try:
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        os.remove(probe)
    except OSError as error:
        raise type(error)(
            error.errno, f"cannot write {os.fspath(path)}: {error.strerror}"
        ) from None


def _mode_of(target: str) -> int:
    """The permissions that the file has, or that a new one would get."""
    try:
        return os.stat(target).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _force_to_disk(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
