"""Convolution without unrolled windows: each place in the kernel shifts a whole image.

Padded images are held as one line of numbers; where windows move by more than one, each of the
cells between is a plane of its own in it. Then each place in the kernel meets all windows in one
run from its offset on, if the gaps between the rows of windows are carried along: sums of shifted
runs are all there is to do. The zeros after a row are those before the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from math import prod
from typing import Any

import numpy

from minigrad.backend import lanes as threads
from minigrad.kernels.compiled.line_loops import (
    FEW,
    HALF,
    PLACES,
    SLACK,
    SOME,
    WIDE,
    correlate,
    meet,
)
from minigrad.kernels.compiled.tiles import room
from minigrad.kernels.compiled.workers import LEAST, PIECES

Sizes = tuple[int, ...]

HELD = 1 << 16
"""About how many numbers the lines of a group hold: what a core's own cache does."""

LONG = 512
"""So many windows fill a few tiles: less is wasted at the end of a run."""

TOTALS = 1 << 21
"""About how many numbers the sums of all parts of a batch may take."""

BANDS = 1 << 19
"""Images whose lines are longer than this are cut."""


@dataclass(frozen=True)
class Places:
    """Where the places of a kernel are in a line: for each axis, (phase, steps) of each."""

    axes: tuple[tuple[tuple[int, int], ...], ...]

    def last(self, axis: int) -> int:
        """How many steps the furthest place is away."""
        return max(steps for _, steps in self.axes[axis])


