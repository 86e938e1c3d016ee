"""How much memory this process holds, where the system is Linux and says so."""

from __future__ import annotations

import ctypes
from pathlib import Path

STATUS = Path("/proc/self/status")
RESET_PEAK = "5"


def resident(field: str) -> int:
    """A field of the process's status in KiB: VmRSS is resident now, VmHWM the peak."""
    for line in STATUS.read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0])
    raise SystemExit(f"{STATUS} has no {field}: the memory rows need Linux")


def reset_peak() -> int | None:
    """Begin a new peak, and return what is resident in KiB; None where the system cannot say."""
    if not STATUS.exists():
        return None
    ctypes.CDLL(None).malloc_trim(0)  # what malloc keeps of the preparation would hide the steps
    Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    return resident("VmRSS")
