"""Dropout: elements or whole channels set to zero at random while training."""

from __future__ import annotations

from typing import Any

from minigrad.backend import namespace
from minigrad.backend.random import default_generator
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.windows import raw

__all__: list[str] = []


@primitive(input=lambda g, mask, scale: masked(g, mask=mask, scale=scale))
def masked(xp: Any, input: Any, *, mask: Any, scale: float) -> Any:
    """The input times a number where the mask is true, zero elsewhere."""
    out = input * mask
    out *= scale
    return out


@primitive(input=lambda g, mask, scale: masked(g, mask=mask, scale=scale))
def alpha_masked(
    xp: Any, input: Any, *, mask: Any, scale: float, dropped: float, shift: float
) -> Any:
    """The input times a number where the mask is true, `dropped` elsewhere; then moved."""
    out = input * mask
    out *= scale
    out += xp.where(mask, shift, dropped + shift).astype(out.dtype)
    return out


def random_mask(operation: str, input: Any, p: float, shape: tuple[int, ...]) -> Any:
    """A raw mask of this shape, false with probability `p`."""
    xp = namespace(operation, input=raw(input))
    return default_generator.bernoulli(xp, 1.0 - p, shape)


def check_probability(operation: str, input: Any, p: float) -> None:
    """Raise TypeError for an input that is no Tensor, ArgumentError for `p` outside [0, 1]."""
    if not hasattr(input, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    if not 0 <= p <= 1:
        raise ArgumentError(f"{operation}(): argument 'p' must be between 0 and 1, got {p}")


def dropped(input: Any, p: float) -> Any:
    """The input with each element zero with probability `p`, the others scaled by 1 / (1 - p)."""
    mask = random_mask("dropout", input, p, tuple(input.shape))
    return masked(input, mask=mask, scale=1 / (1 - p) if p < 1 else 0.0)
