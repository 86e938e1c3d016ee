"""`minigrad compile-kernels`: compile them ahead of time, and say where they are kept."""

from __future__ import annotations

import importlib
import time
from pathlib import Path

from minigrad import kernels
from minigrad.cli.failure import CommandError
from minigrad.kernels import ready

_DTYPES = {"f": "float32", "d": "float64"}


def compile_kernels() -> int:
    """Compile family by family. Raises CommandError where Numba is missing or fails."""
    if not ready.installed():
        raise CommandError("it needs Numba: pip install 'minigrad-engine[numba]'")
    for family in kernels.families():
        for char, dtype in _DTYPES.items():
            start = time.perf_counter()
            ready.load((family, char), quietly=True)
            problem = ready.problem((family, char))
            if problem:
                raise CommandError(f"{family} in {dtype} cannot be compiled: {problem}")
            print(f"{family:<12} {dtype}  {time.perf_counter() - start:5.1f} s", flush=True)
    folder = importlib.import_module("minigrad.kernels.compiled.compiler").folder()
    if folder is None:
        raise CommandError(
            "no folder to keep them in can be written to: name one in NUMBA_CACHE_DIR"
        )
    size = sum(path.stat().st_size for path in Path(folder).glob("*.nb[ic]"))
    print(f"kept in {folder}: {size / 1e6:.1f} MB")
    return 0
