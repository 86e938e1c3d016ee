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

    if count == 1:
        # A small product on several threads leaves them waiting actively, in the way of what comes.
        with threads.blas_alone(batch * products):
            task(0)
        return results
    # A BLAS that cannot be told keeps its own threads.
    told = threads.blas_threads() is not None
    with threads.blas_alone():
        lanes.run(task, count, lanes.lanes(batch * products, LEAST) if told else 1)
    return results
