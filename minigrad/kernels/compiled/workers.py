"""Batches cut into pieces that run on all cores, each with a BLAS of one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend import lanes, threads

PIECES = 8
"""Into how many pieces a batch is cut at most, whatever the number of threads: sums over pieces
come out the same on any number.
"""

LEAST = 1 << 21
"""Products that a thread is worth."""


def in_pieces(
    piece: Callable[[int, int], Any], batch: int, products: int, most: int = PIECES
) -> list[Any]:
    """What `piece(start, stop)` returns for each of at most `most` pieces of a batch, in order.

    `products` is how many multiplications an image costs.
    """
    count = max(1, min(batch, PIECES, most, batch * products // LEAST))
    edges = [batch * i // count for i in range(count + 1)]
    results: list[Any] = [None] * count

    def task(i: int) -> None:
        results[i] = piece(edges[i], edges[i + 1])

    width = lanes.lanes(batch * products, LEAST)
    before = threads.blas_threads()
    if before is None or before == 1 or count == 1:
        # A BLAS that cannot be told keeps its own threads.
        lanes.run(task, count, 1 if before is None else width)
        return results
    threads.set_blas_threads(1)
    try:
        lanes.run(task, count, width)
    finally:
        threads.set_blas_threads(before)
    return results
