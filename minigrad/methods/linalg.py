"""The linear algebra operations as methods of Tensor."""

from __future__ import annotations


class LinalgMethods:
    """Methods from the linear algebra families of operations."""

    __slots__ = ()
