"""autograd.scipy: functions of SciPy's by name, with gradients."""

import importlib
from typing import Any

_PARTS = ("integrate", "special", "stats")


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return importlib.import_module(f"minigrad.compat.autograd.scipy.{name}")
    raise AttributeError(
        f"minigrad.compat.autograd.scipy has no {name!r}; it has {', '.join(_PARTS)}"
    )
