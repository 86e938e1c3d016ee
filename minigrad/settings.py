"""Torch's process-wide settings, as far as they mean something here, and small questions."""

from __future__ import annotations

from typing import Any

from minigrad.backend import device as make_device
from minigrad.dtypes import OLD_NAMES
from minigrad.errors import ArgumentError
from minigrad.graph import Traced

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "is_autocast_enabled",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_default_device",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "typename",
    "use_deterministic_algorithms",
]

_state: dict[str, Any] = {"deterministic": False, "warn_only": False, "precision": "highest"}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for the same result in every run; on the CPU every operation gives it anyway."""
    _state["deterministic"], _state["warn_only"] = bool(mode), bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """What `use_deterministic_algorithms` was last told."""
    return bool(_state["deterministic"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was last told only to warn."""
    return bool(_state["warn_only"])


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """`use_deterministic_algorithms` by a level: 0 "default", 1 "warn", 2 "error"."""
    levels: dict[Any, int] = {"default": 0, "warn": 1, "error": 2, 0: 0, 1: 1, 2: 2}
    if debug_mode not in levels:
        raise ArgumentError(
            f"set_deterministic_debug_mode(): argument 'debug_mode' is {debug_mode!r}; it must be "
            f"'default', 'warn' or 'error'"
        )
    level = levels[debug_mode]
    use_deterministic_algorithms(level > 0, warn_only=level == 1)


def get_deterministic_debug_mode() -> int:
    """The level that `set_deterministic_debug_mode` speaks of."""
    return 0 if not _state["deterministic"] else 1 if _state["warn_only"] else 2


def set_float32_matmul_precision(precision: str) -> None:
    """Allow "high" or "medium" precision for products of float32; they keep the "highest"."""
    if precision not in ("highest", "high", "medium"):
        raise ArgumentError(
            f"set_float32_matmul_precision(): argument 'precision' is {precision!r}; it must be "
            f"'highest', 'high' or 'medium'"
        )
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was last told."""
    return str(_state["precision"])


def set_flush_denormal(mode: bool) -> bool:
    """Ask that tiny numbers become zero; False, since NumPy cannot be asked."""
    return False


def get_default_device() -> make_device:
    """Where tensors are made unless a device is given: the CPU."""
    return make_device("cpu")


def set_default_device(device: Any) -> None:
    """Say where tensors are made: the CPU, or None for it. Raises ArgumentError for another."""
    if device is not None and make_device(device).type != "cpu":
        raise ArgumentError(
            f"set_default_device(): argument 'device' is {device!r}; tensors are made on the CPU "
            f"unless device={device!r} is given where they are made"
        )


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether dtypes are lowered; see `minigrad.amp.autocast`, which lowers none."""
    return False


def typename(obj: Any) -> str:
    """The name of an object's type, with its module; of a tensor with its dtype's old name."""
    if isinstance(obj, Traced):
        names = [name for name, dtype in OLD_NAMES.items() if dtype == obj._array.dtype]
        return f"minigrad.{names[0]}"
    kind = obj if isinstance(obj, type) else type(obj)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"
