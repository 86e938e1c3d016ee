"""Writes the tables of minigrad/ops/formulas from definitions: `python -m tests.special_tables`.

Every table is a series of Chebyshev polynomials of what is left of a function when its known
behaviour is taken away, worked out with mpmath in 40 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import mpmath as mp

FORMULAS = Path(__file__).parent.parent / "minigrad" / "ops" / "formulas"
NODES = 64
SMALLEST = mp.mpf("2e-18")


def series(function: Callable[[Any], Any]) -> list[float]:
    """The coefficients of a smooth function on [-1, 1], as far as a double's digits reach."""
    with mp.workdps(40):
        points = [mp.cos(mp.pi * (k + mp.mpf(1) / 2) / NODES) for k in range(NODES)]
        values = [function(t) for t in points]
        found = []
        for j in range(NODES):
            terms = (
                value * mp.cos(mp.pi * j * (k + mp.mpf(1) / 2) / NODES)
                for k, value in enumerate(values)
            )
            found.append(2 * mp.fsum(terms) / NODES)
        found[0] /= 2
        largest = max(abs(c) for c in found)
        while abs(found[-1]) < SMALLEST * largest:
            found.pop()
        return [float(c) for c in found]


# Bessel functions up to 8 in t = x * x / 32 - 1, beyond in t = 2 (8 / x) ** 2 - 1.
EDGE = 8


