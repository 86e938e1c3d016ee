"""autograd.numpy.fft: the names of `minigrad.numpy.fft`."""

from __future__ import annotations

from typing import Any

from minigrad.numpy import fft as face


def __getattr__(name: str) -> Any:
    return getattr(face, name)


def __dir__() -> list[str]:
    return dir(face)
