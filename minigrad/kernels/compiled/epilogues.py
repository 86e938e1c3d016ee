"""Products of matrices whose results go through a chain of functions while they are in the cache.

A piece of the product, some rows of it, is made; then the calls of the chain are made for its
elements, before the thread takes the next piece.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend.threads import blas_address, blas_alone
from minigrad.kernels.compiled.chains import calls_of, said, some
from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.elementwise import LINE
from minigrad.kernels.compiled.products import multiply, multiply_pieces, pieces_of, threads_of


@compiled_exactly
def multiply_and_call(
    place: int, row: int, step: int, inner: int, block: int, panels: Any, begin: int, added: Any,
    more: bool, out: Any, length: int, groups: int, calls: Any, operands: Any, arrays: Any,
    numbers: Any, held: Any, starts: Any, tiles: int, tile: int, size: int, clear: int, test: int,
    bits: int, seen: Any, start: int, stop: int,
) -> None:  # fmt: skip
    """Some pieces of the product, whole rows each, and the calls of the chain for these."""
    rows, columns = out.shape
    for piece in range(start, stop):
        multiply_pieces(
            place, row, step, inner, block, panels, begin, added, more, out, length, groups,
            piece, piece + 1,
        )  # fmt: skip
        low, high = piece * length * columns, min((piece + 1) * length, rows) * columns
        some(
            calls, operands, arrays, numbers, held, starts, tiles, tile, size, clear, test, bits,
            seen, low, high,
        )  # fmt: skip


def product_chain(xp: Any, a: Any, b: Any, out: Any, row: Any, chain: Any, arrays: Any) -> Any:
    """A product of matrices plus a row, if given, and the calls of a chain that reads it.

    None where the two are to be made one after the other: pieces are not whole rows, or do not end
    where a vector register does, or `run_chain` would leave the chain to NumPy.
    """
    if not blas_address("cblas_sgemm"):
        return None
    threads = threads_of(a, b, out)
    if not threads:
        return None
    pieces, length = pieces_of(len(a), threads)
    given = calls_of(chain, arrays)
    if given is None or pieces < threads or length * out.shape[1] % LINE:
        return None
    with blas_alone():
        multiply(a, b, out, row, threads, (multiply_and_call, given))
    return said(chain, given[-1], out.dtype.char)
