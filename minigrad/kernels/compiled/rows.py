"""Rows added to rows, compiled."""

from __future__ import annotations

from typing import Any

from minigrad.kernels.compiled.compiler import compiled


@compiled
def _add_rows(out: Any, index: Any, values: Any) -> None:
    for i in range(len(index)):
        row = index[i]
        for j in range(values.shape[1]):
            out[row, j] += values[i, j]


def add_rows(xp: Any, out: Any, index: Any, values: Any) -> bool:
    """Add each row of `values` to the row of `out` at its index, in place."""
    _add_rows(out, index, values)
    return True
