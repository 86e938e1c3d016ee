"""The neural network operations as methods of Tensor."""

from __future__ import annotations

from typing import Any

from minigrad.ops import fused


class FunctionalMethods:
    """Methods from the neural network families of operations."""

    __slots__ = ()

    def softmax(self, dim: int, dtype: Any = None) -> Any:
        """Positive numbers that sum to one along `dim`."""
        return fused.softmax(self, dim, dtype)

    def log_softmax(self, dim: int, dtype: Any = None) -> Any:
        """The logarithm of softmax along `dim`."""
        return fused.log_softmax(self, dim, dtype)
