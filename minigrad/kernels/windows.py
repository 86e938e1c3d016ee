"""Where windows lie: views of them, how many fit, and which cells they meet."""

from __future__ import annotations

import functools
import itertools
from math import prod
from typing import Any

Sizes = tuple[int, ...]


def in_single(xp: Any, array: Any) -> Any:
    """The array in the dtype that it is computed with: half precision is computed in single."""
    return array.astype(xp.float32) if array.dtype.char == "e" else array


def padded(xp: Any, array: Any, padding: Sizes) -> Any:
    """The array with `padding` zeros on both sides of its last dimensions."""
    if not any(padding):
        return array
    lead = array.ndim - len(padding)
    sizes = array.shape[lead:]
    shape = tuple(size + 2 * pad for size, pad in zip(sizes, padding))
    out = xp.zeros((*array.shape[:lead], *shape), array.dtype)
    out[(..., *(slice(pad, pad + size) for size, pad in zip(sizes, padding)))] = array
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


class Lines:
    """Windows that move by one cell, each image seen as one line of numbers.

    In the line of a padded image, each place in the kernel meets all windows in one run, if the
    gaps between the rows of windows are carried along. A long run costs much less than many short
    rows. `length` is a line of windows with its gaps, `run` that without the last gap.
    """

    def __init__(
        self, size: Sizes, kernel: Sizes, out: Sizes, padding: Sizes, dilation: Sizes
    ) -> None:
        self.kernel = kernel
        self.out = out
        self.sizes = tuple(n + 2 * pad for n, pad in zip(size, padding))
        self.cells = prod(self.sizes)
        self.steps = tuple(prod(self.sizes[axis + 1 :]) for axis in range(len(size)))
        self.jumps = tuple(gap * step for gap, step in zip(dilation, self.steps))
        self.run = sum((count - 1) * step for count, step in zip(out, self.steps)) + 1
        self.length = out[0] * self.steps[0]
        self.rows = (out[0], *self.sizes[1:])
        self.corner = tuple(slice(0, count) for count in out)
        self.inner = tuple(slice(pad, pad + n) for n, pad in zip(size, padding))

    def shifts(self) -> list[tuple[Sizes, int]]:
        """Each place in the kernel, and where in the image's line its run starts."""
        return [
            (place, sum(at * jump for at, jump in zip(place, self.jumps)))
            for place in itertools.product(*map(range, self.kernel))
        ]
