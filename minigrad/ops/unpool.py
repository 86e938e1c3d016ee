"""Max pooling undone: values written back to the places that they came from."""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.creation import zeros
from minigrad.ops.promotion import require_floating
from minigrad.ops.scatter import scatter
from minigrad.ops.shape import reshape
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension, raw

__all__: list[str] = []


def max_unpool1d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Zeros with the maxima of `max_pool1d` where its `indices` say; (N, C, L) or (C, L).

    `output_size` decides among the lengths that pool to the input's; by default the shortest.
    """
    return _unpool("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Zeros with the maxima of `max_pool2d` where its `indices` say; (N, C, H, W) or (C, H, W).

    `output_size` decides among the sizes that pool to the input's; by default the smallest.

    >>> import minigrad
    >>> image = minigrad.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    >>> values, places = minigrad.max_pool2d(image, 2, return_indices=True)
    >>> minigrad.nn.functional.max_unpool2d(values, places, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    return _unpool("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    output_size: Any = None,
) -> Any:
    """Zeros with the maxima of `max_pool3d` where its `indices` say; (N, C, D, H, W) or (C, ...).

    `output_size` decides among the sizes that pool to the input's; by default the smallest.
    """
    return _unpool("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)


def _unpool(
    operation: str,
    dims: int,
    input: Any,
    indices: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    output_size: Any,
) -> Any:
    input, had_batch = batched(operation, input, dims, LAYOUTS[dims])
    places = raw(indices)
    if not hasattr(places, "dtype") or places.dtype.name != "int64":
        raise DtypeError(
            f"{operation}(): argument 'indices' must be int64, as max_pool{dims}d(..., "
            f"return_indices=True) gives them, got {getattr(places, 'dtype', type(places))}"
        )
    places = places if had_batch else places[None]
    if places.shape != tuple(input.shape):
        raise ArgumentError(
            f"{operation}(): argument 'indices' must have the shape {list(input.shape)} of "
            f"argument 'input', got {list(places.shape)}"
        )
    require_floating(operation, "input", input)
    if 0 in input.shape[1:]:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has no elements"
        )
    kernel = per_dimension(operation, "kernel_size", kernel_size, dims, 1)
    steps = kernel if stride is None else per_dimension(operation, "stride", stride, dims, 1)
    edges = per_dimension(operation, "padding", padding, dims, 0)
    size = _output_size(operation, tuple(input.shape[2:]), kernel, steps, edges, output_size)
    if bool(((places < 0) | (places >= prod(size))).any()):
        raise ArgumentError(
            f"{operation}(): argument 'indices' names places outside of an output of {size}; its "
            f"numbers must be from 0 to {prod(size) - 1}"
        )
    lead = tuple(input.shape[:2])
    empty = zeros((*lead, prod(size)), dtype=input.dtype, device=input.device)
    flat = reshape(input, (*lead, -1)) if input.numel() else reshape(input, (*lead, 0))
    out = scatter(empty, 2, places.reshape(flat.shape), flat)
    out = reshape(out, (*lead, *size))
    return out if had_batch else out[0]


def _output_size(
    operation: str,
    sizes: Sizes,
    kernel: Sizes,
    steps: Sizes,
    edges: Sizes,
    output_size: Any,
) -> Sizes:
    """The sizes asked for, or the smallest that pool to the input's."""
    least = tuple((n - 1) * t + k - 2 * p for n, t, k, p in zip(sizes, steps, kernel, edges))
    if output_size is None:
        return least
    dims = len(sizes)
    given = tuple(output_size)
    if len(given) == dims + 2:
        given = given[2:]
    if len(given) != dims:
        raise ArgumentError(
            f"{operation}(): argument 'output_size' must have {dims} or {dims + 2} numbers, got "
            f"{list(output_size)}"
        )
    for n, wanted, step in zip(given, least, steps):
        if not wanted - step < n < wanted + step:
            raise ArgumentError(
                f"{operation}(): argument 'output_size' must be between "
                f"{[w - t for w, t in zip(least, steps)]} and "
                f"{[w + t for w, t in zip(least, steps)]} (both excluded), got {list(given)}"
            )
    return given
