"""What a table was measured with: versions, threads, processor and day."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.compare import Settings
from benchmarks.contenders import library_of
from benchmarks.processes import ROOT

_VERSIONS = """
import sys
from importlib import import_module, metadata
for name in sys.argv[1:]:
    try:
        module = import_module(name)
        print(name, getattr(module, "__version__", None) or metadata.version(name), sep="=")
    except ImportError:
        print(name, "not installed", sep="=")
"""


def processor() -> str:
    """The model of the processor and how many of it the process may use."""
    model = platform.processor() or platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                model = value.strip()
                break
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:
        cores = os.cpu_count() or 1
    return f"{model}, {cores} cores"


def versions(libraries: list[str], python: str = sys.executable) -> dict[str, str]:
    """The versions that libraries give themselves, asked in a process of its own."""
    ended = subprocess.run(
        [python, "-c", _VERSIONS, *libraries], cwd=ROOT, capture_output=True, text=True, check=False
    )
    pairs = [line.partition("=") for line in ended.stdout.splitlines() if "=" in line]
    found = {name: value for name, _, value in pairs}
    return {library: found.get(library, "not importable") for library in libraries}


def conditions(settings: Settings) -> dict[str, str]:
    """What the figures of a run are measured with."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    names = (*settings.subjects, *settings.against)
    libraries = list(dict.fromkeys(map(library_of, names)))
    found = versions([*libraries, "numba"])
    for name, python in settings.pythons.items():
        found.update(versions([library_of(name)], python))
    counts = " or ".join(map(str, settings.threads))
    better = ", the better of them for each" if len(settings.threads) > 1 else ""
    return {
        **{f"{library}": found[library] for library in libraries},
        "Numba": found["numba"],
        "NumPy": f"{np.__version__} with {blas['name']} {blas['version']}",
        "Python": platform.python_version(),
        "processor": processor(),
        "device": settings.device,
        "threads": counts + better,
        "turns": f"{settings.least} to {settings.repeats}",
        "day": datetime.now(UTC).date().isoformat(),
    }
