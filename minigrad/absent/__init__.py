"""What is said of a name of torch that is not here: that it is planned, pointless, or what to use.

A module that ends with `__getattr__ = explaining(__name__)` answers so. Names that are there are
found before it is asked, and the table is read only when one is not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["explaining", "missing"]


def explaining(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module whose missing names are explained."""

    def __getattr__(name: str) -> Any:
        raise missing(module, name)

    return __getattr__


def missing(module: str, name: str) -> AttributeError:
    """The error for a name that a module lacks, with the reason where the name is torch's."""
    message = f"module '{module}' has no attribute '{name}'"
    if not name.startswith("_"):
        from minigrad.absent.table import reason_for

        reason = reason_for(f"{module}.{name}".partition(".")[2])
        if reason is not None:
            message = f"{message}: {reason}"
    return AttributeError(message, name=name, obj=sys.modules.get(module))
