"""Convolution with many filters: a register holds what one window gives for many of them.

Padded images are held as lines of numbers, as in `lines`, but a number is met by a row of weights,
one for each filter. So windows may begin anywhere and nothing but windows is summed: neither the
gaps between their rows nor, where they move by more than one, the cells between.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import Any

import numpy

from minigrad.backend import lanes as threads
from minigrad.kernels.compiled.abreast_loops import NARROW, WIDE, correlate, meet
from minigrad.kernels.compiled.lines import (
    LONG,
    TOTALS,
    Call,
    Layout,
    Places,
    bands_of,
    places_of,
    shares_of,
    transposed,
)
from minigrad.kernels.compiled.registers import MANY, REGISTER
from minigrad.kernels.compiled.workers import LEAST, PIECES

Sizes = tuple[int, ...]


WASTE = 4 / 3
"""Panels have at most so many times as many filters as there are, or windows are not met so."""


def _panels(filters: int, itemsize: int) -> tuple[int, int, int]:
    """How many panels filters take, of how many each, and how many windows are met at a time."""
    points, vectors = NARROW
    across = vectors * REGISTER // itemsize
    panels = -(-filters // across)
    if MANY and panels % 2 == 0:
        points, vectors = WIDE
        across = vectors * REGISTER // itemsize
        panels //= 2
    return panels, across, points


def takes(filters: int, itemsize: int) -> bool:
    """Whether so many filters of a group fill registers."""
    panels, across, _ = _panels(filters, itemsize)
    return panels * across <= WASTE * filters


@lru_cache(maxsize=128)
def planned(
    batch: int,
    sizes: Sizes,
    channels: int,
    stride: Sizes,
    padding: Sizes,
    places: Places,
    count: Sizes,
    corner: Sizes,
    step: Sizes,
    channel: Sizes,
    filters: int,
    limit: int,
) -> tuple[list[slice], list[tuple[Any, ...]]]:
    """How a batch is cut into at most so many parts, and for each band of its images what the loops
    are told of its lines; results of `filters` channels of sizes `channel` lie from `corner` by
    `step`.
    """
    parts = max(1, min(batch, limit, batch * prod(count) // LONG))
    ranges = [slice(batch * i // parts, batch * (i + 1) // parts) for i in range(parts)]
    # All cells are kept, wherever windows begin.
    whole = Places(
        tuple(
            tuple((0, phase + steps * by) for phase, steps in axis)
            for axis, by in zip(places.axes, stride)
        )
    )
    found = []
    for first, many in bands_of(sizes, channels, stride, count):
        edges = tuple(p - at * s for p, at, s in zip(padding, first, stride))
        reach = tuple((n - 1) * s + 1 for n, s in zip(many, stride))
        layout = Layout(sizes, channels, (1, 1, 1), edges, whole, reach)
        together = layout.together(ranges[-1].stop - ranges[-1].start)
        begin = tuple(c + at * s for c, at, s in zip(corner, first, step))
        cells = _numbers(many, (0, 0, 0), stride, layout.pitch, together, layout.cell)
        targets = _numbers(many, begin, step, channel, together, filters * prod(channel))
        told = layout.described(together)
        # The last windows, or places, may share a tile with some that are not there.
        most = max(WIDE[0], NARROW[0])
        spare = numpy.full(most, cells[-1])
        offsets = layout.offsets(together, most)
        found.append((*told, offsets, numpy.append(cells, spare), targets, prod(many)))
    return ranges, found


def _numbers(count: Sizes, first: Sizes, step: Sizes, sizes: Sizes, images: int, jump: int) -> Any:
    """The numbers of cells of volumes of `sizes`, `jump` apart: `count` from `first` by `step`."""
    found = numpy.arange(images).reshape(-1, 1, 1, 1) * jump
    for axis, (many, start, by) in enumerate(zip(count, first, step)):
        along = (numpy.arange(many) * by + start) * prod(sizes[axis + 1 :])
        found = found + along.reshape(-1, *(1,) * (2 - axis))
    return found.reshape(-1)


def _packed(w: Any, shift: Any) -> tuple[Any, Any]:
    """Weights (groups, filters, places) and biases (groups, filters) panel by panel."""
    groups, filters, places = w.shape
    panels, across, _ = _panels(filters, w.itemsize)
    weights = numpy.zeros((groups, panels, places, across), w.dtype)
    biases = numpy.zeros((groups, panels * across), w.dtype)
    if shift is not None:
        biases[:, :filters] = shift.reshape(groups, filters)
    full = filters // across
    part = w[:, : full * across].reshape(groups, full, across, places)
    weights[:, :full] = part.swapaxes(2, 3)
    if full < panels:
        weights[:, full, :, : filters - full * across] = w[:, full * across :].swapaxes(1, 2)
    return weights, biases.reshape(groups, panels, across)


def _correlate(x: Any, calls: list[Call], shift: Any, result: Any) -> None:
    """Run the calls over all images, on all cores."""
    batch, sizes = len(x), x.shape[2:]
    tasks = []
    work = 0
    for call in calls:
        groups, filters, depth = call.w.shape
        weights, biases = _packed(call.w, shift)
        products = batch * groups * filters * depth * prod(call.count)
        work += products
        shape = (batch, sizes, x.shape[1] // groups, call.stride, call.padding, call.places)
        end = (call.count, call.corner, call.step, result.shape[2:], groups * filters)
        ranges, bands = planned(*shape, *end, PIECES)
        parts = PIECES // (len(ranges) * len(bands)) if products >= LEAST else 1
        shares = shares_of(weights.shape[1], parts, 1)
        for filled in bands:
            told = (*filled, weights, biases)
            tasks += [(images, told, share) for images in ranges for share in shares]

    def task(number: int) -> None:
        images, told, share = tasks[number]
        correlate(x[images], *told, share, result[images])

    threads.run(task, len(tasks), threads.lanes(work, LEAST))


def convolve(
    input: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    out: Sizes,
) -> Any:
    """Cross-correlate images (N, C, D, H, W) with filters (O, C / groups, KD, KH, KW)."""
    filters, kernel = len(weight), weight.shape[2:]
    w = weight.reshape(groups, filters // groups, -1)
    result = numpy.empty((len(input), filters, *out), input.dtype)
    places = places_of(kernel, stride, dilation)
    call = Call(w, stride, padding, places, out, (0, 0, 0), (1, 1, 1))
    _correlate(input, [call], bias, result)
    return result


def input_grad(
    grad: Any,
    weight: Any,
    bias: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its input."""
    result = numpy.empty((len(grad), weight.shape[1] * groups, *size), grad.dtype)
    calls = transposed(weight, bias, stride, padding, dilation, groups, result)
    _correlate(grad, calls, bias, result)
    return result


