"""How the C library keeps the memory that large arrays leave behind.

A fresh page costs more to hand out and to clear than a whole operation spends on it. Left alone,
glibc returns memory to the system as soon as two arrays of a few megabytes are free side by side,
and a chain of operations pays for it again at every step.
"""

from __future__ import annotations

import ctypes
import os
import sys

# From malloc.h.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3

KEPT = 256 << 20
"""Bytes of free memory that stay with the process."""

_LARGEST = 32 << 20
"""Larger blocks are mapped one by one and returned at once; glibc takes no more than this."""

_SET_BY_USER = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let freed blocks of up to 32 MiB be used again, instead of being returned to the system.

    Whether it was done: only with glibc, and not where the user has set its allocator's limits in
    the environment (MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_ or GLIBC_TUNABLES).
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _SET_BY_USER):
        return False
    library = ctypes.CDLL(None)
    # Another C library has no such limits.
    if not hasattr(library, "gnu_get_libc_version") or not hasattr(library, "mallopt"):
        return False
    return bool(
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST) and library.mallopt(_M_TRIM_THRESHOLD, KEPT)
    )
