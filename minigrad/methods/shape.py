"""The shape operations as methods of Tensor."""

from __future__ import annotations


class ShapeMethods:
    """Methods from the shape families of operations."""

    __slots__ = ()
