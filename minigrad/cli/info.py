"""`minigrad info`: what is installed, which devices and kernels are there, and how many threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

import numpy

import minigrad
from minigrad import kernels
from minigrad.backend import backend_for
from minigrad.backend.threads import THREAD_VARIABLES, blas_threads
from minigrad.errors import DeviceError
from minigrad.kernels import marks

_OPTIONAL = (
    "cupy-cuda12x", "cupy-cuda13x", "numba", "safetensors", "matplotlib", "pillow", "pooch",
    "tqdm", "ml_dtypes",
)  # fmt: skip


def info() -> int:
    """Print it."""
    rows = [
        ("minigrad", minigrad.__version__),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("NumPy", numpy.__version__),
    ]
    rows += [(name, version_of(name) or "not installed") for name in _OPTIONAL]
    rows += [("devices", device) for device in _devices()]
    rows += [("kernels", kernel) for kernel in _kernels()]
    rows.append(("compiled", _compiled()))
    rows.append(("BLAS", _blas()))
    rows.append(("BLAS threads", _blas_threads()))
    width = max(len(name) for name, _ in rows)
    previous = ""
    for name, value in rows:
        print(f"{name if name != previous else '':<{width}}  {value}")
        previous = name
    return 0


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    lines = [f"cpu ({os.cpu_count()} cores)"]
    try:
        backend_for("cuda")
    except DeviceError as error:
        lines.append(f"cuda: not available: {error}")
    else:
        lines.append("cuda")
    return lines


def _kernels() -> list[str]:
    """The implementations of the fused functions on NumPy arrays, each with what it does."""
    chosen = kernels.active()
    return [
        f"{kind}: {', '.join(name for name in chosen if chosen[name] == kind)}"
        for kind in sorted(set(chosen.values()))
    ]


def _compiled() -> str:
    """How many of the families of compiled kernels are kept on disk, and when others come."""
    mode = kernels.get_compile_mode()
    if not kernels.ready.installed():
        return "Numba is needed"
    wanted = [(family, char) for family in kernels.families() for char in "fd"]
    kept = sum(map(marks.there, wanted))
    return f"{kept} of {len(wanted)} are kept on disk; MINIGRAD_KERNELS={mode}"


def _blas() -> str:
    config: Any = numpy.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


def _blas_threads() -> str:
    """How many threads NumPy's BLAS uses, and what the environment says of it."""
    set_by_user = [name for name in THREAD_VARIABLES if name in os.environ]
    told = ", ".join(f"{name}={os.environ[name]}" for name in set_by_user)
    count = blas_threads()
    if count is None:
        return told or "as many as the library chooses"
    return f"{count} ({told})" if told else f"{count}"
