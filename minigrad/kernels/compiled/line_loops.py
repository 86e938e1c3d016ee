"""The loops of `lines`: images laid out as lines, and sums and products of shifted runs."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.registers import MANY, REGISTER, move, move_apart
from minigrad.kernels.compiled.tiles import products, sums

WIDE, HALF = (8, 4) if MANY else (4, 2)
"""How many filters share what is read of a line: most, and some."""

LONG, LONGER = 3, 6
"""How many registers long a tile is: of several filters, and of one."""

STRIP = 480
"""How many windows are summed at a time: their sums stay in the fastest cache."""

DEEP = 384
"""How many places are met at a time: their weights stay in the fastest cache."""

HELD = 1 << 17
"""About how many sums are held: what a core's own cache does."""

RUN = 1024
"""How many windows inner products are taken over at a time."""

SLACK = LONGER * REGISTER // 4
"""Numbers after the end of a line that a tile may read: its length in single precision."""

FEW, SOME, PLACES = (4, 5, 9) if MANY else (2, 4, 9)
"""Inner products at a time: FEW filters by SOME places, or one filter by PLACES."""

_wide, _half, _one = sums(WIDE, LONG), sums(HALF, LONG), sums(1, LONGER)
_meet_few, _meet_one = products(FEW, SOME), products(1, PLACES)


