"""The kernel seam: the few fused functions with more than one implementation, and the choice."""

from __future__ import annotations

from minigrad.kernels.reference import (
    add_rows,
    convolve,
    convolve_input_grad,
    convolve_weight_grad,
    fold,
    max_pool,
    max_pool_grad,
    max_pool_winners,
    unfold,
    wide,
    window_spread,
    window_sum,
)
from minigrad.kernels.windows import output_sizes

__all__ = [
    "add_rows",
    "convolve",
    "convolve_input_grad",
    "convolve_weight_grad",
    "fold",
    "max_pool",
    "max_pool_grad",
    "max_pool_winners",
    "output_sizes",
    "unfold",
    "wide",
    "window_spread",
    "window_sum",
]
