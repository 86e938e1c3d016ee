"""The reduction operations as methods of Tensor."""

from __future__ import annotations


class ReduceMethods:
    """Methods from the reduction families of operations."""

    __slots__ = ()
