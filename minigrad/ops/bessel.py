"""Bessel functions, plain, modified and spherical, and Airy's function."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.elementwise import sgn
from minigrad.ops.formulas import evaluate
from minigrad.ops.promotion import transcendental
from minigrad.ops.select import where
from minigrad.ops.special import _sinc_rule

__all__ = ["i0"]


@transcendental(input=lambda g, input: g * i1(input))
def i0(xp: Any, input: Any) -> Any:
    """The modified Bessel function of the first kind, order 0."""
    return evaluate(xp, "bessel.i0", input)


@transcendental(input=lambda g, input, out: g * (i1e(input) - sgn(input) * out))
def i0e(xp: Any, input: Any) -> Any:
    """`i0` times exp(-|x|), which does not overflow."""
    return evaluate(xp, "bessel.i0e", input)


def _over(value: Any, input: Any) -> Any:
    """The quotient of an odd function with slope 1/2 at 0, where the quotient is 1/2."""
    at_zero = input == 0
    return where(at_zero, 0.5, value / where(at_zero, 1, input))


@transcendental(input=lambda g, input, out: g * (i0(input) - _over(out, input)))
def i1(xp: Any, input: Any) -> Any:
    """The modified Bessel function of the first kind, order 1."""
    return evaluate(xp, "bessel.i1", input)


@transcendental(input=lambda g, input, out: g * (i0e(input) - out * sgn(input) - _over(out, input)))
def i1e(xp: Any, input: Any) -> Any:
    """`i1` times exp(-|x|), which does not overflow."""
    return evaluate(xp, "bessel.i1e", input)


def modified_bessel_i0(input: Any) -> Any:
    """The modified Bessel function of the first kind, order 0: another name of `i0`."""
    return i0(input)


def modified_bessel_i1(input: Any) -> Any:
    """The modified Bessel function of the first kind, order 1: another name of `i1`."""
    return i1(input)


@transcendental(input=lambda g, input: -g * modified_bessel_k1(input))
def modified_bessel_k0(xp: Any, input: Any) -> Any:
    """The modified Bessel function of the second kind, order 0: infinite at 0, NaN below."""
    return evaluate(xp, "bessel.modified_bessel_k0", input)


@transcendental(input=lambda g, input, out: -g * (modified_bessel_k0(input) + out / input))
def modified_bessel_k1(xp: Any, input: Any) -> Any:
    """The modified Bessel function of the second kind, order 1: infinite at 0, NaN below."""
    return evaluate(xp, "bessel.modified_bessel_k1", input)


@transcendental(x=lambda g, x, out: g * (out - scaled_modified_bessel_k1(x)))
def scaled_modified_bessel_k0(xp: Any, x: Any) -> Any:
    """`modified_bessel_k0` times exp(x), which does not underflow."""
    return evaluate(xp, "bessel.scaled_modified_bessel_k0", x)


@transcendental(x=lambda g, x, out: g * (out - out / x - scaled_modified_bessel_k0(x)))
def scaled_modified_bessel_k1(xp: Any, x: Any) -> Any:
    """`modified_bessel_k1` times exp(x), which does not underflow."""
    return evaluate(xp, "bessel.scaled_modified_bessel_k1", x)


@transcendental(input=lambda g, input: -g * bessel_j1(input))
def bessel_j0(xp: Any, input: Any) -> Any:
    """The Bessel function of the first kind, order 0.

    >>> import minigrad
    >>> minigrad.special.bessel_j0(minigrad.tensor([0.0, 2.0]))
    tensor([1.0000, 0.2239])
    """
    return evaluate(xp, "bessel.bessel_j0", input)


@transcendental(input=lambda g, input, out: g * (bessel_j0(input) - _over(out, input)))
def bessel_j1(xp: Any, input: Any) -> Any:
    """The Bessel function of the first kind, order 1."""
    return evaluate(xp, "bessel.bessel_j1", input)


@transcendental(input=lambda g, input: -g * bessel_y1(input))
def bessel_y0(xp: Any, input: Any) -> Any:
    """The Bessel function of the second kind, order 0: minus infinity at 0, NaN below."""
    return evaluate(xp, "bessel.bessel_y0", input)


@transcendental(input=lambda g, input, out: g * (bessel_y0(input) - out / input))
def bessel_y1(xp: Any, input: Any) -> Any:
    """The Bessel function of the second kind, order 1: minus infinity at 0, NaN below."""
    return evaluate(xp, "bessel.bessel_y1", input)


@transcendental(x=lambda g, x: _sinc_rule(g / math.pi, x / math.pi))
def spherical_bessel_j0(xp: Any, x: Any) -> Any:
    """The spherical Bessel function of the first kind, order 0: sin(x) / x, and 1 at 0."""
    return evaluate(xp, "bessel.spherical_bessel_j0", x)


@transcendental(x=lambda g, x: g * _airy_ai_slope(x))
def airy_ai(xp: Any, x: Any) -> Any:
    """Airy's function Ai, the solution of y'' = x y that goes to 0 for large x."""
    return evaluate(xp, "airy.airy_ai", x)


@transcendental(x=lambda g, x: g * (x * airy_ai(x)))
def _airy_ai_slope(xp: Any, x: Any) -> Any:
    """The derivative of Airy's function."""
    return evaluate(xp, "airy.airy_ai_slope", x)
