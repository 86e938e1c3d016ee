"""autograd.numpy.linalg: the names of `minigrad.numpy.linalg`."""

from __future__ import annotations

from typing import Any

from minigrad.numpy import linalg as face


def __getattr__(name: str) -> Any:
    return getattr(face, name)


def __dir__() -> list[str]:
    return dir(face)
