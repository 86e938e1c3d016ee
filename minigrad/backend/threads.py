"""How many threads an operation may use: asked and set, for NumPy's BLAS and for minigrad's own."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from minigrad.errors import ArgumentError

__all__ = [
    "get_num_interop_threads",
    "get_num_threads",
    "set_num_interop_threads",
    "set_num_threads",
]

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

_count = 0
_told = False
_interop = 0


def cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def get_num_threads() -> int:
    """How many threads an operation on the CPU may use.

    Until `set_num_threads` says otherwise it is OMP_NUM_THREADS where that is set, else the number
    of cores that the process may run on.
    """
    global _count
    if not _count:
        asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
        _count = int(asked) if asked.isdecimal() and int(asked) else cores()
    return _count


def set_num_threads(num: int) -> None:
    """Let an operation on the CPU use so many threads: minigrad's own, Numba's and NumPy's BLAS.

    Results do not depend on the number. Raises ArgumentError for a number below 1 and TypeError
    for what is no integer.

    >>> set_num_threads(get_num_threads())
    """
    global _count, _told, _before
    _count = _positive("set_num_threads", "num", num)
    _told = True
    with _alone:
        # While a loop has the BLAS on one thread, it is for the time after that.
        _before = _count
        if not _inside:
            set_blas_threads(_count)
    if "numba" in sys.modules:
        tell_numba()


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was told; 1 until then, for operations run one by one."""
    return _interop or 1


def set_num_interop_threads(num: int) -> None:
    """Taken for torch's sake: operations run one after the other whatever the number.

    Raises ArgumentError for a number below 1 and TypeError for what is no integer.
    """
    global _interop
    _interop = _positive("set_num_interop_threads", "num", num)


def _positive(function: str, name: str, value: Any) -> int:
    if not isinstance(value, (int, numpy.integer)) or isinstance(value, bool):
        raise TypeError(
            f"{function}(): argument '{name}' must be an integer, not {type(value).__name__}"
        )
    if value < 1:
        raise ArgumentError(f"{function}(): argument '{name}' must be at least 1, got {value}")
    return int(value)


def tell_numba() -> None:
    """Let Numba's own loops use as many threads as `set_num_threads` was told, if it was."""
    if _told:
        import numba

        numba.set_num_threads(min(_count, numba.config.NUMBA_NUM_THREADS))


_functions: dict[str, Any] = {}


def _function(verb: str) -> Any:
    """The BLAS's function that gets or sets the number, or None where it cannot be found."""
    if verb not in _functions:
        _functions[verb] = _find(verb)
    return _functions[verb]


def _find(verb: str) -> Any:
    return _find_named(*(name.format(verb) for name in _NAMES))


def _find_named(*names: str) -> Any:
    import glob

    here = os.path.dirname(numpy.__file__)
    for pattern in _LIBRARIES:
        for path in glob.glob(os.path.join(here, pattern)):
            library = ctypes.CDLL(path)
            for name in names:
                if hasattr(library, name):
                    return getattr(library, name)
    return None


@functools.cache
def blas_address(name: str) -> int:
    """Where a function of the BLAS's interface in C is, one that takes sizes of 64 bits.

    0 where there is none, or the BLAS cannot be told its number of threads.
    """
    function = _find_named(f"scipy_{name}64_", f"{name}64_")
    if function is None or _function("set") is None:
        return 0
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def blas_threads() -> int | None:
    """How many threads NumPy's BLAS uses; None where it cannot be asked."""
    ask = _function("get")
    return None if ask is None else int(ask())


def set_blas_threads(count: int) -> None:
    """Let NumPy's BLAS use so many threads, where it can be told."""
    tell = _function("set")
    if tell is not None:
        tell(count)


SMALL_PRODUCT = 1 << 22
"""Multiplications of a product of matrices that a second thread does not shorten by much."""

_alone = threading.Lock()
_inside = 0
_before = 1


@contextmanager
def blas_alone(multiplications: int = 0) -> Iterator[None]:
    """NumPy's BLAS on one thread, for a loop of products of so few multiplications each.

    Its threads wait for each other actively at every product, and where a core is busy with other
    work a small product takes many times as long. Larger products keep all threads. Several threads
    may be inside at once: the last to leave puts the number back.
    """
    global _inside, _before
    if multiplications > SMALL_PRODUCT:
        yield
        return
    with _alone:
        if not _inside:
            _before = blas_threads() or 1
            if _before > 1:
                set_blas_threads(1)
        _inside += 1
    try:
        yield
    finally:
        with _alone:
            _inside -= 1
            if not _inside and _before > 1:
                set_blas_threads(_before)
