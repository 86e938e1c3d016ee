"""The loops of `lines`: images laid out as lines, and sums and products of shifted runs."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled

STRIP = 1024
"""How many windows are summed at a time: four runs of them fit the fastest cache."""


@compiled
def _fill(image: Any, stride: Any, padding: Any, width: int, line: Any) -> None:
    """Copy an image (H, W) into its line; what is not copied stays as it is, zero."""
    size = line.size // (stride[0] * stride[1])
    height = size // width
    for a in range(stride[0]):
        for b in range(stride[1]):
            start = (a * stride[1] + b) * size
            for q in range(height):
                y = q * stride[0] + a - padding[0]
                if y < 0 or y >= image.shape[0]:
                    continue
                shift = b - padding[1]
                low = max(0, -(shift // stride[1]))
                high = min(width, (image.shape[1] - 1 - shift) // stride[1] + 1)
                target = line[start + q * width + low : start + q * width + max(low, high)]
                source = image[y, shift + low * stride[1] :]
                if stride[1] == 1:
                    for t in range(len(target)):
                        target[t] = source[t]
                else:
                    for t in range(len(target)):
                        target[t] = source[t * stride[1]]


@compiled
def _add_four(line: Any, w: Any, offsets: Any, start: int, run: int, acc: Any) -> None:
    """Add to four runs what one channel gives: its line shifted, times w (4, places).

    The runs are STRIP apart in one array: so the compiler knows that they do not overlap.
    """
    k = 0
    while k + 3 <= len(offsets):
        x0 = line[start + offsets[k] :][:run]
        x1 = line[start + offsets[k + 1] :][:run]
        x2 = line[start + offsets[k + 2] :][:run]
        a0, a1, a2 = w[0, k], w[0, k + 1], w[0, k + 2]
        b0, b1, b2 = w[1, k], w[1, k + 1], w[1, k + 2]
        c0, c1, c2 = w[2, k], w[2, k + 1], w[2, k + 2]
        d0, d1, d2 = w[3, k], w[3, k + 1], w[3, k + 2]
        for t in range(run):
            p, q, r = x0[t], x1[t], x2[t]
            acc[t] += a0 * p + a1 * q + a2 * r
            acc[t + STRIP] += b0 * p + b1 * q + b2 * r
            acc[t + 2 * STRIP] += c0 * p + c1 * q + c2 * r
            acc[t + 3 * STRIP] += d0 * p + d1 * q + d2 * r
        k += 3
    while k < len(offsets):
        x0 = line[start + offsets[k] :][:run]
        a0, b0, c0, d0 = w[0, k], w[1, k], w[2, k], w[3, k]
        for t in range(run):
            acc[t] += a0 * x0[t]
            acc[t + STRIP] += b0 * x0[t]
            acc[t + 2 * STRIP] += c0 * x0[t]
            acc[t + 3 * STRIP] += d0 * x0[t]
        k += 1


@compiled
def _add_one(line: Any, w: Any, offsets: Any, start: int, acc: Any) -> None:
    """Add to one run what one channel gives: its line shifted, times w (places)."""
    run = len(acc)
    k = 0
    while k + 9 <= len(offsets):
        x0, x1 = line[start + offsets[k] :][:run], line[start + offsets[k + 1] :][:run]
        x2, x3 = line[start + offsets[k + 2] :][:run], line[start + offsets[k + 3] :][:run]
        x4, x5 = line[start + offsets[k + 4] :][:run], line[start + offsets[k + 5] :][:run]
        x6, x7 = line[start + offsets[k + 6] :][:run], line[start + offsets[k + 7] :][:run]
        x8 = line[start + offsets[k + 8] :][:run]
        w0, w1, w2, w3, w4 = w[k], w[k + 1], w[k + 2], w[k + 3], w[k + 4]
        w5, w6, w7, w8 = w[k + 5], w[k + 6], w[k + 7], w[k + 8]
        for t in range(run):
            upper = w0 * x0[t] + w1 * x1[t] + w2 * x2[t]
            middle = w3 * x3[t] + w4 * x4[t] + w5 * x5[t]
            acc[t] += upper + middle + (w6 * x6[t] + w7 * x7[t] + w8 * x8[t])
        k += 9
    while k < len(offsets):
        x0 = line[start + offsets[k] :][:run]
        w0 = w[k]
        for t in range(run):
            acc[t] += w0 * x0[t]
        k += 1


@compiled
def correlate(
    x: Any,
    stride: Any,
    padding: Any,
    width: int,
    length: int,
    w: Any,
    bias: Any,
    offsets: Any,
    corner: Any,
    step: Any,
    count: Any,
    out: Any,
) -> None:
    """Filters w (groups, filters, channels, places) over lines of `length` numbers made of
    x (N, C, H, W); the windows of result, `count` of them, go to out (N, O, H, W) from `corner`
    on by `step`.
    """
    groups, filters, channels, _ = w.shape
    lines = numpy.zeros((channels, length), x.dtype)
    strip = max(1, min(count[0], STRIP // width))
    held = numpy.empty(4 * STRIP, x.dtype)
    for n in range(len(x)):
        for g in range(groups):
            for c in range(channels):
                _fill(x[n, g * channels + c], stride, padding, width, lines[c])
            for first in range(0, count[0], strip):
                rows = min(strip, count[0] - first)
                run = (rows - 1) * width + count[1]
                f = 0
                while f < filters:
                    many = 4 if f + 4 <= filters else 1
                    for i in range(many):
                        held[i * STRIP : i * STRIP + run] = bias[g * filters + f + i]
                    start = first * width
                    for c in range(channels):
                        if many == 4:
                            _add_four(lines[c], w[g, f : f + 4, c], offsets, start, run, held)
                        else:
                            _add_one(lines[c], w[g, f, c], offsets, start, held[:run])
                    for i in range(many):
                        for r in range(rows):
                            source = held[i * STRIP + r * width :][: count[1]]
                            row = corner[0] + (first + r) * step[0]
                            target = out[n, g * filters + f + i, row, corner[1] :]
                            if step[1] == 1:
                                for t in range(len(source)):
                                    target[t] = source[t]
                            else:
                                for t in range(len(source)):
                                    target[t * step[1]] = source[t]
                    f += many


@compiled
def _meet_four(line: Any, g: Any, f: int, offsets: Any, start: int, run: int, out: Any) -> None:
    """Add to out (4, places) the products of four runs of g with a line shifted."""
    a, b = g[f, start:][:run], g[f + 1, start:][:run]
    c, d = g[f + 2, start:][:run], g[f + 3, start:][:run]
    zero = g.dtype.type(0)
    k = 0
    while k + 3 <= len(offsets):
        x0 = line[start + offsets[k] :][:run]
        x1 = line[start + offsets[k + 1] :][:run]
        x2 = line[start + offsets[k + 2] :][:run]
        a0, a1, a2, b0, b1, b2 = zero, zero, zero, zero, zero, zero
        c0, c1, c2, d0, d1, d2 = zero, zero, zero, zero, zero, zero
        for t in range(run):
            p, q, r = x0[t], x1[t], x2[t]
            a0 += a[t] * p
            a1 += a[t] * q
            a2 += a[t] * r
            b0 += b[t] * p
            b1 += b[t] * q
            b2 += b[t] * r
            c0 += c[t] * p
            c1 += c[t] * q
            c2 += c[t] * r
            d0 += d[t] * p
            d1 += d[t] * q
            d2 += d[t] * r
        out[0, k] += a0
        out[0, k + 1] += a1
        out[0, k + 2] += a2
        out[1, k] += b0
        out[1, k + 1] += b1
        out[1, k + 2] += b2
        out[2, k] += c0
        out[2, k + 1] += c1
        out[2, k + 2] += c2
        out[3, k] += d0
        out[3, k + 1] += d1
        out[3, k + 2] += d2
        k += 3
    while k < len(offsets):
        x0 = line[start + offsets[k] :][:run]
        a0, b0, c0, d0 = zero, zero, zero, zero
        for t in range(run):
            a0 += a[t] * x0[t]
            b0 += b[t] * x0[t]
            c0 += c[t] * x0[t]
            d0 += d[t] * x0[t]
        out[0, k] += a0
        out[1, k] += b0
        out[2, k] += c0
        out[3, k] += d0
        k += 1


@compiled
def _meet_one(line: Any, g: Any, offsets: Any, start: int, out: Any) -> None:
    """Add to out (places) the products of one run with a line shifted."""
    run = len(g)
    zero = g.dtype.type(0)
    k = 0
    while k + 3 <= len(offsets):
        x0 = line[start + offsets[k] :][:run]
        x1 = line[start + offsets[k + 1] :][:run]
        x2 = line[start + offsets[k + 2] :][:run]
        a0, a1, a2 = zero, zero, zero
        for t in range(run):
            a0 += g[t] * x0[t]
            a1 += g[t] * x1[t]
            a2 += g[t] * x2[t]
        out[k] += a0
        out[k + 1] += a1
        out[k + 2] += a2
        k += 3
    while k < len(offsets):
        x0 = line[start + offsets[k] :][:run]
        a0 = zero
        for t in range(run):
            a0 += g[t] * x0[t]
        out[k] += a0
        k += 1


@compiled
def meet(
    x: Any, stride: Any, padding: Any, width: int, length: int, g: Any, offsets: Any, out: Any
) -> None:
    """Add to out (groups, filters, channels, places) what windows of x times g give."""
    groups, filters, channels, _ = out.shape
    rows, across = g.shape[2:]
    lines = numpy.zeros((channels, length), x.dtype)
    others = numpy.zeros((filters, rows * width), x.dtype)
    strip = max(1, min(rows, STRIP // width)) * width
    whole = (rows - 1) * width + across
    for n in range(len(x)):
        for h in range(groups):
            for c in range(channels):
                _fill(x[n, h * channels + c], stride, padding, width, lines[c])
            for f in range(filters):
                for r in range(rows):
                    source = g[n, h * filters + f, r]
                    target = others[f, r * width : r * width + across]
                    for t in range(across):
                        target[t] = source[t]
            for first in range(0, whole, strip):
                run = min(strip, whole - first)
                f = 0
                while f < filters:
                    many = 4 if f + 4 <= filters else 1
                    for c in range(channels):
                        if many == 4:
                            target = out[h, f : f + 4, c]
                            _meet_four(lines[c], others, f, offsets, first, run, target)
                        else:
                            source = others[f, first : first + run]
                            _meet_one(lines[c], source, offsets, first, out[h, f, c])
                    f += many
