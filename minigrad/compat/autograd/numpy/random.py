"""autograd.numpy.random: the names of `minigrad.numpy.random`."""

from __future__ import annotations

from typing import Any

from minigrad.numpy import random as face


def __getattr__(name: str) -> Any:
    return getattr(face, name)


def __dir__() -> list[str]:
    return dir(face)
