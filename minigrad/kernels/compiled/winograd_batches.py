"""Winograd's F(4x4, 3x3) for batches of small images: a vector register holds one place of many.

Images of a few tiles give no long runs. Here the numbers of a channel are turned round first, so
that those of one place in all images follow each other: then each step of a transform is one
instruction on as many images as a register holds, and no tile is wasted. The filters are large
beside such images: all images of a block meet them at once, one matrix product for each place.
The gradient of the filters is taken from tiles of 2x2 outputs, whose rounding errors are as large
as those of the 4x4 outputs otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import lanes, threads
from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.registers import move
from minigrad.kernels.compiled.tiles import transforms
from minigrad.kernels.compiled.winograd_filters import LANES, PLACES
from minigrad.kernels.compiled.workers import LEAST, PIECES

Sizes = tuple[int, ...]

SIDE = 4

HELD = 1 << 22
"""About how many transformed numbers are held at a time."""


GROUP = 1 << 15
"""About how many transformed numbers are made before they go where they belong."""

WHOLE, PART, EDGE = range(3)
"""What is spread: 6x6 inputs of 4x4 outputs, 4x4 inputs of 2x2 outputs, or those 2x2 outputs."""

_whole = transforms(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_part = transforms([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, -1, 0, 1]])
_edge = transforms([[1, 0], [1, 1], [1, -1], [0, 1]])
_outputs = transforms(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)
_filters = transforms([[1, 1 / 2, 1 / 2, 0], [0, 1 / 2, -1 / 2, 0], [0, 1 / 2, 1 / 2, 1]])


@compiled
def _step(kind: int, source: Any, at: int, apart: int, target: Any, to: int, jump: int) -> None:
    zero = source.dtype.type(0)
    if kind == WHOLE:
        _whole(source, at, apart, target, to, jump, zero)
    elif kind == PART:
        _part(source, at, apart, target, to, jump, zero)
    else:
        _edge(source, at, apart, target, to, jump, zero)


@compiled
def _spread(
    x: Any, kind: int, top: int, left: int, across: int, first: int, last: int, out: Any
) -> None:
    """Tiles transformed: x (N, C, H, W), of which the channels from `first` to `last` go to out
    (places, C, tiles, images), whose images are filled up to whole registers.

    `top` and `left` are the zeros before the image, `across` is how many tiles there are in a row.
    """
    images, _, height, width = x.shape
    places, channels, tiles, held = out.shape
    step = 4 if kind == WHOLE else 2
    edge = 0 if kind == EDGE else 2
    side = 6 if kind == WHOLE else 4
    wide = step * across + edge
    image = numpy.zeros((step * (tiles // across) + edge) * wide * held, x.dtype)
    rows = numpy.empty(side * wide * held, x.dtype)
    # Some channels of all matrices are made first: short runs far apart are written slowly.
    run = tiles * held
    some = max(1, min(last - first, GROUP // (places * run)))
    made = numpy.empty(places * some * run, x.dtype)
    target = out.reshape(-1)
    for start in range(first, last, some):
        stop = min(last, start + some)
        for c in range(start, stop):
            for n in range(images):
                for y in range(height):
                    source = x[n, c, y]
                    to = ((top + y) * wide + left) * held + n
                    for column in range(width):
                        image[to + column * held] = source[column]
            for tile in range(tiles):
                ty, tx = tile // across, tile % across
                if tx == 0:
                    at = step * ty * wide * held
                    for i in range(0, wide * held, LANES):
                        _step(kind, image, at + i, wide * held, rows, i, wide * held)
                for k in range(side):
                    at = (k * wide + step * tx) * held
                    to = (side * k * some + c - start) * run + tile * held
                    for i in range(0, held, LANES):
                        _step(kind, rows, at + i, held, made, to + i, some * run)
        for k in range(places):
            size = (stop - start) * run
            move(made, k * some * run, target, (k * channels + start) * run, size)


@compiled
def _collect(m: Any, bias: Any, across: int, first: int, last: int, out: Any) -> Any:
    """The tiles' 4x4 outputs: m (36, O, tiles, images), of which the filters from `first` to
    `last` go to out (N, O, H, W).

    Returns zero, or NaN where an output is not finite.
    """
    images, _, height, width = out.shape
    _, filters, tiles, held = m.shape
    wide = 4 * across
    run = tiles * held
    some = max(1, min(last - first, GROUP // (PLACES * run)))
    source = m.reshape(-1)
    made = numpy.empty(PLACES * some * run, m.dtype)
    rows = numpy.empty(4 * 6 * LANES, m.dtype)
    image = numpy.empty(16 * run, m.dtype)
    zero = m.dtype.type(0)
    check = zero
    for start in range(first, last, some):
        stop = min(last, start + some)
        for k in range(PLACES):
            size = (stop - start) * run
            move(source, (k * filters + start) * run, made, k * some * run, size)
        for o in range(start, stop):
            shift = bias[o]
            for tile in range(tiles):
                ty, tx = tile // across, tile % across
                to = (4 * ty * wide + 4 * tx) * held
                for i in range(0, held, LANES):
                    at = (o - start) * run + tile * held + i
                    for k in range(6):
                        from_k = at + k * some * run
                        _outputs(made, from_k, 6 * some * run, rows, k * LANES, 6 * LANES, zero)
                    for k in range(4):
                        place = to + k * wide * held + i
                        _outputs(rows, 6 * k * LANES, LANES, image, place, held, shift)
            for n in range(images):
                for y in range(height):
                    target = out[n, o, y]
                    at = y * wide * held + n
                    for column in range(width):
                        value = image[at + column * held]
                        target[column] = value
                        check += value * zero
    return check


@compiled
def _gather(m: Any, first: int, last: int, out: Any) -> None:
    """Gradients of filters: m (16, O, columns), of which the rows from `first` to `last` are those
    of out (O, C, 9); columns are filled up to whole registers.
    """
    _, filters, columns = m.shape
    channels = out.shape[1]
    source, target = m.reshape(-1), out.reshape(-1)
    made = numpy.empty(16 * columns, m.dtype)
    rows = numpy.empty(12 * LANES, m.dtype)
    found = numpy.empty(9 * LANES, m.dtype)
    zero = m.dtype.type(0)
    for o in range(first, last):
        for k in range(16):
            move(source, (k * filters + o) * columns, made, k * columns, columns)
        for column in range(0, channels, LANES):
            for k in range(4):
                at = k * columns + column
                _filters(made, at, 4 * columns, rows, k * LANES, 4 * LANES, zero)
            for k in range(3):
                _filters(rows, 4 * k * LANES, LANES, found, 3 * k * LANES, LANES, zero)
            for i in range(min(LANES, channels - column)):
                to = (o * channels + column + i) * 9
                for k in range(9):
                    target[to + k] = found[k * LANES + i]


def _blocks(batch: int, numbers: int) -> list[slice]:
    """Images whose transforms, so many numbers each, are held at once."""
    most = max(LANES, HELD // numbers // LANES * LANES)
    count = -(-batch // most)
    return [slice(batch * i // count, batch * (i + 1) // count) for i in range(count)]


def convolve(input: Any, transformed: Any, bias: Any, padding: Sizes, out: Sizes) -> Any:
    """Images (N, C, H, W) met by filters as 36 matrices (36, O, C); None where a result is not
    finite.
    """
    batch, channels = input.shape[:2]
    filters = transformed.shape[1]
    across = -(-out[1] // SIDE)
    tiles = -(-out[0] // SIDE) * across
    result = numpy.empty((batch, filters, *out), input.dtype)
    check = input.dtype.type(0)
    with threads.blas_alone():
        for images in _blocks(batch, PLACES * tiles * (channels + filters)):
            check += _block(input[images], transformed, bias, padding, across, result[images])
    return result if check == 0 else None


def _block(
    input: Any, transformed: Any, bias: Any, padding: Sizes, across: int, result: Any
) -> Any:
    """Meet images that are held at once; zero, or NaN where a result is not finite."""
    images, channels = input.shape[:2]
    filters, *out = result.shape[1:]
    tiles = -(-out[0] // SIDE) * across
    held = -(-images // LANES) * LANES
    spread = numpy.empty((PLACES, channels, tiles, held), input.dtype)
    product = numpy.empty((PLACES, filters, tiles, held), input.dtype)
    checks = [input.dtype.type(0)] * PIECES

    def turn(piece: int) -> None:
        _spread(input, WHOLE, *padding, across, *_share(channels, piece), spread)

    def multiply(place: int) -> None:
        left = spread[place].reshape(channels, -1)
        numpy.matmul(transformed[place], left, out=product[place].reshape(filters, -1))

    def collect(piece: int) -> None:
        checks[piece] = _collect(product, bias, across, *_share(filters, piece), result)

    count = lanes.lanes(PLACES * tiles * held * filters * channels, LEAST)
    lanes.run(turn, PIECES, count)
    lanes.run(multiply, PLACES, count)
    lanes.run(collect, PIECES, count)
    return sum(checks)


def weight_grad(grad: Any, input: Any, padding: Sizes) -> Any:
    """Gradients (O, C, 3, 3) of filters that met images (N, C, H, W), by F(3x3, 2x2); None where
    one is not finite.
    """
    batch, channels = input.shape[:2]
    filters, *out = grad.shape[1:]
    across = -(-out[1] // 2)
    tiles = -(-out[0] // 2) * across
    columns = -(-channels // LANES) * LANES
    total = numpy.zeros((16, filters, columns), input.dtype)
    result = numpy.empty((filters, channels, 9), input.dtype)
    count = lanes.lanes(16 * batch * tiles * filters * channels, LEAST)
    with threads.blas_alone():
        for images in _blocks(batch, 16 * tiles * (channels + filters)):
            _add(grad[images], input[images], padding, (tiles, across), total, count)

    def gather(piece: int) -> None:
        _gather(total, *_share(filters, piece), result)

    lanes.run(gather, PIECES, count)
    return result.reshape(filters, channels, 3, 3) if numpy.isfinite(result).all() else None


def _add(grad: Any, input: Any, padding: Sizes, sizes: Sizes, total: Any, count: int) -> None:
    """Add to total (16, O, columns) what images that are held at once give, on so many threads."""
    images, channels = input.shape[:2]
    filters = grad.shape[1]
    tiles, across = sizes
    held = -(-images // LANES) * LANES
    spread = numpy.empty((16, channels, tiles, held), input.dtype)
    edges = numpy.empty((16, filters, tiles, held), input.dtype)

    def turn(piece: int) -> None:
        _spread(input, PART, *padding, across, *_share(channels, piece), spread)
        _spread(grad, EDGE, 0, 0, across, *_share(filters, piece), edges)

    def multiply(place: int) -> None:
        left, right = edges[place].reshape(filters, -1), spread[place].reshape(channels, -1)
        total[place, :, :channels] += numpy.matmul(left, right.T)

    lanes.run(turn, PIECES, count)
    lanes.run(multiply, 16, count)


def _share(count: int, piece: int) -> tuple[int, int]:
    """The first and the last of a piece's channels."""
    return count * piece // PIECES, count * (piece + 1) // PIECES