def places_of(kernel: Sizes, stride: Sizes, dilation: Sizes) -> Places:
    """The places of a kernel whose windows move by `stride`."""
    return Places(
        tuple(
            tuple((at * gap % step, at * gap // step) for at in range(k))
            for k, step, gap in zip(kernel, stride, dilation)
        )
    )


class Layout:
    """How images of `sizes` are held as lines for `count` windows in each dimension."""

    def __init__(
        self,
        sizes: Sizes,
        channels: int,
        stride: Sizes,
        padding: Sizes,
        places: Places,
        count: Sizes,
    ) -> None:
        self.stride = stride
        self.padding = padding
        self.count = count
        self.channels = channels
        used = [sorted({phase for phase, _ in axis}) for axis in places.axes]
        self.phases = numpy.array(list(product(*used)))
        pitch = []
        for axis, (size, step, pad, many) in enumerate(zip(sizes, stride, padding, count)):
            reach = many + places.last(axis)
            low = max(0, min(-((phase - pad) // step) for phase in used[axis]))
            high = max((size - 1 - phase + pad) // step + 1 for phase in used[axis])
            pitch.append(max(many, min(reach, high), reach - low))
        self.pitch = tuple(pitch)
        self.cell = prod(pitch)
        self.places = places

    def steps(self, axis: int) -> int:
        """How far apart neighbours in a dimension are in a line."""
        return prod(self.pitch[axis + 1 :])

    def plane(self, together: int) -> int:
        """The numbers of a plane that holds so many images, and what may be read beyond them."""
        beyond = sum(self.places.last(axis) * self.steps(axis) for axis in range(3))
        return together * self.cell + beyond + SLACK

    def together(self, batch: int) -> int:
        """How many images are held at a time: what a cache holds, but enough for a long run."""
        many = HELD // (self.channels * len(self.phases) * self.cell)
        many = max(1, min(batch, max(many, LONG // self.cell)))
        return -(-batch // -(-batch // many))

    def ranges(self, batch: int, most: int) -> list[slice]:
        """Images cut into parts, none of which gives but a short run."""
        count = max(1, min(batch, most, batch * self.cell // LONG))
        edges = [batch * i // count for i in range(count + 1)]
        return [slice(start, stop) for start, stop in pairwise(edges)]

    def offsets(self, together: int, spare: int) -> Any:
        """Where the run of each channel's places starts; the last is repeated `spare` times."""
        plane = self.plane(together)
        numbers = {tuple(phase): number for number, phase in enumerate(self.phases.tolist())}
        inside = [
            numbers[tuple(phase for phase, _ in place)] * plane
            + sum(steps * self.steps(axis) for axis, (_, steps) in enumerate(place))
            for place in product(*self.places.axes)
        ]
        starts = numpy.arange(self.channels)[:, None] * (len(self.phases) * plane)
        found = (starts + numpy.array(inside)).reshape(-1)
        return numpy.concatenate([found, numpy.full(spare, found[-1])])

    def described(self, together: int) -> tuple[Any, ...]:
        """What the loops are told of it."""
        return (self.stride, self.padding, self.phases, self.pitch, self.plane(together), together)


def bands_of(sizes: Sizes, channels: int, stride: Sizes, count: Sizes) -> list[tuple[Sizes, Sizes]]:
    """The windows of an image, cut where its lines would be long: (first, count) of each part."""
    axis = next((axis for axis in range(3) if count[axis] > 1), 2)
    number = min(count[axis], -(-channels * prod(sizes) // BANDS))
    edges = [count[axis] * i // number for i in range(number + 1)]
    bands = []
    for start, stop in pairwise(edges):
        first = tuple(start if other == axis else 0 for other in range(3))
        many = tuple(stop - start if other == axis else count[other] for other in range(3))
        bands.append((first, many))
    return bands


@lru_cache(maxsize=128)
def planned(
    batch: int,
    sizes: Sizes,
    channels: int,
    stride: Sizes,
    padding: Sizes,
    places: Places,
    count: Sizes,
    spare: int,
    most: int = PIECES,
) -> tuple[list[slice], list[tuple[Sizes, Sizes, tuple[Any, ...]]]]:
    """How a batch is cut into at most so many parts, and for each band of its images the first
    window, how many there are, and what the loops are told of its lines.
    """
    ranges: list[slice] = []
    found = []
    for first, many in bands_of(sizes, channels, stride, count):
        edges = tuple(p - at * s for p, at, s in zip(padding, first, stride))
        layout = Layout(sizes, channels, stride, edges, places, many)
        ranges = ranges or layout.ranges(batch, most)
        together = layout.together(ranges[-1].stop - ranges[-1].start)
        offsets = layout.offsets(together, spare)
        found.append((first, many, (*layout.described(together), offsets)))
    return ranges, found


def shares_of(filters: int, parts: int, unit: int) -> list[tuple[int, int]]:
    """Filters cut into parts of whole units."""
    units = -(-filters // unit)
    parts = max(1, min(parts, units))
    edges = [min(filters, units * i // parts * unit) for i in range(parts + 1)]
    return list(pairwise(edges))


@lru_cache(maxsize=128)
def panels(filters: int) -> Any:
    """Filters in panels that are met together: rows (first, number, width, slot)."""
    found = []
    first = slot = 0
    while first < filters:
        left = filters - first
        width = WIDE if left > HALF + 1 else HALF if left > 1 else 1
        found.append((first, min(width, left), width, slot))
        first += width
        slot += width
    return numpy.array(found)


def packed(w: Any, shift: Any, table: Any) -> tuple[Any, Any]:
    """Weights (groups, filters, places) and biases (groups, filters) panel by panel."""
    groups, filters, places = w.shape
    slots = int(table[-1, 2] + table[-1, 3])
    weights = numpy.zeros((groups, slots * places), w.dtype)
    biases = numpy.zeros((groups, slots), w.dtype)
    if shift is not None:
        biases[:, :filters] = shift.reshape(groups, filters)
    for width in (WIDE, HALF, 1):
        rows = table[table[:, 2] == width]
        full = rows[rows[:, 1] == width]
        if len(full):
            start, stop = full[0, 0], full[-1, 0] + width
            part = w[:, start:stop].reshape(groups, len(full), width, places).swapaxes(2, 3)
            at = full[0, 3] * places
            target = weights[:, at : at + (stop - start) * places]
            target.reshape(groups, len(full), places, width)[...] = part
        for first, number, _, slot in rows[rows[:, 1] < width]:
            target = weights[:, slot * places : (slot + width) * places]
            part = w[:, first : first + number].swapaxes(1, 2)
            target.reshape(groups, places, width)[..., :number] = part
    return weights, biases


@dataclass(frozen=True)
class Call:
    """Filters (groups, filters, channels * places) that meet windows from `first` on."""

    w: Any
    stride: Sizes
    padding: Sizes
    places: Places
    count: Sizes
    corner: Sizes
    step: Sizes


def _correlate(x: Any, calls: list[Call], shift: Any, result: Any) -> None:
    """Run the calls over all images, on all cores."""
    batch, sizes = len(x), x.shape[2:]
    tasks = []
    work = 0
    for call in calls:
        groups, filters, depth = call.w.shape
        channels = x.shape[1] // groups
        table = panels(filters)
        weights, biases = packed(call.w, shift, table)
        products = batch * groups * filters * depth * prod(call.count)
        work += products
        shape = (batch, sizes, channels, call.stride, call.padding, call.places, call.count)
        ranges, bands = planned(*shape, spare=16)
        parts = PIECES // (len(ranges) * len(bands)) if products >= LEAST else 1
        shares = shares_of(len(table), parts, 1)
        for first, count, filled in bands:
            corner = tuple(c + at * s for c, at, s in zip(call.corner, first, call.step))
            told = (*filled, weights, biases, table)
            end = (count, corner, call.step)
            tasks += [(images, told, share, end) for images in ranges for share in shares]

    def task(number: int) -> None:
        images, told, share, end = tasks[number]
        correlate(x[images], *told, share, *end, result[images])

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


def transposed(
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    result: Any,
) -> list[Call]:
    """What gives the input's gradient: for each cell between strides a convolution.

    Cells of `result` that no window meets are filled here.
    """
    filters, channels, size = len(weight), result.shape[1], result.shape[2:]
    kernel = weight.shape[2:]
    # For each axis and each remainder: which places meet cells there, and from which window on.
    axes = [
        [
            [
                (at, (rest + pad - at * gap) // step)
                for at in reversed(range(k))
                if (rest + pad - at * gap) % step == 0
            ]
            for rest in range(min(step, n))
        ]
        for k, step, pad, gap, n in zip(kernel, stride, padding, dilation, size)
    ]
    turned = weight.reshape(groups, filters // groups, -1, *kernel).swapaxes(1, 2)
    calls = []
    for met in product(*map(enumerate, axes)):
        corner = tuple(rest for rest, _ in met)
        count = tuple((n - at - 1) // step + 1 for n, at, step in zip(size, corner, stride))
        chosen = [places for _, places in met]
        if not all(chosen):
            between = tuple(slice(at, None, step) for at, step in zip(corner, stride))
            shift = 0 if bias is None else bias.reshape(-1, 1, 1, 1)
            result[(slice(None), slice(None), *between)] = shift
            continue
        starts = [places[0][1] for places in chosen]
        where = Places(
            tuple(
                tuple((0, start - least) for _, start in places)
                for places, least in zip(chosen, starts)
            )
        )
        w = turned[(..., *(_turned([at for at, _ in places]) for places in chosen))]
        w = w.reshape(groups, channels // groups, -1)
        edges = tuple(-start for start in starts)
        calls.append(Call(w, (1, 1, 1), edges, where, count, corner, stride))
    return calls


def _turned(places: list[int]) -> slice:
    """Places that follow each other at equal distances, the last first, as a slice."""
    step = places[1] - places[0] if len(places) > 1 else -1
    return slice(places[0], places[-1] - 1 if places[-1] else None, step)


def weight_grad(
    grad: Any,
    input: Any,
    size: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The transpose of `convolve` in its weight; None where a result is not finite."""
    batch, filters = grad.shape[0], grad.shape[1] // groups
    channels, sizes, out = input.shape[1] // groups, input.shape[2:], grad.shape[2:]
    depth = channels * prod(size)
    places = places_of(size, stride, dilation)
    work = batch * groups * filters * depth * prod(out)
    few, some = (1, PLACES) if filters == 1 else (FEW, SOME)
    tiles = -(-depth // some)
    shape = (batch, sizes, channels, stride, padding, places, out)
    taken = room(few, some, grad.itemsize)
    sums = groups * -(-filters // few) * tiles * taken
    most = max(1, min(PIECES, TOTALS // sums))
    ranges, bands = planned(*shape, spare=tiles * some - depth, most=most)
    shares = shares_of(filters, PIECES // len(ranges) if work >= LEAST else 1, FEW)
    totals = numpy.zeros((len(ranges), groups, -(-filters // few), tiles, taken), grad.dtype)

    def task(number: int) -> None:
        part, share = divmod(number, len(shares))
        images = ranges[part]
        # All parts of an image are met by one task, so that they add to the same sums.
        for first, count, filled in bands:
            meet(input[images], *filled, grad[images], first, count, shares[share], totals[part])

    threads.run(task, len(ranges) * len(shares), threads.lanes(work, LEAST))
    total = sum(totals[1:], totals[0])[..., : few * some]
    total = total.reshape(groups, -1, tiles, few, some).swapaxes(2, 3)
    result = total.reshape(groups, -1, tiles * some)[:, :filters, :depth]
    result = result.reshape(groups * filters, channels, *size)
    # In the gaps zeros meet numbers, which are not to be infinite.
    return result if numpy.isfinite(result).all() else None
