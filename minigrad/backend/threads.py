"""How many threads NumPy's BLAS uses: asked of the library, and set."""

from __future__ import annotations

import ctypes
import glob
import os
from typing import Any

import numpy

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What the user sets in the environment to say how many threads there should be."""

# Where NumPy's wheels keep their BLAS, seen from the folder of the package.
_LIBRARIES = ("../numpy.libs/*openblas*", ".dylibs/*openblas*")
_NAMES = (
    "scipy_openblas_{}_num_threads64_",
    "scipy_openblas_{}_num_threads",
    "openblas_{}_num_threads64_",
    "openblas_{}_num_threads",
)


def _function(verb: str) -> Any:
    """The BLAS's function that gets or sets the number, or None where it cannot be found."""
    here = os.path.dirname(numpy.__file__)
    for pattern in _LIBRARIES:
        for path in glob.glob(os.path.join(here, pattern)):
            library = ctypes.CDLL(path)
            for name in _NAMES:
                if hasattr(library, name.format(verb)):
                    return getattr(library, name.format(verb))
    return None


def blas_threads() -> int | None:
    """How many threads NumPy's BLAS uses; None where it cannot be asked."""
    ask = _function("get")
    return None if ask is None else int(ask())


def set_blas_threads(count: int) -> None:
    """Let NumPy's BLAS use so many threads, where it can be told."""
    tell = _function("set")
    if tell is not None:
        tell(count)
