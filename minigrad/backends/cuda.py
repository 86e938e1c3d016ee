"""torch.backends.cuda: what programs set for products of matrices on GPUs, which are exact here."""

from __future__ import annotations

from types import SimpleNamespace

from minigrad.cuda import is_available as is_built

__all__ = ["is_built", "matmul"]

matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=False)
