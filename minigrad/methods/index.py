"""The indexing operations as methods of Tensor."""

from __future__ import annotations


class IndexMethods:
    """Methods from the indexing families of operations."""

    __slots__ = ()
