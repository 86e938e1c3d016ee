"""Windows as columns and back, and pooling by norms."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.elementwise import abs, sign
from minigrad.ops.piecewise import relu
from minigrad.ops.pool import avg_pool1d, avg_pool2d, avg_pool3d
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension

__all__ = ["fold", "lp_pool1d", "lp_pool2d", "lp_pool3d", "unfold"]


@primitive(
    input=lambda g, shape, kernel, stride, padding, dilation: from_columns(
        g, size=shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
def to_columns(
    xp: Any, input: Any, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """The windows of (N, C, H, W) as columns: (N, C * window, windows)."""
    return kernels.unfold(xp, input, kernel, stride, padding, dilation)


@primitive(
    input=lambda g, kernel, stride, padding, dilation: to_columns(
        g, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
def from_columns(
    xp: Any,
    input: Any,
    *,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """The transpose of `to_columns`: columns added up where their windows were."""
    return kernels.fold(xp, input, size, kernel, stride, padding, dilation)


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The windows of (N, C, H, W) or (C, H, W) as columns: (N, C * window, windows).

    Raises ArgumentError where no window fits.
    """
    input, had_batch = batched("unfold", input, 2, LAYOUTS[2])
    kernel = per_dimension("unfold", "kernel_size", kernel_size, 2, 1)
    steps = per_dimension("unfold", "stride", stride, 2, 1)
    edges = per_dimension("unfold", "padding", padding, 2, 0)
    gaps = per_dimension("unfold", "dilation", dilation, 2, 1)
    _counts("unfold", "input", tuple(input.shape[2:]), kernel, steps, edges, gaps)
    out = to_columns(input, kernel=kernel, stride=steps, padding=edges, dilation=gaps)
    return out if had_batch else out[0]


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Images of `output_size` from columns (N, C * window, windows): overlaps add up.

    Raises ArgumentError unless the columns fit the sizes.
    """
    if input.ndim not in (2, 3):
        raise ArgumentError(
            f"fold(): argument 'input' must have shape (N, C * window, windows) or (C * window, "
            f"windows), got {list(input.shape)}"
        )
    had_batch = input.ndim == 3
    if not had_batch:
        input = input[None]
    size = per_dimension("fold", "output_size", output_size, 2, 1)
    kernel = per_dimension("fold", "kernel_size", kernel_size, 2, 1)
    steps = per_dimension("fold", "stride", stride, 2, 1)
    edges = per_dimension("fold", "padding", padding, 2, 0)
    gaps = per_dimension("fold", "dilation", dilation, 2, 1)
    counts = _counts("fold", "output_size", size, kernel, steps, edges, gaps)
    if input.shape[1] % prod(kernel) or input.shape[2] != prod(counts):
        raise ArgumentError(
            f"fold(): argument 'input' must have shape (N, a multiple of {prod(kernel)}, "
            f"{prod(counts)}) for output_size {size} and kernel_size {kernel}, got "
            f"{list(input.shape)}"
        )
    out = from_columns(input, size=size, kernel=kernel, stride=steps, padding=edges, dilation=gaps)
    return out if had_batch else out[0]


def _counts(
    operation: str,
    name: str,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Sizes:
    counts = kernels.output_sizes(size, kernel, stride, padding, dilation)
    if min(counts) < 1:
        raise ArgumentError(
            f"{operation}(): a window of kernel_size {kernel} and dilation {dilation} does not fit "
            f"into argument '{name}' of sizes {size} with padding {padding}"
        )
    return counts


def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The `norm_type`-norm of each window of (N, C, L) or (C, L)."""
    return _norms(avg_pool1d, 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The `norm_type`-norm of each window of (N, C, H, W) or (C, H, W)."""
    return _norms(avg_pool2d, 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
) -> Any:
    """The `norm_type`-norm of each window of (N, C, D, H, W) or (C, D, H, W)."""
    return _norms(avg_pool3d, 3, input, norm_type, kernel_size, stride, ceil_mode)


def _norms(
    average: Any,
    dims: int,
    input: Any,
    norm_type: float,
    kernel_size: Any,
    stride: Any,
    ceil_mode: bool,
) -> Any:
    kernel = per_dimension(f"lp_pool{dims}d", "kernel_size", kernel_size, dims, 1)
    means = average(input**norm_type, kernel, stride, 0, ceil_mode)
    # As in torch: an odd power's mean below zero counts as zero.
    return (sign(means) * relu(abs(means)) * prod(kernel)) ** (1 / norm_type)
