"""Marks on disk beside Numba's cache: which families of kernels it has kept whole.

A mark names all that compiled code depends on, so that one glance tells, without Numba, whether
loading a family takes milliseconds or compiling it takes seconds.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

Wanted = tuple[str, str]
"""A family, and the character of a dtype."""

_COMPILED = Path(__file__).parent / "compiled"
_CALLED_FROM_OTHERS = ("compiler.py", "exponential.py", "softmax.py", "tiles.py")


def folder() -> Path | None:
    """Where the marks are: the first folder that can be written to of those that Numba tries."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    places = [Path(given)] if given else []
    for place in (*places, _COMPILED / "__pycache__", Path(home) / "minigrad"):
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            if os.access(place, os.W_OK | os.X_OK):
                return place
    return None


def there(wanted: Wanted) -> bool:
    """Whether Numba has kept all of a family's loops for a dtype."""
    place = folder()
    return place is not None and (place / _name(wanted)).exists()


def leave(wanted: Wanted) -> None:
    """Say that it has."""
    place = folder()
    if place is not None:
        (place / _name(wanted)).touch()


def forget_older(kept: str | None) -> None:
    """Have loops compiled anew that another version of the package left in Numba's folder `kept`.

    Numba sees changes in a loop's own file, but not those of functions that it calls in others.
    """
    place = folder()
    if place is None or kept is None:
        return
    version = _digest(*((_COMPILED / name).read_bytes() for name in _CALLED_FROM_OTHERS))
    ours = f"minigrad-{_digest(bytes(_COMPILED))}-"
    mark = place / f"{ours}{version}.version"
    with alone("versions"):
        if not mark.exists():
            for old in (*place.glob(f"{ours}*"), *Path(kept).glob("*.nbi")):
                old.unlink(missing_ok=True)
            mark.touch()


@contextlib.contextmanager
def alone(family: str) -> Iterator[None]:
    """Keep other processes from compiling the same family, where the system has such locks."""
    place = folder()
    if place is None or sys.platform == "win32":
        yield
        return
    import fcntl

    with open(place / f"minigrad-{family}.lock", "w", encoding="ascii") as lock:
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name(wanted: Wanted) -> str:
    family, char = wanted
    return f"minigrad-{_digest(bytes(_COMPILED))}-{_key()}-{family}-{char}.ready"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:8]


@functools.cache
def _key() -> str:
    """A short name for the versions, the text of the loops, and the processor."""
    names = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")
    known = [sys.version, platform.machine(), _processor()]
    known += [os.environ.get(name, "") for name in names]
    known += [importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")]
    texts = [path.read_bytes() for path in sorted(_COMPILED.glob("*.py"))]
    return _digest("\n".join(known).encode(), *texts)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return platform.processor()
    first = text.split("\n\n", 1)[0].splitlines()
    return "".join(line for line in first if line.startswith(("model name", "flags", "Features")))