def near(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of x from 0 to 8 as one of t."""
    return lambda t: function(mp.sqrt(32 * (t + 1)))


def far(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of x from 8 on as one of t."""
    return lambda t: function(EDGE / mp.sqrt((t + 1) / 2))


@cache
def zeros(n: int) -> list[Any]:
    """The zeros of J of order n below 8."""
    with mp.workdps(40):
        return [mp.besseljzero(n, k) for k in (1, 2)]


def roots_removed(n: int) -> Callable[[Any], Any]:
    """J of order n over x ** n and over x * x - z * z of its two zeros below 8."""

    def function(x: Any) -> Any:
        product = mp.fprod(x * x - z * z for z in zeros(n))
        return mp.besselj(n, x) / (x**n * product)

    return function


def hankel(n: int, part: str) -> Callable[[Any], Any]:
    """P and Q * x / 8 of DLMF 10.17.3: J + i Y = sqrt(2 / (pi x)) (P + i Q) exp(i phase)."""

    def function(x: Any) -> Any:
        phase = x - mp.pi * (2 * n + 1) / 4
        value = mp.sqrt(mp.pi * x / 2) * (mp.besselj(n, x) + 1j * mp.bessely(n, x))
        value *= mp.expj(-phase)
        return value.real if part == "p" else value.imag * x / EDGE

    return function


def second_kind(x: Any) -> Any:
    return mp.bessely(0, x) - 2 / mp.pi * mp.log(x) * mp.besselj(0, x)


def second_kind_one(x: Any) -> Any:
    return (mp.bessely(1, x) - 2 / mp.pi * (mp.log(x) * mp.besselj(1, x) - 1 / x)) / x


BESSEL = {
    "J0_NEAR": near(roots_removed(0)),
    "J1_NEAR": near(roots_removed(1)),
    "Y0_NEAR": near(second_kind),
    "Y1_NEAR": near(second_kind_one),
    "P0_FAR": far(hankel(0, "p")),
    "Q0_FAR": far(hankel(0, "q")),
    "P1_FAR": far(hankel(1, "p")),
    "Q1_FAR": far(hankel(1, "q")),
}

# Modified ones: I in t = x / 4 - 1 and t = 16 / x - 1; K in t = x * x / 2 - 1 and t = 4 / x - 1.


def k_near(n: int) -> Callable[[Any], Any]:
    def function(t: Any) -> Any:
        x = mp.sqrt(2 * (t + 1))
        logarithm = mp.log(x / 2) * mp.besseli(n, x)
        return mp.besselk(0, x) + logarithm if n == 0 else x * (mp.besselk(1, x) - logarithm)

    return function


def i_near(n: int) -> Callable[[Any], Any]:
    def function(t: Any) -> Any:
        x = 4 * (t + 1)
        return mp.exp(-x) * mp.besseli(n, x) / x**n

    return function


def scaled(function: Any, n: int, edge: int, sign: int) -> Callable[[Any], Any]:
    def of(t: Any) -> Any:
        x = 2 * edge / (t + 1)
        return mp.sqrt(x) * mp.exp(sign * x) * function(n, x)

    return of


MODIFIED = {
    "I0_NEAR": i_near(0),
    "I0_FAR": scaled(mp.besseli, 0, 8, -1),
    "I1_NEAR": i_near(1),
    "I1_FAR": scaled(mp.besseli, 1, 8, -1),
    "K0_NEAR": k_near(0),
    "K0_FAR": scaled(mp.besselk, 0, 2, 1),
    "K1_NEAR": k_near(1),
    "K1_FAR": scaled(mp.besselk, 1, 2, 1),
}

# Airy's: from -5 to 2 in t = (2 x + 3) / 7; beyond 2 in t = 2 zeta(2) / zeta - 1; below -5 in
# t = 2 (zeta(5) / zeta) ** 2 - 1; zeta(x) = 2 / 3 |x| ** 1.5.
LOW, HIGH = -5, 2


def decaying(derivative: int) -> Callable[[Any], Any]:
    def function(t: Any) -> Any:
        x = HIGH * (2 / (t + 1)) ** (mp.mpf(2) / 3)
        growth = 2 * mp.sqrt(mp.pi) * mp.exp(2 * x ** mp.mpf("1.5") / 3)
        root = x ** mp.mpf("0.25")
        value = mp.airyai(x, derivative=derivative)
        return -value * growth / root if derivative else value * growth * root

    return function


def oscillating(derivative: int, part: str) -> Callable[[Any], Any]:
    """The two factors of DLMF 9.7.9 and 9.7.10, the second one times zeta / zeta(5)."""

    def function(t: Any) -> Any:
        relative = mp.sqrt(2 / (t + 1))
        size = -LOW * relative ** (mp.mpf(2) / 3)
        zeta = 2 * size ** mp.mpf("1.5") / 3
        turn = mp.expj(zeta + mp.pi / 4)
        root = size ** mp.mpf("0.25")
        pair = mp.airyai(-size, derivative=derivative), mp.airybi(-size, derivative=derivative)
        scale = mp.sqrt(mp.pi) * (1 / root if derivative else root)
        ai, bi = (scale * value for value in pair)
        if derivative:
            value = (-turn.real * ai + turn.imag * bi, -turn.imag * ai - turn.real * bi)
        else:
            value = (turn.imag * ai + turn.real * bi, turn.imag * bi - turn.real * ai)
        return value[0] if part == "p" else value[1] * relative

    return function


def middle(derivative: int) -> Callable[[Any], Any]:
    return lambda t: mp.airyai((7 * t - 3) / 2, derivative=derivative)


AIRY = {
    "AI_MIDDLE": middle(0),
    "AI_HIGH": decaying(0),
    "AI_LOW_P": oscillating(0, "p"),
    "AI_LOW_Q": oscillating(0, "q"),
    "SLOPE_MIDDLE": middle(1),
    "SLOPE_HIGH": decaying(1),
    "SLOPE_LOW_P": oscillating(1, "p"),
    "SLOPE_LOW_Q": oscillating(1, "q"),
}

HEAD = '''"""Chebyshev series of {what}; see tests/special_tables.py."""

from __future__ import annotations
'''
FILES = {
    "bessel_tables.py": ("the Bessel functions of orders 0 and 1", BESSEL),
    "modified_tables.py": ("modified Bessel functions of orders 0 and 1", MODIFIED),
    "airy_tables.py": ("Airy's function and its derivative", AIRY),
}


def split(value: Any) -> str:
    """A number as the sum of a double and what that leaves."""
    with mp.workdps(40):
        return f"({float(value)!r}, {float(value - mp.mpf(float(value)))!r})"


def lines(name: str, values: list[float]) -> list[str]:
    rows = [values[i : i + 3] for i in range(0, len(values), 3)]
    return [f"{name} = (", *[f"    {', '.join(map(repr, row))}," for row in rows], ")  # fmt: skip"]


def written(file: str) -> str:
    """The text of a file of tables."""
    what, tables = FILES[file]
    parts = [HEAD.format(what=what)]
    if file == "bessel_tables.py":
        for n in (0, 1):
            parts += [f"J{n}_ZEROS = (", *[f"    {split(zero)}," for zero in zeros(n)], ")"]
    for name, function in tables.items():
        parts += lines(name, series(function))
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    for file in FILES:
        (FORMULAS / file).write_text(written(file), "utf-8")
