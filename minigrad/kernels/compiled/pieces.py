"""Loops over rows in pieces, on several threads where that pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend.lanes import lanes, portions, together
from minigrad.kernels.compiled.together import shared

_LEAST = 1 << 16
"""The elements that make up for waking a thread, at about a nanosecond each."""


def spread(loop: Callable[..., Any], rows: int, size: int, *arguments: Any) -> None:
    """Call `loop(*arguments, start, stop)` for pieces that make up the rows 0 to `rows`.

    `size` is the number of elements in all. Rows must not depend on each other: where the pieces
    begin depends on the number of threads.
    """
    threads = lanes(size, _LEAST)
    length = max(1, -(-rows // portions(size, threads)))
    together(shared(loop), threads, rows, length, *arguments)
