"""Convolution with 3x3 filters that move by one, in single precision, by Winograd's F(4x4, 3x3).

Each tile of 4x4 outputs comes from 6x6 inputs by 36 products in place of 144: input and filters
are transformed, 36 matrix products over the channels are taken, and their results transformed
back (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, whose matrices
these are). Rounding errors are four to five times those of plain sums in the root of their mean
square, and up to nine times in the largest (measured with 16 to 256 channels). The gradient of the
filters would lose more than ten times, for little: it is taken by plain sums, or by F(3x3, 2x2),
which loses as much as F(4x4, 3x3).

Images are held as lines of tiles, with one tile more in each row than it has: that makes runs
long enough for vector registers. What the last tile of a row holds is never read.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled import winograd_batches
from minigrad.kernels.compiled.compiler import compiled
from minigrad.kernels.compiled.winograd_filters import LANES, PLACES, matrices
from minigrad.kernels.compiled.workers import in_pieces

Sizes = tuple[int, ...]

SIDE = 4

TILES = 36
"""Images of fewer tiles are met many at a time, if a batch fills registers."""


@compiled
def _spread(x: Any, top: int, left: int, down: int, across: int, out: Any) -> None:
    """The 6x6 inputs of each tile, transformed: x (N, C, H, W) to out (36, C, N, tiles).

    `top` and `left` are the zeros before the image, `across` counts the tile that is not read.
    """
    images, channels, height, width = x.shape
    line = 4 * across
    tiles = down * across
    rows = min(height, 4 * down + 2 - top)
    columns = min(width, line - 2 - left)
    # Each fourth row is in a plane of its own, so that all rows of tiles are one run.
    planes = numpy.zeros((4, (down + 1) * line), x.dtype)
    z = numpy.zeros((6, down * line + 8), x.dtype)
    two, four, five = x.dtype.type(2), x.dtype.type(4), x.dtype.type(5)
    p0, p1, p2, p3 = planes[0], planes[1], planes[2], planes[3]
    p4, p5 = planes[0, line:], planes[1, line:]
    z0, z1, z2, z3, z4, z5 = z[0], z[1], z[2], z[3], z[4], z[5]
    q = numpy.empty((4, tiles + 1), x.dtype)
    q0, q1, q2, q3, q4, q5 = q[0], q[1], q[2], q[3], q[0, 1:], q[1, 1:]
    for n in range(images):
        for c in range(channels):
            for i in range(rows):
                start = (top + i) // 4 * line + left
                target = planes[(top + i) % 4, start : start + columns]
                source = x[n, c, i]
                for j in range(columns):
                    target[j] = source[j]
            for j in range(down * line):
                a, b, d, e, f, g = p0[j], p1[j], p2[j], p3[j], p4[j], p5[j]
                z0[j] = four * a - five * d + f
                z1[j] = f + e - four * (b + d)
                z2[j] = f - e + four * (b - d)
                z3[j] = f - d + two * (e - b)
                z4[j] = f - d - two * (e - b)
                z5[j] = four * b - five * e + g
            for k in range(6):
                zk = z[k]
                o0, o1, o2 = out[6 * k, c, n], out[6 * k + 1, c, n], out[6 * k + 2, c, n]
                o3, o4, o5 = out[6 * k + 3, c, n], out[6 * k + 4, c, n], out[6 * k + 5, c, n]
                # Numbers four apart are brought together first: they are read twice.
                for t in range(tiles + 1):
                    q0[t], q1[t] = zk[4 * t], zk[4 * t + 1]
                    q2[t], q3[t] = zk[4 * t + 2], zk[4 * t + 3]
                for t in range(tiles):
                    a, b, d, e, f, g = q0[t], q1[t], q2[t], q3[t], q4[t], q5[t]
                    o0[t] = four * a - five * d + f
                    o1[t] = f + e - four * (b + d)
                    o2[t] = f - e + four * (b - d)
                    o3[t] = f - d + two * (e - b)
                    o4[t] = f - d - two * (e - b)
                    o5[t] = four * b - five * e + g


@compiled
def _collect(m: Any, bias: Any, down: int, across: int, out: Any) -> Any:
    """The tiles' 4x4 outputs: m (36, O, N, tiles) to out (N, O, H, W).

    Returns zero, or NaN where an output is not finite.
    """
    images, filters, height, width = out.shape
    line = 4 * across
    tiles = down * across
    s = numpy.empty((4, 6, tiles), m.dtype)
    rows = numpy.empty((4, down * line), m.dtype)
    two, four, eight = m.dtype.type(2), m.dtype.type(4), m.dtype.type(8)
    zero = m.dtype.type(0)
    check = zero
    for n in range(images):
        for o in range(filters):
            shift = bias[o]
            for k in range(6):
                m0, m1, m2 = m[k, o, n], m[6 + k, o, n], m[12 + k, o, n]
                m3, m4, m5 = m[18 + k, o, n], m[24 + k, o, n], m[30 + k, o, n]
                s0, s1, s2, s3 = s[0, k], s[1, k], s[2, k], s[3, k]
                for t in range(tiles):
                    plus, minus = m1[t] + m2[t], m1[t] - m2[t]
                    more, less = m3[t] + m4[t], m3[t] - m4[t]
                    s0[t] = m0[t] + plus + more
                    s1[t] = minus + two * less
                    s2[t] = plus + four * more
                    s3[t] = minus + eight * less + m5[t]
            for i in range(4):
                s0, s1, s2, s3, s4, s5 = s[i, 0], s[i, 1], s[i, 2], s[i, 3], s[i, 4], s[i, 5]
                row = rows[i]
                for t in range(tiles):
                    plus, minus = s1[t] + s2[t], s1[t] - s2[t]
                    more, less = s3[t] + s4[t], s3[t] - s4[t]
                    row[4 * t] = s0[t] + plus + more + shift
                    row[4 * t + 1] = minus + two * less + shift
                    row[4 * t + 2] = plus + four * more + shift
                    row[4 * t + 3] = minus + eight * less + s5[t] + shift
            for i in range(height):
                start = i // 4 * line
                source = rows[i % 4, start : start + width]
                target = out[n, o, i]
                for j in range(width):
                    target[j] = source[j]
                    check += source[j] * zero
    return check


_BLOCK = 1 << 18
"""How many transformed numbers are held at a time."""


def _tiles(out: Sizes) -> tuple[int, int]:
    """How many rows of tiles, and how long each is with the tile that is not read."""
    return -(-out[0] // SIDE), -(-out[1] // SIDE) + 1


FEW_TILES = 64
"""Fewer tiles than this in a matrix product waste the time that it takes to read the filters."""


def _blocks(start: int, stop: int, numbers: int, tiles: int) -> list[slice]:
    """Images of a piece whose transforms are held together."""
    step = max(1, _BLOCK // numbers, min(-(-FEW_TILES // tiles), stop - start))
    return [slice(i, min(i + step, stop)) for i in range(start, stop, step)]


def _by_image(transformed: Any, tiles: int) -> Any:
    """Matrices (36, channels, N * tiles) as (36, channels, N, tiles)."""
    return transformed.reshape(*transformed.shape[:2], -1, tiles)


def takes_batches(batch: int, tiles: int) -> bool:
    """Whether images of so many tiles are small, and a batch of them fills registers."""
    return tiles < TILES and 4 * batch >= 3 * LANES * -(-batch // LANES)


def convolve(
    input: Any, weight: Any, bias: Any, padding: Sizes, out: Sizes, turned: bool = False
) -> Any:
    """Images (N, C, H, W) met by filters (O, C, 3, 3), or, for the gradient in the input, by
    filters (C, O, 3, 3) that are turned round first; None where a result is not finite.
    """
    batch, channels = input.shape[:2]
    transformed = matrices(weight, turned)
    filters = transformed.shape[1]
    shift = numpy.zeros(filters, input.dtype) if bias is None else bias
    down, across = _tiles(out)
    if takes_batches(batch, down * (across - 1)):
        return winograd_batches.convolve(input, transformed, shift, padding, out)
    tiles = down * across
    result = numpy.empty((batch, filters, *out), input.dtype)

    def piece(start: int, stop: int) -> Any:
        blocks = _blocks(start, stop, PLACES * tiles * (channels + filters), tiles)
        most = blocks[0].stop - blocks[0].start
        spread = numpy.empty(PLACES * channels * most * tiles, input.dtype)
        product = numpy.empty(PLACES * filters * most * tiles, input.dtype)
        check = input.dtype.type(0)
        for images in blocks:
            run = (images.stop - images.start) * tiles
            left = spread[: PLACES * channels * run].reshape(PLACES, channels, run)
            right = product[: PLACES * filters * run].reshape(PLACES, filters, run)
            _spread(input[images], *padding, down, across, _by_image(left, tiles))
            numpy.matmul(transformed, left, out=right)
            check += _collect(_by_image(right, tiles), shift, down, across, result[images])
        return check

    checks = in_pieces(
        piece, batch, filters * tiles * PLACES * channels, batch * tiles // FEW_TILES
    )
    return result if sum(checks) == 0 else None
