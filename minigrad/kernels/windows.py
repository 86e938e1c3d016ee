"""Where windows lie: views of them, how many fit, and which cells they meet."""

from __future__ import annotations

import functools
import itertools
from typing import Any

Sizes = tuple[int, ...]


def padded(xp: Any, array: Any, padding: Sizes, value: Any = 0, extra: Sizes = ()) -> Any:
    """The array with `padding` cells of `value` on both sides of its last dimensions.

    `extra` more are added behind.
    """
    extra = extra or (0,) * len(padding)
    if not any(padding) and not any(extra):
        return array
    lead = array.ndim - len(padding)
    sizes = array.shape[lead:]
    shape = array.shape[:lead] + tuple(
        size + 2 * pad + more for size, pad, more in zip(sizes, padding, extra)
    )
    out = xp.zeros(shape, array.dtype) if value == 0 else xp.full(shape, value, array.dtype)
    inner = tuple(slice(pad, pad + size) for size, pad in zip(sizes, padding))
    out[(..., *inner)] = array
    return out


def output_sizes(
    sizes: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Sizes:
    """How many windows fit in each dimension."""
    return tuple(
        (size + 2 * pad - dil * (k - 1) - 1) // step + 1
        for size, k, step, pad, dil in zip(sizes, kernel, stride, padding, dilation)
    )


def windows(xp: Any, array: Any, kernel: Sizes, out: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """A view of shape (..., *kernel, *out): the element at each place of each window."""
    lead = array.ndim - len(kernel)
    steps = array.strides[lead:]
    return xp.lib.stride_tricks.as_strided(
        array,
        array.shape[:lead] + kernel + out,
        array.strides[:lead]
        + tuple(step * dil for step, dil in zip(steps, dilation))
        + tuple(step * jump for step, jump in zip(steps, stride)),
    )


Overlap = tuple[tuple[slice, ...], tuple[slice, ...], Sizes]


@functools.lru_cache(maxsize=512)
def overlaps(
    size: Sizes, kernel: Sizes, out: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> tuple[Overlap, ...]:
    """For each place in the kernel: the cells it meets, and the windows that meet them there.

    Each is (slices of the array, slices of the windows, place in the kernel).
    """
    found = []
    for place in itertools.product(*map(range, kernel)):
        cells, met = [], []
        for n, at, count, step, pad, dil in zip(size, place, out, stride, padding, dilation):
            start = at * dil - pad
            first = max(0, -(start // step))
            last = min(count, (n - 1 - start) // step + 1)
            if last <= first:
                break
            cells.append(slice(start + first * step, start + (last - 1) * step + 1, step))
            met.append(slice(first, last))
        else:
            found.append((tuple(cells), tuple(met), place))
    return tuple(found)
