"""The loops of `abreast`: a register holds what one window gives for many filters."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.line_loops import fill
from minigrad.kernels.compiled.registers import MANY, REGISTER, turn
from minigrad.kernels.compiled.tiles import crosses

WIDE, NARROW = (6, 4), (10, 2) if MANY else (6, 2)
"""How many windows, or places, share what is read of the filters, and how many registers the
filters of a panel take: where there are many registers and filters, and else.
"""

STRIP = 240
"""How many windows are summed at a time: their sums stay in the core's own cache."""

DEEP = 256
"""So many registers of weights are met at a time: they stay in the fastest cache."""

RUN = 512
"""Sums of products are taken over so many registers of cotangents at a time."""

_ALIGNED = 64

_wide, _narrow = crosses(*WIDE), crosses(*NARROW)


@compiled
def _cross(
    line: Any,
    starts: Any,
    first: int,
    steps: Any,
    begin: int,
    count: int,
    rows: Any,
    at: int,
    out: Any,
    to: int,
    vectors: int,
) -> None:
    if vectors == WIDE[1]:
        _wide(line, starts, first, steps, begin, count, rows, at, out, to)
    else:
        _narrow(line, starts, first, steps, begin, count, rows, at, out, to)


@compiled
def _room(like: Any, count: int) -> Any:
    """Room for so many numbers, from the beginning of a cache line on."""
    spare = _ALIGNED // like.itemsize
    found = numpy.empty(count + spare, like.dtype)
    skipped = -found.ctypes.data % _ALIGNED // like.itemsize
    return found[skipped : skipped + count]


@compiled
def _hand_out(
    held: Any,
    width: int,
    number: int,
    out: Any,
    to: int,
    area: int,
    targets: Any,
    first: int,
    run: int,
) -> None:
    """Copy sums (windows, width) of `number` filters to where a run of windows, from window `first`
    on, belongs: filter f's to out[to + f * area + targets[window]].
    """
    lanes = REGISTER // out.itemsize
    block = numpy.empty(lanes * lanes, out.dtype)
    for f in range(0, number, lanes):
        for i in range(0, run, lanes):
            many = min(lanes, run - i)
            start = targets[first + i]
            together = many == lanes and targets[first + i + lanes - 1] == start + lanes - 1
            if together and f + lanes <= number:
                turn(held, i * width + f, width, out, to + f * area + start, area)
                continue
            turn(held, i * width + f, width, block, 0, lanes)
            for row in range(min(lanes, number - f)):
                place = to + (f + row) * area
                for w in range(many):
                    out[place + targets[first + i + w]] = block[row * lanes + w]


@compiled
def _take_in(
    given: Any,
    source: int,
    area: int,
    targets: Any,
    first: int,
    run: int,
    turned: Any,
    width: int,
    number: int,
) -> None:
    """The opposite of `_hand_out`: copy such a run to (windows, width); the rest of a row stays."""
    lanes = REGISTER // given.itemsize
    for f in range(0, number, lanes):
        for i in range(0, run, lanes):
            many = min(lanes, run - i)
            start = targets[first + i]
            together = many == lanes and targets[first + i + lanes - 1] == start + lanes - 1
            if together and f + lanes <= number:
                turn(given, source + f * area + start, area, turned, i * width + f, width)
                continue
            for row in range(f, min(f + lanes, number)):
                place = source + row * area
                for w in range(i, i + many):
                    turned[w * width + row] = given[place + targets[first + w]]


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
    cells: Any,
    targets: Any,
    windows: int,
    weights: Any,
    biases: Any,
    share: Any,
    out: Any,
) -> None:
    """Meet filters with images x (N, C, D, H, W), held as lines, `together` at a time.

    Of each image there are so many `windows`: window i begins at cells[i] of a line and goes to
    number targets[i] of a channel of out (N, O, D, H, W). Panels share[0] to share[1] of the
    weights (groups, panels, places, width) are met, and added to the biases (groups, panels,
    width).
    """
    groups, _, places, width = weights.shape
    channels = x.shape[1] // groups
    filters = out.shape[1] // groups
    vectors = width * x.itemsize // REGISTER
    points = WIDE[0] if vectors == WIDE[1] else NARROW[0]
    deep = DEEP // vectors
    area = out.shape[2] * out.shape[3] * out.shape[4]
    lines = numpy.zeros(channels * plane, x.dtype)
    held = _room(x, (STRIP + width) * width)
    factors, flat = weights.reshape(-1), out.reshape(-1)
    for n in range(0, len(x), together):
        images = min(together, len(x) - n)
        for g in range(groups):
            c = g * channels
            fill(x, n, images, c, channels, stride, padding, phases, pitch, plane, lines)
            for first in range(0, images * windows, STRIP):
                run = min(STRIP, images * windows - first)
                for p in range(share[0], share[1]):
                    for i in range(-(-run // points) * points):
                        for f in range(width):
                            held[i * width + f] = biases[g, p, f]
                    for k in range(0, places, deep):
                        some = min(deep, places - k)
                        at = ((g * weights.shape[1] + p) * places + k) * width
                        for t in range(0, run, points):
                            here, to = first + t, t * width
                            _cross(
                                lines, cells, here, offsets, k, some, factors, at, held, to, vectors
                            )
                    number = min(width, filters - p * width)
                    to = (n * out.shape[1] + g * filters + p * width) * area
                    _hand_out(held, width, number, flat, to, area, targets, first, run)


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
    cells: Any,
    targets: Any,
    windows: int,
    grad: Any,
    share: Any,
    out: Any,
) -> None:
    """Add to out (groups, panels, places, width) what windows of x, held as lines, times grad give.

    Windows are described as for `correlate`; of each group's panels of filters those from share[0]
    to share[1] are met.
    """
    groups, _, places, width = out.shape
    channels = x.shape[1] // groups
    filters = grad.shape[1] // groups
    vectors = width * x.itemsize // REGISTER
    points = WIDE[0] if vectors == WIDE[1] else NARROW[0]
    most = RUN // vectors
    area = grad.shape[2] * grad.shape[3] * grad.shape[4]
    lines = numpy.zeros(channels * plane, x.dtype)
    turned = _room(x, most * width)
    given, flat = grad.reshape(-1), out.reshape(-1)
    for n in range(0, len(x), together):
        images = min(together, len(x) - n)
        for g in range(groups):
            c = g * channels
            fill(x, n, images, c, channels, stride, padding, phases, pitch, plane, lines)
            for first in range(0, images * windows, most):
                run = min(most, images * windows - first)
                for p in range(share[0], share[1]):
                    number = min(width, filters - p * width)
                    if number < width:
                        turned[:] = 0
                    source = (n * grad.shape[1] + g * filters + p * width) * area
                    _take_in(given, source, area, targets, first, run, turned, width, number)
                    for k in range(0, places, points):
                        to = ((g * out.shape[1] + p) * places + k) * width
                        _cross(lines, offsets, k, cells, first, run, turned, 0, flat, to, vectors)
