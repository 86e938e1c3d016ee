"""The questions about GPUs that scripts ask: is one there, how many, is the work done."""

from __future__ import annotations

from minigrad.backend import backend_for
from minigrad.errors import DeviceError

__all__ = ["device_count", "is_available", "synchronize"]


def device_count() -> int:
    """How many CUDA devices can be used; 0 without CuPy or without a GPU."""
    try:
        backend = backend_for("cuda")
    except DeviceError:
        return 0
    return int(backend.xp.cuda.runtime.getDeviceCount())


def is_available() -> bool:
    """Whether a CUDA device can be used.

    >>> device = "cuda" if is_available() else "cpu"
    """
    return device_count() > 0


def synchronize() -> None:
    """Wait until all work given to the GPU is done. Raises DeviceError where there is none."""
    backend_for("cuda").synchronize()
