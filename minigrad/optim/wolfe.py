"""A line search for a step that fulfils the strong Wolfe conditions, by cubic interpolation.

Source: Nocedal and Wright, "Numerical Optimization", 2nd edition 2006, algorithms 3.5 and 3.6 and
equation 3.59; the safeguards are those of Schmidt's minFunc, which torch has too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

DECREASE = 1e-4
CURVATURE = 0.9
MOST_STEPS = 25


class Point(NamedTuple):
    """A place on the line: how far along, the loss, its flat gradient, the slope on the line."""

    step: float
    loss: float
    gradient: Any
    slope: float


def search(
    evaluate: Callable[[float], Point], start: Point, step: float, width: float, tolerance: float
) -> tuple[Point, int]:
    """A point that fulfils both conditions, or the best one found, and how many were evaluated.

    `evaluate` gives the point at a step from `start`, `step` is the first to try; `width` is the
    largest element of the direction: the search ends where that moves less than `tolerance`.
    """

    def falls_short(point: Point) -> bool:
        return point.loss > start.loss + DECREASE * point.step * start.slope

    def is_flat(point: Point) -> bool:
        return abs(point.slope) <= -CURVATURE * start.slope

    before, point = start, evaluate(step)
    evaluations = 1
    count = 0
    ends = [start, point]
    while count < MOST_STEPS:
        if falls_short(point) or (count > 1 and point.loss >= before.loss):
            ends = [before, point]
            break
        if is_flat(point):
            return point, evaluations
        if point.slope >= 0:
            ends = [before, point]
            break
        low = point.step + 0.01 * (point.step - before.step)
        further = _cubic_minimum(before, point, low, point.step * 10)
        before, point = point, evaluate(further)
        evaluations += 1
        count += 1
        ends = [start, point]
    best = 0 if ends[0].loss <= ends[1].loss else 1
    stalled = False
    while count < MOST_STEPS and abs(ends[1].step - ends[0].step) * width >= tolerance:
        low, high = sorted((ends[0].step, ends[1].step))
        further = _cubic_minimum(ends[0], ends[1], low, high)
        further, stalled = _kept_inside(further, low, high, stalled)
        point = evaluate(further)
        evaluations += 1
        count += 1
        if falls_short(point) or point.loss >= ends[best].loss:
            ends[1 - best] = point
            best = 0 if ends[0].loss <= ends[1].loss else 1
            continue
        done = is_flat(point)
        if not done and point.slope * (ends[1 - best].step - ends[best].step) >= 0:
            ends[1 - best] = ends[best]
        ends[best] = point
        if done:
            break
    return ends[best], evaluations


def _kept_inside(step: float, low: float, high: float, stalled: bool) -> tuple[float, bool]:
    """The step, moved off the ends of the bracket if it came too near one of them twice."""
    margin = 0.1 * (high - low)
    if min(high - step, step - low) >= margin:
        return step, False
    if not (stalled or step >= high or step <= low):
        return step, True
    nearer_high = abs(step - high) < abs(step - low)
    return (high - margin if nearer_high else low + margin), False


def _cubic_minimum(first: Point, second: Point, low: float, high: float) -> float:
    """The minimum of the cubic through two points with their slopes, kept within bounds."""
    if first.step > second.step:
        first, second = second, first
    width = second.step - first.step
    if not width:
        return (low + high) / 2
    chord = first.slope + second.slope - 3 * (first.loss - second.loss) / -width
    square = chord * chord - first.slope * second.slope
    if not square >= 0:
        return (low + high) / 2
    root = math.sqrt(square)
    bend = second.slope - first.slope + 2 * root
    if not bend:
        return (low + high) / 2
    share = (second.slope + root - chord) / bend
    return min(max(second.step - width * share, low), high)
