"""autograd.scipy.integrate.odeint: solutions of ordinary differential equations.

The solver is written with arrays that carry gradients, so that these flow to the start, to the
times and to the arguments, and to whatever the function's closure holds.

Source: Dormand and Prince, "A family of embedded Runge-Kutta formulae", 1980; the choice of steps
is that of Hairer, Norsett and Wanner, "Solving Ordinary Differential Equations I", II.4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from minigrad.errors import ArgumentError
from minigrad.numpy.base import floating, raw
from minigrad.numpy.joining import stack

__all__ = ["odeint"]

# The stages' places in a step, their weights, those of the fifth order, and of its error.
_PLACES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0)
_STAGES: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)
_FIFTH = (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84)
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def _weighted(weights: tuple[float, ...], slopes: list[Any]) -> Any:
    total: Any = None
    for weight, slope in zip(weights, slopes):
        if weight:
            total = slope * weight if total is None else total + slope * weight
    return total


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    args: tuple[Any, ...] = (),
    *,
    rtol: float = 1.49012e-8,
    atol: float = 1.49012e-8,
    mxstep: int = 100_000,
    tfirst: bool = False,
) -> Any:
    """The solution of `dy/dt = func(y, t, *args)` at the times `t`, one row for each.

    Steps are chosen so that the error of each stays within `atol + rtol * abs(y)`. The method is
    explicit: for stiff equations it needs many steps. Raises ArgumentError after `mxstep` steps
    between two times.

    >>> import numpy
    >>> odeint(lambda y, t: -y, numpy.ones(1), [0.0, 1.0])
    array([[1.        ],
           [0.36787944]])
    """
    y, times = floating(y0), floating(t)

    def slope(y: Any, s: Any) -> Any:
        return floating(func(s, y, *args) if tfirst else func(y, s, *args))

    found = [y]
    length = 1.0
    for number in range(1, len(times)):
        start, span = times[number - 1], times[number] - times[number - 1]
        place, size = 0.0, abs(float(raw(span)))
        part = min(1.0, length / size) if size else 1.0
        first = slope(y, start)
        for _ in range(mxstep):
            if place >= 1.0 or not size:
                break
            part = min(part, 1.0 - place)
            moved, last, error = _step(slope, y, first, start + span * place, span * part)
            scale = atol + rtol * numpy.maximum(abs(raw(y)), abs(raw(moved)))
            worst = float(numpy.sqrt(numpy.mean((raw(error) / scale) ** 2)))
            if worst <= 1.0:
                y, first, place = moved, last, place + part
                place = 1.0 if 1.0 - place < 1e-14 else place
            part *= min(5.0, max(0.2, 0.9 * (worst + 1e-30) ** -0.2))
        else:
            raise ArgumentError(
                f"odeint(): {mxstep} steps do not lead from time {raw(times)[number - 1]} to "
                f"{raw(times)[number]}; the equation may be stiff, or give a larger rtol or mxstep"
            )
        length = part * size or length
        found.append(y)
    return stack(found)


def _step(slope: Any, y: Any, first: Any, time: Any, h: Any) -> tuple[Any, Any, Any]:
    """One step: the solution after it, the slope there, and the error of the solution."""
    slopes = [first]
    for place, weights in zip(_PLACES[1:], _STAGES[1:]):
        slopes.append(slope(y + h * _weighted(weights, slopes), time + h * place))
    moved = y + h * _weighted(_FIFTH, slopes)
    slopes.append(slope(moved, time + h))
    return moved, slopes[-1], raw(h) * raw(_weighted(_ERROR, slopes))
