"""Pooling to a given size: windows that cover the input as evenly as they can."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError
from minigrad.graph import Traced, wrap
from minigrad.ops.pool import mean_windows, pick
from minigrad.ops.resample import adaptive_means, adaptive_windows, resample
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension, raw

__all__ = ["adaptive_avg_pool1d"]


def _adaptive_sizes(operation: str, input: Any, output_size: Any, dims: int) -> Sizes:
    """The output's sizes; None keeps the input's."""
    given = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * dims
    if len(given) == 1:
        given = tuple(given) * dims
    if len(given) != dims:
        raise ArgumentError(
            f"{operation}(): argument 'output_size' must be one size or {dims}, got {output_size}"
        )
    sizes = input.shape[2:]
    if 0 in input.shape[1:]:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has no elements to pool"
        )
    filled = tuple(n if size is None else size for size, n in zip(given, sizes))
    return per_dimension(operation, "output_size", filled, dims, 0)


def _adaptive_mean(operation: str, dims: int, input: Any, output_size: Any) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    out_sizes = _adaptive_sizes(operation, input, output_size, dims)
    sizes = tuple(input.shape[2:])
    if 0 not in out_sizes and not any(n % count for n, count in zip(sizes, out_sizes)):
        kernel = tuple(n // count for n, count in zip(sizes, out_sizes))
        out = mean_windows(
            input,
            kernel=kernel,
            stride=kernel,
            padding=(0,) * dims,
            count=out_sizes,
            divisor=prod(kernel),
        )
    else:
        out = input
        for dim, (n, count) in enumerate(zip(sizes, out_sizes), 2):
            out = resample(out, table=adaptive_means(n, count), dim=dim)
    return out if had_batch else out[0]


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover (N, C, L) or (C, L) evenly."""
    return _adaptive_mean("adaptive_avg_pool1d", 1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover (N, C, H, W) or (C, H, W) evenly.

    A size of None keeps the input's.
    """
    return _adaptive_mean("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of `output_size` windows that cover (N, C, D, H, W) or (C, D, H, W) evenly.

    A size of None keeps the input's.
    """
    return _adaptive_mean("adaptive_avg_pool3d", 3, input, output_size)


def _adaptive_max(
    operation: str, dims: int, input: Any, output_size: Any, return_indices: bool
) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    out_sizes = _adaptive_sizes(operation, input, output_size, dims)
    array = raw(input)
    index = _adaptive_winners(namespace(operation, input=array), array, out_sizes)
    out = pick(input, index, dims=dims)
    if not had_batch:
        out, index = out[0], index[0]
    if not return_indices:
        return out
    return out, wrap(input, index) if isinstance(input, Traced) else index


def _adaptive_winners(xp: Any, array: Any, counts: Sizes) -> Any:
    """The flat position of the largest element of each of windows of uneven sizes."""
    dims = len(counts)
    sizes = array.shape[array.ndim - dims :]
    tables = []
    for axis, (n, count) in enumerate(zip(sizes, counts)):
        spans = adaptive_windows(n, count)
        width = max((stop - start for start, stop in spans), default=1)
        # A shorter window repeats its last cell, which changes neither its largest nor the first.
        rows = [[min(at, stop - 1) for at in range(start, start + width)] for start, stop in spans]
        shape = [1] * (2 * dims)
        shape[axis], shape[dims + axis] = count, width
        tables.append(xp.asarray(rows, dtype=xp.int64).reshape(shape))
    flat = xp.zeros((1,) * (2 * dims), xp.int64)
    for table, n in zip(tables, sizes):
        flat = flat * n + table
    flat = flat.reshape(*counts, -1)
    windows = array.reshape(*array.shape[: array.ndim - dims], -1)[..., flat]
    best = windows.argmax(-1)
    places = xp.broadcast_to(flat, windows.shape)
    return xp.take_along_axis(places, best[..., None], -1)[..., 0]


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` windows that cover (N, C, L) or (C, L) evenly."""
    return _adaptive_max("adaptive_max_pool1d", 1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, H, W) or (C, H, W) evenly."""
    return _adaptive_max("adaptive_max_pool2d", 2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of windows that cover (N, C, D, H, W) or (C, D, H, W) evenly."""
    return _adaptive_max("adaptive_max_pool3d", 3, input, output_size, return_indices)
