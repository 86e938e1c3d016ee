"""What of the database is left out, each with the fact that is its reason; runs count every one.

A memory format or a layout in a sample is not an exclusion: it chooses strides, which are not
compared, so the sample runs without it.
"""

from __future__ import annotations

import torch
from torch.testing._internal.opinfo.core import OpInfo


class ExcludedError(Exception):
    """Raised where something has no counterpart; its text is a reason from the table below."""


NO_DTYPE = "entry and dtype: {} is not a NumPy dtype"
NO_CPU = "entry: it has no CPU dtype, it is one of torch's GPU kernels"
DIMENSIONS = "error input: NumPy arrays end at 64 dimensions, so the input cannot exist"
NO_SPARSE = "sample or error input: it asks for a sparse tensor, and all tensors are dense"
NO_META = "sample or error input: it is on torch's device without data"
NO_ERROR = "error input: torch itself accepts it"
NO_RESIZE = "in-place: torch resizes the tensor to the result; here it keeps its shape and refuses"
CHUNKED = "entry: it is about the size of the pieces in which torch computes, not about values"
NO_SECOND = "second gradient: torch has none"
NO_OUT = "error input: it is about out=, which no function has (checked: refused by a TypeError)"


WRONG_IN_TORCH = "gradients: torch's own fail torch's finite differences, as its database says"


# Torch hands the whole gradient to the input, the replaced region too; its database expects its own
# finite differences to fail. tests/test_views_of_memory.py checks ours by finite differences.
_WRONG_IN_TORCH = ("as_strided_scatter",)


def is_wrong_in_torch(operation: OpInfo) -> bool:
    """Say whether torch's gradients of an operation are wrong."""
    return operation.name in _WRONG_IN_TORCH


def not_numpy(dtype: torch.dtype) -> str:
    """Return the reason for leaving out a dtype."""
    return NO_DTYPE.format(str(dtype).removeprefix("torch."))
