"""Fractional max pooling: the largest elements of windows whose places are drawn at random.

Source: Graham, "Fractional Max-Pooling", 2014 (the pseudorandom, overlapping kind).
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.pool import pick
from minigrad.ops.promotion import require_floating
from minigrad.ops.random import rand
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension, same_dtype

__all__: list[str] = []


def fractional_max_pool2d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest elements of windows at drawn places of (N, C, H, W) or (C, H, W).

    The output's sizes are `output_size`, or `output_ratio` (in (0, 1)) of the input's: give one.
    With `return_indices` also the positions in the flattened plane.

    Raises ArgumentError for sizes that do not fit.
    """
    return _pool(
        "fractional_max_pool2d", 2, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples,
    )  # fmt: skip


def fractional_max_pool3d(
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    """The largest elements of windows at drawn places of (N, C, D, H, W) or (C, D, H, W).

    As `fractional_max_pool2d`, with one more dimension.
    """
    return _pool(
        "fractional_max_pool3d", 3, input, kernel_size, output_size, output_ratio, return_indices,
        _random_samples,
    )  # fmt: skip


def check_outputs(
    operation: str, dims: int, output_size: Any, output_ratio: Any
) -> tuple[Sizes | None, tuple[float, ...] | None]:
    """The sizes or the ratios, one for each dimension; raises ArgumentError unless one is given."""
    if (output_size is None) == (output_ratio is None):
        raise ArgumentError(
            f"{operation}(): give either argument 'output_size' or argument 'output_ratio', and "
            f"only one"
        )
    if output_size is not None:
        return per_dimension(operation, "output_size", output_size, dims, 1), None
    several = isinstance(output_ratio, (tuple, list))
    ratios = tuple(output_ratio) if several else (output_ratio,) * dims
    if len(ratios) != dims or not all(0 < ratio < 1 for ratio in ratios):
        raise ArgumentError(
            f"{operation}(): argument 'output_ratio' must be one number or {dims}, between 0 and 1 "
            f"(both excluded), got {output_ratio}"
        )
    return None, ratios


def _pool(
    operation: str,
    dims: int,
    input: Any,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Any,
) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    require_floating(operation, "input", input)
    sizes = tuple(input.shape[2:])
    kernel = per_dimension(operation, "kernel_size", kernel_size, dims, 1)
    given, ratios = check_outputs(operation, dims, output_size, output_ratio)
    wanted = given or tuple(int(n * ratio) for n, ratio in zip(sizes, ratios or ()))
    if 0 in input.shape[1:]:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has no elements to pool"
        )
    for n, k, m in zip(sizes, kernel, wanted):
        if m + k - 1 > n or m < 1:
            raise ArgumentError(
                f"{operation}(): {m} windows of kernel_size {kernel} do not fit into argument "
                f"'input' of sizes {sizes}; output plus kernel_size may be at most {n + 1} there"
            )
    lead = tuple(input.shape[:2])
    if samples is None:
        samples = rand(*lead, dims, dtype=input.dtype, device=input.device)
    same_dtype(operation, input, _random_samples=samples)
    if samples.ndim != 3 or samples.shape[0] < lead[0] or samples.shape[1:] != (lead[1], dims):
        raise ArgumentError(
            f"{operation}(): argument '_random_samples' must have shape {[*lead, dims]}, or more "
            f"for a larger batch, got {list(samples.shape)}"
        )
    samples = samples[: lead[0]]
    index = drawn_winners(input, samples, kernel=kernel, wanted=wanted)
    out = pick(input, index, dims=dims)
    if not had_batch:
        out, index = out[0], index[0]
    return (out, index) if return_indices else out


def _starts(xp: Any, drawn: Any, size: int, count: int, window: int) -> Any:
    """Where the windows of one dimension begin, for each of the numbers drawn: [..., count]."""
    last = xp.full((*drawn.shape, 1), size - window, xp.int64)
    if count == 1:
        return last
    drawn = drawn[..., None]
    # In the input's own precision, as torch rounds them.
    alpha = xp.asarray((size - window) / (count - 1), drawn.dtype)
    steps = xp.arange(count - 1).astype(drawn.dtype)
    first = ((steps + drawn) * alpha).astype(xp.int64) - (drawn * alpha).astype(xp.int64)
    return xp.concatenate([first, last], -1)


@primitive()
def drawn_winners(xp: Any, input: Any, samples: Any, *, kernel: Sizes, wanted: Sizes) -> Any:
    """The position in its flattened plane of the largest element of each window drawn."""
    dims = len(kernel)
    lead, sizes = input.shape[:2], input.shape[2:]
    place = xp.zeros((1,) * (2 + 2 * dims), xp.int64)
    for dim, (size, window, count) in enumerate(zip(sizes, kernel, wanted)):
        # Torch draws for the width first in two dimensions, for the depth first in three.
        column = dims - 1 - dim if dims == 2 else dim
        starts = _starts(xp, samples[..., column], size, count, window)
        cells = starts[..., None] + xp.arange(window)
        shape = [1] * (2 * dims)
        shape[dim], shape[dims + dim] = count, window
        place = place * size + cells.reshape(*lead, *shape)
    windows = place.reshape(*lead, *wanted, prod(kernel))
    flat = windows.reshape(*lead, -1) if windows.size else windows.reshape(*lead, 0)
    plane = input.reshape(*lead, prod(sizes))
    values = xp.take_along_axis(plane, flat, -1).reshape(windows.shape)
    best = values.argmax(-1)[..., None]
    return xp.take_along_axis(windows, best, -1)[..., 0]