def weight_grad(
    grad: Any,
    input: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its weight."""
    batch, filters = grad.shape[0], grad.shape[1] // groups
    channels, sizes, out = input.shape[1] // groups, input.shape[2:], grad.shape[2:]
    depth = channels * prod(size)
    places = places_of(size, stride, dilation)
    work = batch * groups * filters * depth * prod(out)
    panels, across, points = _panels(filters, grad.itemsize)
    rows = -(-depth // points) * points
    most = max(1, min(PIECES, TOTALS // (groups * panels * rows * across)))
    end = (out, (0, 0, 0), (1, 1, 1), out, grad.shape[1], most)
    ranges, bands = planned(batch, sizes, channels, stride, padding, places, *end)
    shares = shares_of(panels, PIECES // len(ranges) if work >= LEAST else 1, 1)
    totals = numpy.zeros((len(ranges), groups, panels, rows, across), grad.dtype)

    def task(number: int) -> None:
        part, share = divmod(number, len(shares))
        images = ranges[part]
        # All parts of an image are met by one task, so that they add to the same sums.
        for filled in bands:
            meet(input[images], *filled, grad[images], shares[share], totals[part])

    threads.run(task, len(ranges) * len(shares), threads.lanes(work, LEAST))
    total = sum(totals[1:], totals[0]).swapaxes(2, 3)
    result = total.reshape(groups, panels * across, rows)[:, :filters, :depth]
    return result.reshape(groups * filters, channels, *size)
