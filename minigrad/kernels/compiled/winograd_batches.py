"""Winograd's F(4x4, 3x3) for batches of small images: a vector register holds one place of many.

Images of a few tiles give no long runs. Here the numbers of a channel are turned round first, so
that those of one place in all images follow each other: then each step of a transform is one
instruction on as many images as a register holds, and no tile is wasted. The filters are large
beside such images: all images of a block meet them at once, one matrix product for each place.
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


_inputs = transforms(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
_outputs = transforms(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)


@compiled
def _spread(x: Any, top: int, left: int, across: int, first: int, last: int, out: Any) -> None:
    """The 6x6 inputs of each tile, transformed: x (N, C, H, W), of which the channels from `first`
    to `last` go to out (36, C, tiles, images), whose images are filled up to whole registers.

    `top` and `left` are the zeros before the image.
    """
    images, _, height, width = x.shape
    _, channels, tiles, held = out.shape
    wide = 4 * across + 2
    image = numpy.zeros((4 * (tiles // across) + 2) * wide * held, x.dtype)
    rows = numpy.empty(6 * wide * held, x.dtype)
    # A channel of all matrices is made first: 36 lines of memory written at once are slow.
    run = tiles * held
    made = numpy.empty(PLACES * run, x.dtype)
    target = out.reshape(-1)
    zero = x.dtype.type(0)
    for c in range(first, last):
        for n in range(images):
            for y in range(height):
                source = x[n, c, y]
                to = ((top + y) * wide + left) * held + n
                for column in range(width):
                    image[to + column * held] = source[column]
        for tile in range(tiles):
            ty, tx = tile // across, tile % across
            if tx == 0:
                at = 4 * ty * wide * held
                for i in range(0, wide * held, LANES):
                    _inputs(image, at + i, wide * held, rows, i, wide * held, zero)
            for k in range(6):
                at = (k * wide + 4 * tx) * held
                to = 6 * k * run + tile * held
                for i in range(0, held, LANES):
                    _inputs(rows, at + i, held, made, to + i, run, zero)
        for k in range(PLACES):
            move(made, k * run, target, (k * channels + c) * run, run)


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
    source = m.reshape(-1)
    made = numpy.empty(PLACES * run, m.dtype)
    rows = numpy.empty(4 * 6 * LANES, m.dtype)
    image = numpy.empty(16 * run, m.dtype)
    zero = m.dtype.type(0)
    check = zero
    for o in range(first, last):
        shift = bias[o]
        for k in range(PLACES):
            move(source, (k * filters + o) * run, made, k * run, run)
        for tile in range(tiles):
            ty, tx = tile // across, tile % across
            to = (4 * ty * wide + 4 * tx) * held
            for i in range(0, held, LANES):
                at = tile * held + i
                for k in range(6):
                    _outputs(made, at + k * run, 6 * run, rows, k * LANES, 6 * LANES, zero)
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


def convolve(input: Any, transformed: Any, bias: Any, padding: Sizes, out: Sizes) -> Any:
    """Images (N, C, H, W) met by filters as 36 matrices (36, O, C); None where a result is not
    finite.
    """
    batch, channels = input.shape[:2]
    filters = transformed.shape[1]
    across = -(-out[1] // SIDE)
    tiles = -(-out[0] // SIDE) * across
    result = numpy.empty((batch, filters, *out), input.dtype)
    most = max(LANES, HELD // (PLACES * tiles * (channels + filters)) // LANES * LANES)
    blocks = -(-batch // most)
    check = input.dtype.type(0)
    with threads.blas_alone():
        for block in range(blocks):
            images = slice(batch * block // blocks, batch * (block + 1) // blocks)
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
        first, last = channels * piece // PIECES, channels * (piece + 1) // PIECES
        _spread(input, *padding, across, first, last, spread)

    def multiply(place: int) -> None:
        left = spread[place].reshape(channels, -1)
        numpy.matmul(transformed[place], left, out=product[place].reshape(filters, -1))

    def collect(piece: int) -> None:
        first, last = filters * piece // PIECES, filters * (piece + 1) // PIECES
        checks[piece] = _collect(product, bias, across, first, last, result)

    count = lanes.lanes(PLACES * tiles * held * filters * channels, LEAST)
    lanes.run(turn, PIECES, count)
    lanes.run(multiply, PLACES, count)
    lanes.run(collect, PIECES, count)
    return sum(checks)
