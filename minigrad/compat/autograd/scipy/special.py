"""autograd.scipy.special: the names of `minigrad.numpy.special`."""

from __future__ import annotations

from typing import Any

from minigrad.numpy import special as face


def __getattr__(name: str) -> Any:
    return getattr(face, name)
