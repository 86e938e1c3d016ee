"""The steps of optimizers in plain array operations: parameter and state change in place.

The compiled twins take the very same roundings in the same order, so that the results are equal
bit for bit.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend import ndarray

BLOCK = 32_768
"""Elements per block of a large update: small enough that all operands stay in the cache."""


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
) -> None:
    """One step of Adam: p -= scale * mean / (sqrt(square) + eps), the means brought up to date.

    `largest` is the largest mean square so far, which then takes the place of `square`, or None;
    `shrink` multiplies p first, unless it is None; `decay` * p is added to the gradient.
    """
    state = tuple(array for array in (mean, square, largest) if array is not None)
    if p.size <= BLOCK or not all(array.flags.c_contiguous for array in (p, *state)):
        _adam(xp, p, g, mean, square, largest, shrink, decay, betas, eps, scale)
        return
    p, g, mean, square = (array.reshape(-1) for array in (p, g, mean, square))
    largest = None if largest is None else largest.reshape(-1)
    for start in range(0, p.size, BLOCK):
        at = slice(start, start + BLOCK)
        most = None if largest is None else largest[at]
        _adam(xp, p[at], g[at], mean[at], square[at], most, shrink, decay, betas, eps, scale)


def _adam(
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
) -> None:
    first, second = betas
    numbers: Any = (first, 1 - first, second, 1 - second, eps, scale)
    if p.__class__ is ndarray:
        # NumPy takes an array without dimensions faster than a number.
        numbers = [xp.asarray(number, p.dtype) for number in numbers]
    first, rest, second, left, eps, scale = numbers
    if shrink is not None:
        p *= shrink
    if decay:
        g = g + decay * p
    scratch = xp.empty_like(g)
    xp.multiply(g, rest, out=scratch)
    mean *= first
    mean += scratch
    xp.multiply(g, g, out=scratch)
    scratch *= left
    square *= second
    square += scratch
    if largest is not None:
        xp.maximum(largest, square, out=largest)
        square = largest
    xp.sqrt(square, out=scratch)
    scratch += eps
    xp.divide(mean, scratch, out=scratch)
    scratch *= scale
    p -= scratch


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
) -> None:
    """One step of gradient descent: velocity = momentum * velocity + share * g; p -= lr * velocity.

    `velocity` is None without momentum; `decay` * p is added to the gradient; `nesterov` steps
    by g + momentum * velocity.
    """
    if decay:
        g = g + decay * p
    if velocity is not None:
        velocity *= momentum
        velocity += g if share == 1 else g * share
        g = g + momentum * velocity if nesterov else velocity
    p -= lr * g


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
) -> None:
    """One step of RMSprop: p -= lr * g / (sqrt(square) + eps), the means brought up to date.

    `mean` is that of the gradient, whose square is subtracted, and `velocity` gathers the steps;
    each may be None. `decay` * p is added to the gradient.
    """
    if decay:
        g = g + decay * p
    square *= alpha
    square += (1 - alpha) * (g * g)
    if mean is not None:
        mean += (1 - alpha) * (g - mean)
        scale = xp.sqrt(square - mean * mean)
    else:
        scale = xp.sqrt(square)
    scale += eps
    if velocity is not None:
        velocity *= momentum
        velocity += g / scale
        p -= lr * velocity
    else:
        p -= lr * (g / scale)
