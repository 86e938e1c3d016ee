"""Layers that only change the shape."""

from __future__ import annotations

from typing import Any

from minigrad.nn.module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Joins the dimensions from `start_dim` to `end_dim`; all but the batch at the defaults."""

    fields = ("start_dim", "end_dim")

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Any) -> Any:
        """The input with those dimensions joined."""
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Module):
    """Splits the dimension `dim` into the sizes `unflattened_size`."""

    fields = ("dim", "unflattened_size")

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Any) -> Any:
        """The input with that dimension split."""
        return input.unflatten(self.dim, self.unflattened_size)
