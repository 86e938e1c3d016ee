"""Pooling: the largest, the mean or the norm of each window."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad import kernels
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension

__all__ = ["avg_pool1d", "max_pool1d", "max_pool2d", "max_pool3d"]

Divisor = int | tuple[Sizes, ...]


@primitive(
    input=lambda g, input, out, kernel, stride, padding, dilation: _max_pool_grad(
        g, input, out, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
)
def _max_pool(
    xp: Any,
    input: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    count: Sizes,
) -> Any:
    return kernels.max_pool(xp, input, kernel, stride, padding, dilation, count)


@primitive(
    input=lambda g, array, values, kernel, stride, padding, dilation: pick(
        g,
        max_pool_winners(
            array, values, kernel=kernel, stride=stride, padding=padding, dilation=dilation
        ),
        dims=len(kernel),
    )
)
def _max_pool_grad(
    xp: Any,
    input: Any,
    array: Any,
    values: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    return kernels.max_pool_grad(xp, input, array, values, kernel, stride, padding, dilation)


@primitive()
def max_pool_winners(
    xp: Any,
    input: Any,
    values: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """The position in its flattened plane of each window's largest element."""
    return kernels.max_pool_winners(xp, input, values, kernel, stride, padding, dilation)


@primitive(input=lambda g, index, shape, dims: unpick(g, index, size=shape, dims=dims))
def pick(xp: Any, input: Any, index: Any, *, dims: int) -> Any:
    """The elements at flat positions in each plane of the last `dims` dimensions."""
    lead = input.shape[: input.ndim - dims]
    # Not -1 for the planes: without any, nothing tells their size.
    planes = input.reshape(*lead, prod(input.shape[len(lead) :]))
    places = index.reshape(*lead, prod(index.shape[len(lead) :]))
    flat = xp.take_along_axis(planes, places, -1)
    return flat.reshape(index.shape)


@primitive(input=lambda g, index, dims: pick(g, index, dims=dims))
def unpick(xp: Any, input: Any, index: Any, *, size: Sizes, dims: int) -> Any:
    """The transpose of `pick`: planes of zeros with the elements added at flat positions."""
    return kernels.place(xp, input, index, size, dims)


