"""The steps of optimizers in one pass over memory each.

A loop over a slice from 0 on runs in vector registers; one from `start` on would not, since an
index could be negative.

Every result is rounded where the plain formulas round it and nowhere else (no fused multiply-add,
no reordering), so that both are equal bit for bit, and it does not matter which one ran.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels.compiled.compiler import compiled_exactly
from minigrad.kernels.compiled.pieces import spread


def _flat(p: Any, g: Any, *state: Any) -> list[Any] | None:
    """The arrays as flat ones, None left out; None where one has another type or layout."""
    dtype, shape = p.dtype, p.shape
    arrays = [p, g if g.flags.c_contiguous else numpy.ascontiguousarray(g)]
    # An array that is not there is stood for by p, which its loop does not touch.
    arrays += [p if array is None else array for array in state]
    for array in arrays:
        if array.dtype is not dtype or array.shape != shape or not array.flags.c_contiguous:
            return None
    return [array.reshape(-1) for array in arrays]


@compiled_exactly
def _adam(
    p: Any,
    g: Any,
    mean: Any,
    square: Any,
    largest: Any,
    flags: int,
    numbers: Any,
    start: int,
    stop: int,
) -> None:
    kind = p.dtype.type
    shrink, decay, eps, scale = (
        kind(numbers[0]),
        kind(numbers[1]),
        kind(numbers[2]),
        kind(numbers[3]),
    )
    first, rest, second, left = (
        kind(numbers[4]),
        kind(numbers[5]),
        kind(numbers[6]),
        kind(numbers[7]),
    )
    shrinks, decays, keeps = flags & 1, flags & 2, flags & 4
    p = p[start:stop]
    g = g[start:stop]
    mean = mean[start:stop]
    square = square[start:stop]
    largest = largest[start:stop]
    for i in range(len(p)):
        value, slope = p[i], g[i]
        if shrinks:
            value = value * shrink
        if decays:
            slope = slope + decay * value
        m = mean[i] * first + slope * rest
        s = square[i] * second + slope * slope * left
        mean[i] = m
        square[i] = s
        if keeps:
            # The larger; a NaN wins.
            most = largest[i]
            s = s if s > most or s != s else most
            largest[i] = s
        p[i] = value - m / (numpy.sqrt(s) + eps) * scale


def adam_update(
    xp: Any,
    p: Any,
    g: Any,
    mean: Any,
    square: Any,
    largest: Any,
    shrink: float | None,
    decay: float,
    betas: tuple[float, float],
    eps: float,
    scale: float,
) -> bool | None:
    """One step of Adam."""
    arrays = _flat(p, g, mean, square, largest)
    if arrays is None:
        return None
    first, second = betas
    flags = (shrink is not None) + 2 * bool(decay) + 4 * (largest is not None)
    means = (float(first), 1.0 - first, float(second), 1.0 - second)
    numbers = (float(shrink or 0), float(decay), float(eps), float(scale), *means)
    spread(_adam, p.size, p.size, *arrays, flags, numbers)
    return True


@compiled_exactly
def _sgd(p: Any, g: Any, velocity: Any, flags: int, numbers: Any, start: int, stop: int) -> None:
    kind = p.dtype.type
    lr, momentum = kind(numbers[0]), kind(numbers[1])
    share, decay = kind(numbers[2]), kind(numbers[3])
    moves, decays, looks_ahead = flags & 1, flags & 2, flags & 4
    p = p[start:stop]
    g = g[start:stop]
    velocity = velocity[start:stop]
    for i in range(len(p)):
        value, slope = p[i], g[i]
        if decays:
            slope = slope + decay * value
        if moves:
            v = velocity[i] * momentum + slope * share
            velocity[i] = v
            slope = slope + momentum * v if looks_ahead else v
        p[i] = value - lr * slope


def sgd_update(
    xp: Any,
    p: Any,
    g: Any,
    velocity: Any,
    lr: float,
    momentum: float,
    share: float,
    decay: float,
    nesterov: bool,
) -> bool | None:
    """One step of gradient descent."""
    arrays = _flat(p, g, velocity)
    if arrays is None:
        return None
    flags = (velocity is not None) + 2 * bool(decay) + 4 * bool(nesterov)
    numbers = (float(lr), float(momentum), float(share), float(decay))
    spread(_sgd, p.size, p.size, *arrays, flags, numbers)
    return True


@compiled_exactly
def _rmsprop(
    p: Any,
    g: Any,
    square: Any,
    mean: Any,
    velocity: Any,
    flags: int,
    numbers: Any,
    start: int,
    stop: int,
) -> None:
    kind = p.dtype.type
    lr, alpha, rest = kind(numbers[0]), kind(numbers[1]), kind(numbers[2])
    eps, momentum, decay = kind(numbers[3]), kind(numbers[4]), kind(numbers[5])
    decays, centred, moves = flags & 1, flags & 2, flags & 4
    p = p[start:stop]
    g = g[start:stop]
    square = square[start:stop]
    mean = mean[start:stop]
    velocity = velocity[start:stop]
    for i in range(len(p)):
        value, slope = p[i], g[i]
        if decays:
            slope = slope + decay * value
        s = square[i] * alpha + rest * (slope * slope)
        square[i] = s
        if centred:
            m = mean[i]
            m = m + rest * (slope - m)
            mean[i] = m
            s = s - m * m
        step = slope / (numpy.sqrt(s) + eps)
        if moves:
            step = velocity[i] * momentum + step
            velocity[i] = step
        p[i] = value - lr * step


def rmsprop_update(
    xp: Any,
    p: Any,
    g: Any,
    square: Any,
    mean: Any,
    velocity: Any,
    lr: float,
    alpha: float,
    eps: float,
    momentum: float,
    decay: float,
) -> bool | None:
    """One step of RMSprop."""
    arrays = _flat(p, g, square, mean, velocity)
    if arrays is None:
        return None
    flags = bool(decay) + 2 * (mean is not None) + 4 * (velocity is not None)
    numbers = (
        float(lr),
        float(alpha),
        1.0 - alpha,
        float(eps),
        float(momentum),
        float(decay),
    )
    spread(_rmsprop, p.size, p.size, *arrays, flags, numbers)
    return True
