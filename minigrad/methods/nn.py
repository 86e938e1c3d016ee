"""The neural network operations as methods of Tensor."""

from __future__ import annotations


class FunctionalMethods:
    """Methods from the neural network families of operations."""

    __slots__ = ()
