"""Marks on disk beside Numba's cache: which families of kernels it has kept whole.

A mark names all that compiled code depends on, so that one glance tells, without Numba, whether
loading a family takes milliseconds or compiling it takes seconds.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import sys
from collections.abc import Iterator

Wanted = tuple[str, str]
"""A family, and the character of a dtype."""

_COMPILED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compiled")
_CALLED_FROM_OTHERS = (
    "chains.py", "compiler.py", "exponential.py", "line_loops.py", "numpy_loops.py", "packing.py",
    "panels.py", "products.py", "registers.py", "tiles.py", "together.py", "words.py",
)  # fmt: skip


def folder() -> str | None:
    """Where the marks are: the first folder that can be written to of those that Numba tries."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    places = [given] if given else []
    places += [os.path.join(_COMPILED, "__pycache__"), os.path.join(home, "minigrad")]
    for place in places:
        with contextlib.suppress(OSError):
            os.makedirs(place, exist_ok=True)
            if os.access(place, os.W_OK | os.X_OK):
                return place
    return None


def there(wanted: Wanted) -> bool:
    """Whether Numba has kept all of a family's loops for a dtype."""
    place = folder()
    return place is not None and os.path.exists(os.path.join(place, _name(wanted)))


def leave(wanted: Wanted) -> None:
    """Say that it has."""
    place = folder()
    if place is not None:
        _touch(os.path.join(place, _name(wanted)))


def forget_older(kept: str | None) -> None:
    """Have loops compiled anew that another version of the package left in Numba's folder `kept`.

    Numba sees changes in a loop's own file, but not those of functions that it calls in others.
    """
    place = folder()
    if place is None or kept is None:
        return
    version = _digest(*map(_text, _CALLED_FROM_OTHERS))
    ours = f"minigrad-{_digest(os.fsencode(_COMPILED))}-"
    mark = os.path.join(place, f"{ours}{version}.version")
    with alone("versions"):
        if not os.path.exists(mark):
            old = [os.path.join(place, name) for name in os.listdir(place) if name.startswith(ours)]
            old += [os.path.join(kept, name) for name in os.listdir(kept) if name.endswith(".nbi")]
            for path in old:
                os.unlink(path)
            _touch(mark)


@contextlib.contextmanager
def alone(family: str) -> Iterator[None]:
    """Keep other processes from compiling the same family, where the system has such locks."""
    place = folder()
    if place is None or sys.platform == "win32":
        yield
        return
    import fcntl

    with open(os.path.join(place, f"minigrad-{family}.lock"), "w", encoding="ascii") as lock:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name(wanted: Wanted) -> str:
    family, char = wanted
    return f"minigrad-{_digest(os.fsencode(_COMPILED))}-{_key()}-{family}-{char}.ready"


def _touch(path: str) -> None:
    with open(path, "a", encoding="ascii"):
        pass


def _text(name: str) -> bytes:
    """The source of one of the files of compiled loops."""
    with open(os.path.join(_COMPILED, name), "rb") as file:
        return file.read()


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]


@functools.cache
def _key() -> str:
    """A short name for the versions, the text of the loops, and the processor."""
    from importlib import metadata

    places = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES")
    names = (*places, "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
    known = [sys.version, platform.machine(), _processor()]
    known += [os.environ.get(name, "") for name in names]
    known += [metadata.version(name) for name in ("numba", "llvmlite", "numpy")]
    texts = [_text(name) for name in sorted(os.listdir(_COMPILED)) if name.endswith(".py")]
    return _digest("\n".join(known).encode(), *texts)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            text = file.read()
    except OSError:
        return platform.processor()
    first = text.split("\n\n", 1)[0].splitlines()
    return "".join(line for line in first if line.startswith(("model name", "flags", "Features")))
