"""Products of matrices in plain array operations: the BLAS has all its threads."""

from __future__ import annotations

from typing import Any

LARGE_PRODUCT = 1 << 24
"""Multiplications from which a product is made in pieces on minigrad's own threads. To wake one
takes as long as a smaller product, for which those of a BLAS are mostly awake still."""


def matrix_product(xp: Any, a: Any, b: Any, out: Any, row: Any) -> Any:
    """The product of two arrays as matmul gives it, plus a row where one is given.

    `out` is an array of the result's shape that takes it, or None.
    """
    result = xp.matmul(a, b) if out is None else xp.matmul(a, b, out)
    if row is not None:
        result += row
    return result
