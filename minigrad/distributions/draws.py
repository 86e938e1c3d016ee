"""Random numbers in a parameter's dtype and on its device, from minigrad's generator."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.distributions.parameters import finfo


def uniform(shape: Any, like: Any) -> Any:
    """Uniform in [0, 1)."""
    return minigrad.rand(tuple(shape), dtype=like.dtype, device=like.device)


def open_uniform(shape: Any, like: Any) -> Any:
    """Uniform in (0, 1), for logarithms and quantiles."""
    return uniform(shape, like).clamp_min(float(finfo(like.dtype).tiny))


def normal(shape: Any, like: Any) -> Any:
    """Standard normal."""
    return minigrad.randn(tuple(shape), dtype=like.dtype, device=like.device)


def exponential(shape: Any, like: Any) -> Any:
    """Exponential of rate 1."""
    return minigrad.empty(tuple(shape), dtype=like.dtype, device=like.device).exponential_()