@compiled
def fill(
    x: Any,
    image: int,
    images: int,
    channel: int,
    channels: int,
    stride: Any,
    padding: Any,
    phases: Any,
    pitch: Any,
    plane: int,
    lines: Any,
) -> None:
    """Copy some images and channels of x (N, C, D, H, W) to the lines of the channels, one after
    the other; what is not copied stays as it is, zero.

    Each phase has a plane: the cells that are a multiple of the stride away from it.
    """
    _, every, depth, height, width = x.shape
    flat = x.reshape(-1)
    sx = stride[2]
    cell = pitch[0] * pitch[1] * pitch[2]
    for p in range(len(phases)):
        a, b, c = phases[p, 0] - padding[0], phases[p, 1] - padding[1], phases[p, 2] - padding[2]
        top, low = max(0, -(b // stride[1])), max(0, -(c // sx))
        bottom = min(pitch[1], (height - 1 - b) // stride[1] + 1)
        run = min(pitch[2], (width - 1 - c) // sx + 1) - low
        front, back = max(0, -(a // stride[0])), min(pitch[0], (depth - 1 - a) // stride[0] + 1)
        if run <= 0:
            continue
        for j in range(channels):
            for i in range(images):
                start = ((image + i) * every + channel + j) * depth
                for z in range(front, back):
                    source = ((start + z * stride[0] + a) * height + b) * width + c + low * sx
                    target = (j * len(phases) + p) * plane + i * cell + low
                    target += z * pitch[1] * pitch[2]
                    for y in range(top, bottom):
                        at, to = source + y * stride[1] * width, target + y * pitch[2]
                        if sx == 1:
                            move(flat, at, lines, to, run)
                        else:
                            move_apart(flat, at, sx, lines, to, 1, run)


@compiled
def _hand_out(
    held: Any,
    gap: int,
    first: int,
    run: int,
    pitch: Any,
    count: Any,
    image: int,
    filter: int,
    number: int,
    corner: Any,
    step: Any,
    out: Any,
) -> None:
    """Copy the windows of a run, from window `first` on, to where they belong in `out`: those of
    `number` filters, `gap` apart.
    """
    _, filters, depth, height, width = out.shape
    flat = out.reshape(-1)
    row = first // pitch[2]
    y, z, n = row % pitch[1], row // pitch[1] % pitch[0], row // (pitch[1] * pitch[0])
    start = row * pitch[2] - first
    while start < run:
        if y < count[1] and z < count[0]:
            low = max(0, -start)
            windows = min(count[2], run - start) - low
            to = (image + n) * filters + filter
            to = (to * depth + corner[0] + z * step[0]) * height + corner[1] + y * step[1]
            to = to * width + corner[2] + low * step[2]
            for f in range(number):
                source = f * gap + start + low
                if windows <= 0:
                    break
                if step[2] == 1:
                    move(held, source, flat, to, windows)
                else:
                    move_apart(held, source, 1, flat, to, step[2], windows)
                to += depth * height * width
        start += pitch[2]
        y += 1
        if y == pitch[1]:
            y = 0
            z += 1
            if z == pitch[0]:
                z = 0
                n += 1


@compiled
def correlate(
    x: Any,
    stride: Any,
    padding: Any,
    phases: Any,
    pitch: Any,
    plane: int,
    together: int,
    offsets: Any,
    weights: Any,
    biases: Any,
    panels: Any,
    share: Any,
    count: Any,
    corner: Any,
    step: Any,
    out: Any,
) -> None:
    """Meet filters with images x (N, C, D, H, W), held as lines, `together` at a time.

    A line has a plane of `plane` numbers for each phase, and in it each image takes `pitch`. Rows
    of panels are (first filter, number of filters, width, first slot); those from share[0] to
    share[1] are met: weights[g, slot * places:] holds a panel (places, width), biases[g, slot:] its
    biases. `count` windows in each dimension go to out (N, O, D, H, W) from `corner` by `step`.
    """
    groups = len(weights)
    channels = x.shape[1] // groups
    places = len(offsets) - 16
    filters = out.shape[1] // groups
    lines = numpy.zeros(channels * len(phases) * plane, x.dtype)
    base = panels[share[0], 3]
    slots = panels[share[1] - 1, 3] + panels[share[1] - 1, 2] - base
    # All filters' sums are held, if their kernels are met in parts.
    strip = max(STRIP // 5, min(STRIP, HELD // slots // (STRIP // 10) * (STRIP // 10)))
    gap = strip + SLACK
    held = numpy.empty(slots * gap, x.dtype)
    lanes = REGISTER // x.itemsize
    for n in range(0, len(x), together):
        images = min(together, len(x) - n)
        for g in range(groups):
            w = weights[g]
            c = g * channels
            fill(x, n, images, c, channels, stride, padding, phases, pitch, plane, lines)
            last = ((images - 1) * pitch[0] + count[0] - 1) * pitch[1] + count[1] - 1
            whole = last * pitch[2] + count[2]
            for first in range(0, whole, strip):
                run = min(strip, whole - first)
                for p in range(share[0], share[1]):
                    slot = panels[p, 3] - base
                    for f in range(panels[p, 2]):
                        held[(slot + f) * gap : (slot + f) * gap + run] = biases[g, base + slot + f]
                for k in range(0, places, DEEP):
                    some = min(DEEP, places - k)
                    for p in range(share[0], share[1]):
                        width, slot = panels[p, 2], panels[p, 3]
                        at, to = slot * places, (slot - base) * gap
                        t = 0
                        while t < run:
                            here = first + t
                            if width == WIDE:
                                _wide(lines, here, offsets, k, some, w, at, held, to + t, gap)
                                t += LONG * lanes
                            elif width == HALF:
                                _half(lines, here, offsets, k, some, w, at, held, to + t, gap)
                                t += LONG * lanes
                            else:
                                _one(lines, here, offsets, k, some, w, at, held, to + t, gap)
                                t += LONGER * lanes
                for p in range(share[0], share[1]):
                    source = held[(panels[p, 3] - base) * gap :]
                    o = g * filters + panels[p, 0]
                    _hand_out(
                        source, gap, first, run, pitch, count, n, o, panels[p, 1], corner, step, out
                    )


@compiled
def meet(
    x: Any,
    stride: Any,
    padding: Any,
    phases: Any,
    pitch: Any,
    plane: int,
    together: int,
    offsets: Any,
    grad: Any,
    first: Any,
    count: Any,
    share: Any,
    out: Any,
) -> None:
    """Add to out (groups, rows, tiles, room) what windows of x, held as lines, times grad give.

    Of the windows in grad (N, O, D, H, W), `count` are met from `first` on, and of each group's
    filters those from share[0] to share[1]. A row of tiles is one filter, if a group has one, else
    FEW filters.
    """
    groups, _, tiles, room = out.shape
    channels = x.shape[1] // groups
    filters = grad.shape[1] // groups
    depth, height, width = grad.shape[2:]
    windows = grad.reshape(-1)
    lanes = REGISTER // x.itemsize
    cell = pitch[0] * pitch[1] * pitch[2]
    lines = numpy.zeros(channels * len(phases) * plane, x.dtype)
    row = together * cell + lanes
    some = share[1] - share[0]
    others = numpy.zeros((some + FEW) * row, x.dtype)
    flat = out.reshape(-1)
    for n in range(0, len(x), together):
        images = min(together, len(x) - n)
        last = ((images - 1) * pitch[0] + count[0] - 1) * pitch[1] + count[1] - 1
        whole = last * pitch[2] + count[2]
        for g in range(groups):
            c = g * channels
            fill(x, n, images, c, channels, stride, padding, phases, pitch, plane, lines)
            for f in range(some):
                others[f * row + whole : (f + 1) * row] = 0
                for i in range(images):
                    source = (n + i) * groups * filters + g * filters + share[0] + f
                    for z in range(count[0]):
                        for y in range(count[1]):
                            start = (source * depth + first[0] + z) * height + first[1] + y
                            to = f * row + i * cell + (z * pitch[1] + y) * pitch[2]
                            move(windows, start * width + first[2], others, to, count[2])
            for start in range(0, whole, RUN):
                run = (min(RUN, whole - start) + lanes - 1) // lanes
                for deep in range(0, tiles, DEEP // SOME):
                    end = min(tiles, deep + DEEP // SOME)
                    if filters == 1:
                        for tile in range(deep, end):
                            to = (g * tiles + tile) * room
                            k = tile * PLACES
                            _meet_one(others, start, row, lines, start, offsets, k, run, flat, to)
                    else:
                        for f in range(0, some, FEW):
                            to = (g * out.shape[1] + (share[0] + f) // FEW) * tiles * room
                            at = f * row + start
                            for tile in range(deep, end):
                                k, place = tile * SOME, to + tile * room
                                _meet_few(
                                    others, at, row, lines, start, offsets, k, run, flat, place
                                )
