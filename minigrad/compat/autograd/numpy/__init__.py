"""autograd.numpy: the names of `minigrad.numpy`."""

from __future__ import annotations

from typing import Any

from minigrad import numpy as face


def __getattr__(name: str) -> Any:
    return getattr(face, name)


def __dir__() -> list[str]:
    return dir(face)
