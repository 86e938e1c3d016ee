"""Positive numbers taken as probabilities: brought to the sum 1, clipped, and their logarithms."""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.graph import primitive
from minigrad.ops.reduce import sum_to
from minigrad.ops.select import _within, clamp_min, where

__all__: list[str] = []

_TINY = 1e-37
"""The least sum, so that a row of zeros stays one; float32 holds it with all its digits."""


def _rule(g: Any, input: Any, shape: tuple[int, ...], dim: int, low: float, high: float) -> Any:
    size = (*shape[:dim], 1, *shape[dim + 1 :])
    total = clamp_min(sum_to(input, size=size), _TINY)
    inside = _within(input / total, low=low, high=high)
    # What is clipped has no slope; its number may be 0 and must not divide.
    g = g * inside
    return g / where(inside, input, 1.0) - sum_to(g, size=size) / total


@primitive(
    input=lambda g, input, shape, dim, low, high: _rule(g, input, shape, dim, low, high),
)
def log_probabilities(xp: Any, input: Any, *, dim: int, low: float, high: float) -> Any:
    """log(clip(input / its sum along `dim`, low, high)), for a `dim` counted from the front."""
    dtype = input.dtype
    input = kernels.in_single(xp, input)
    total = input.sum(dim, keepdims=True, dtype=input.dtype)
    out = input / xp.maximum(total, _TINY)
    xp.maximum(out, low, out=out)
    xp.minimum(out, high, out=out)
    xp.log(out, out=out)
    return out if out.dtype is dtype else out.astype(dtype)