@primitive(
    input=lambda g, shape, kernel, stride, padding, divisor: mean_windows_grad(
        g,
        size=shape[len(shape) - len(kernel) :],
        kernel=kernel,
        stride=stride,
        padding=padding,
        divisor=divisor,
    )
)
def mean_windows(
    xp: Any,
    input: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    count: Sizes,
    divisor: Divisor,
) -> Any:
    """The sum of each window over a divisor, one for all or one for each window."""
    dtype = input.dtype
    input = kernels.in_single(xp, input)
    total = kernels.window_sum(xp, input, kernel, stride, padding, count)
    if dtype.kind in "iu":
        # Integers are divided towards zero, as in torch.
        by = _divisor(xp, divisor, dtype)
        return (xp.sign(total) * xp.sign(by) * (abs(total) // abs(by))).astype(dtype, copy=False)
    total /= _divisor(xp, divisor, total.dtype)
    return total.astype(dtype, copy=False)


@primitive(
    input=lambda g, shape, kernel, stride, padding, divisor: mean_windows(
        g,
        kernel=kernel,
        stride=stride,
        padding=padding,
        count=shape[len(shape) - len(kernel) :],
        divisor=divisor,
    )
)
def mean_windows_grad(
    xp: Any,
    input: Any,
    *,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    divisor: Divisor,
) -> Any:
    """The transpose of `mean_windows`: each cotangent's share in all cells of its window."""
    share = input / _divisor(xp, divisor, input.dtype)
    return kernels.window_spread(xp, share, size, kernel, stride, padding)


def _divisor(xp: Any, divisor: Divisor, dtype: Any) -> Any:
    """The number that each window's sum is divided by, as a number or an array over windows."""
    if isinstance(divisor, int):
        return xp.asarray(divisor, dtype)
    result = xp.ones((), dtype)
    for counts in divisor:
        result = result[..., None] * xp.asarray(counts, dtype)
    return result


def _counts(
    operation: str,
    input: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Sizes:
    """How many windows there are in each dimension."""
    sizes = tuple(input.shape[2:])
    counts = []
    for n, k, step, pad, gap in zip(sizes, kernel, stride, padding, dilation):
        span = gap * (k - 1) + 1
        if pad > span // 2:
            raise ArgumentError(
                f"{operation}(): argument 'padding' must be at most half the window, got padding "
                f"{padding} and kernel_size {kernel}"
            )
        count = (n + 2 * pad - span + (step - 1 if ceil_mode else 0)) // step + 1
        if ceil_mode and (count - 1) * step >= n + pad:
            count -= 1
        if count < 1 or n < 1:
            raise ArgumentError(
                f"{operation}(): a window of kernel_size {kernel} does not fit into argument "
                f"'input' of sizes {sizes} with padding {padding}"
            )
        counts.append(count)
    return tuple(counts)


def _stride(operation: str, stride: Any, kernel: Sizes) -> Sizes:
    """The stride given; the kernel's size for None or, as in torch, an empty one."""
    if stride is None or stride == () or stride == []:
        return kernel
    return per_dimension(operation, "stride", stride, len(kernel), 1)


def _pool_max(
    operation: str,
    dims: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    kernel = per_dimension(operation, "kernel_size", kernel_size, dims, 1)
    steps = _stride(operation, stride, kernel)
    edges = per_dimension(operation, "padding", padding, dims, 0)
    gaps = per_dimension(operation, "dilation", dilation, dims, 1)
    if 0 in input.shape[1:]:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has no elements to pool"
        )
    count = _counts(operation, input, kernel, steps, edges, gaps, ceil_mode)
    out = _max_pool(input, kernel=kernel, stride=steps, padding=edges, dilation=gaps, count=count)
    result = out if had_batch else out[0]
    if not return_indices:
        return result
    index = max_pool_winners(input, out, kernel=kernel, stride=steps, padding=edges, dilation=gaps)
    return result, index if had_batch else index[0]


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, L) or (C, L); `stride` is the kernel's size.

    With `return_indices` also its position. The gradient goes to the first of equal elements.
    """
    return _pool_max(
        "max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, H, W) or (C, H, W).

    `stride` is the kernel's size unless given. With `return_indices` also its position in the
    flattened plane. The gradient goes to the first of equal elements.

    >>> import minigrad
    >>> minigrad.max_pool2d(minigrad.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 2)
    tensor([[[4.]]])
    """
    return _pool_max(
        "max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W).

    `stride` is the kernel's size unless given. With `return_indices` also its position in the
    flattened volume. The gradient goes to the first of equal elements.
    """
    return _pool_max(
        "max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices
    )


def _pool_mean(
    operation: str,
    dims: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    kernel = per_dimension(operation, "kernel_size", kernel_size, dims, 1)
    steps = _stride(operation, stride, kernel)
    edges = per_dimension(operation, "padding", padding, dims, 0)
    count = _counts(operation, input, kernel, steps, edges, (1,) * dims, ceil_mode)
    divisor: Divisor
    if divisor_override is not None:
        if divisor_override == 0:
            raise ArgumentError(f"{operation}(): argument 'divisor_override' must not be zero")
        divisor = divisor_override
    else:
        sizes = tuple(
            _window_sizes(n, k, step, pad, number, count_include_pad)
            for n, k, step, pad, number in zip(input.shape[2:], kernel, steps, edges, count)
        )
        same = all(len(set(counts)) == 1 for counts in sizes)
        divisor = prod(counts[0] for counts in sizes) if same else sizes
    out = mean_windows(
        input, kernel=kernel, stride=steps, padding=edges, count=count, divisor=divisor
    )
    return out if had_batch else out[0]


def _window_sizes(n: int, k: int, step: int, pad: int, count: int, with_pad: bool) -> Sizes:
    """How many cells each window of one dimension counts."""
    low, high = (-pad, n + pad) if with_pad else (0, n)
    starts = range(-pad, -pad + count * step, step)
    return tuple(min(start + k, n + pad, high) - max(start, low) for start in starts)


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of (N, C, L) or (C, L).

    `stride` is the kernel's size unless given.
    """
    return _pool_mean(
        "avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (N, C, H, W) or (C, H, W).

    `divisor_override` replaces the number of cells that a window's sum is divided by.
    """
    return _pool_mean(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W).

    `divisor_override` replaces the number of cells that a window's sum is divided by.
    """
    return _pool_mean(
        "avg_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )
