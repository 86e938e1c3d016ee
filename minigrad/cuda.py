"""The questions about GPUs that scripts ask: is one there, how many, is the work done."""

from __future__ import annotations

from minigrad.absent import explaining
from minigrad.backend import backend_for
from minigrad.backend.random import manual_seed as seed_all
from minigrad.errors import DeviceError

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "is_bf16_supported",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


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


def manual_seed(seed: int) -> None:
    """Seed the generator, which is one for all devices; nothing happens without a GPU."""
    if is_available():
        seed_all(seed)


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Give the memory that is kept for later tensors back to the GPU, where there is one."""
    if is_available():
        backend_for("cuda").xp.get_default_memory_pool().free_all_blocks()


def current_device() -> int:
    """The number of the GPU that "cuda" means. Raises DeviceError where there is none."""
    return int(backend_for("cuda").xp.cuda.runtime.getDevice())


def is_bf16_supported() -> bool:
    """Whether there are bfloat16 tensors: there are none."""
    return False


__getattr__ = explaining(__name__)
