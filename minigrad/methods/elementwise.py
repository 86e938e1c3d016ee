"""The elementwise operations as methods of Tensor."""

from __future__ import annotations


class ElementwiseMethods:
    """Methods from the elementwise families of operations."""

    __slots__ = ()
