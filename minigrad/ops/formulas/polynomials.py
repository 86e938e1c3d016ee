"""Orthogonal polynomials by their three-term recurrences, and Chebyshev's of large degree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.ops.formulas import in_cases

_LARGE = 40
"""Degrees from which Chebyshev's polynomials are taken from angles, not step by step."""


class _Family(NamedTuple):
    """p[1] = slope x + constant, and p[m + 1] = (a x + b) p[m] - c p[m - 1] with a, b, c of m."""

    slope: float
    constant: float
    step: Callable[[int], tuple[float, float, float]]


def _chebyshev_step(m: int) -> tuple[float, float, float]:
    return 2.0, 0.0, 1.0


# DLMF 18.9.1, with tables 18.9.1 and 18.9.2; V and W are named as in the third and fourth kinds of
# J. C. Mason and D. C. Handscomb, "Chebyshev Polynomials" (2003), 1.2.
_FAMILIES = {
    "t": _Family(1.0, 0.0, _chebyshev_step),
    "u": _Family(2.0, 0.0, _chebyshev_step),
    "v": _Family(2.0, -1.0, _chebyshev_step),
    "w": _Family(2.0, 1.0, _chebyshev_step),
    "h": _Family(2.0, 0.0, lambda m: (2.0, 0.0, 2.0 * m)),
    "he": _Family(1.0, 0.0, lambda m: (1.0, 0.0, float(m))),
    "l": _Family(-1.0, 1.0, lambda m: (-1 / (m + 1), (2 * m + 1) / (m + 1), m / (m + 1))),
    "p": _Family(1.0, 0.0, lambda m: ((2 * m + 1) / (m + 1), 0.0, m / (m + 1))),
}


def polynomial(xp: Any, x: Any, n: Any, *, family: str, order: int) -> Any:
    """The derivative of an order of a family's polynomials, of degrees cut to integers."""
    shifted = family.startswith("shifted ")
    family = family.removeprefix("shifted ")
    if shifted:
        x = 2 * x - 1
    degree = xp.trunc(n)
    known = xp.isfinite(degree)
    large = known & (degree >= _LARGE) & (family in _ANGLES and order == 0)
    cases = (
        (known & ~large, lambda x, n: _recurrence(xp, x, n, _FAMILIES[family], order)),
        (large, lambda x, n: _by_angles(xp, x, n, family)),
    )
    value = in_cases(xp, cases, x, degree)
    return value * 2.0**order if shifted else value


def _recurrence(xp: Any, x: Any, n: Any, family: _Family, order: int) -> Any:
    """The recurrence, differentiated `order` times: every step needs all lower derivatives."""
    last = [xp.ones_like(x), *[xp.zeros_like(x)] * order]
    value = [family.slope * x + family.constant, xp.full(x.shape, family.slope)]
    value = [*value, *[xp.zeros_like(x)] * order][: order + 1]
    out = xp.where(n == 0, last[order], xp.where(n == 1, value[order], 0.0))
    for m in range(1, int(n.max())):
        a, b, c = family.step(m)
        factor = a * x + b
        following = [factor * now - c * before for now, before in zip(value, last)]
        for k in range(1, order + 1):
            following[k] += k * a * value[k - 1]
        last, value = value, following
        out = xp.where(n == m + 1, value[order], out)
    return out


def _u_of(xp: Any, cos: Any, sin: Any, angle: Any, n: Any) -> Any:
    flat = angle == 0
    return xp.where(flat, n + 1, sin((n + 1) * angle) / xp.where(flat, 1.0, sin(angle)))


def _w_of(xp: Any, cos: Any, sin: Any, angle: Any, n: Any) -> Any:
    flat = angle == 0
    half = 0.5 * angle
    return xp.where(flat, 2 * n + 1, sin((2 * n + 1) * half) / xp.where(flat, 1.0, sin(half)))


# The polynomials as functions of the angle whose cosine is x (DLMF 18.5.1 to 18.5.4).
_ANGLES: dict[str, Callable[..., Any]] = {
    "t": lambda xp, cos, sin, angle, n: cos(n * angle),
    "u": _u_of,
    "v": lambda xp, cos, sin, angle, n: cos((n + 0.5) * angle) / cos(0.5 * angle),
    "w": _w_of,
}
_MIRRORED = {"t": "t", "u": "u", "v": "w", "w": "v"}


def _by_angles(xp: Any, x: Any, n: Any, family: str) -> Any:
    """Chebyshev's polynomials from the angle, which is imaginary beyond 1."""

    def right(family: str) -> Callable[[Any, Any], Any]:
        formula = _ANGLES[family]

        def of(x: Any, n: Any) -> Any:
            inside = formula(xp, xp.cos, xp.sin, xp.arccos(xp.minimum(x, 1.0)), n)
            outside = formula(xp, xp.cosh, xp.sinh, xp.arccosh(xp.maximum(x, 1.0)), n)
            return xp.where(x <= 1, inside, outside)

        return of

    def left(x: Any, n: Any) -> Any:
        return (1 - 2 * (n % 2)) * right(_MIRRORED[family])(-x, n)

    return in_cases(xp, ((x >= 0, right(family)), (x < 0, left)), x, n)
