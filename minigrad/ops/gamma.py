"""The gamma function's logarithm, its derivatives and its incomplete forms, and zeta sums."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ArgumentError, NoDerivativeError
from minigrad.graph import Rule
from minigrad.ops.elementwise import add
from minigrad.ops.formulas import evaluate
from minigrad.ops.functions import exp
from minigrad.ops.operands import between, check_tensor
from minigrad.ops.promotion import quotient, require_floating, transcendental
from minigrad.ops.special import xlogy

__all__ = ["digamma", "igamma", "igammac", "lgamma", "mvlgamma", "polygamma"]


def refused(operation: str, name: str, instead: str) -> Rule:
    """A rule that raises NoDerivativeError: torch, too, has no derivative by this argument."""

    def rule(g: Any) -> Any:
        raise NoDerivativeError(
            f"{operation}(): the derivative by argument '{name}' is not implemented; {instead}"
        )

    return rule


@transcendental(input=lambda g, input: g * digamma(input))
def lgamma(xp: Any, input: Any) -> Any:
    """The logarithm of the magnitude of the gamma function; infinite at 0, -1, -2, ..."""
    return evaluate(xp, "gamma.lgamma", input)


@transcendental(input=lambda g, input: g * polygamma(1, input))
def digamma(xp: Any, input: Any) -> Any:
    """The derivative of `lgamma`; NaN at -1, -2, ..., infinite at 0."""
    return evaluate(xp, "gamma.digamma", input)


@transcendental(input=lambda g, input, n: g * _polygamma(input, n=n + 1))
def _polygamma(xp: Any, input: Any, *, n: int) -> Any:
    return evaluate(xp, "zeta.polygamma", input, n=n)


def polygamma(n: int, input: Any) -> Any:
    """The n-th derivative of `digamma`. Raises ArgumentError for a negative n.

    >>> import minigrad
    >>> minigrad.polygamma(1, minigrad.tensor([1.0, 2.0]))
    tensor([1.6449, 0.6449])
    """
    if n < 0:
        raise ArgumentError(f"polygamma(): argument 'n' must not be negative, got {n}")
    return _polygamma(input, n=n)


def polygamma_of(input: Any, n: int) -> Any:
    """`polygamma` in the order of a method's arguments."""
    return polygamma(n, input)


def mvlgamma(input: Any, p: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension p (DLMF 35.3.4)."""
    if p < 1:
        raise ArgumentError(f"mvlgamma(): argument 'p' must be at least 1, got {p}")
    total = lgamma(input)
    for j in range(1, p):
        total = add(total, lgamma(add(input, -0.5 * j)))
    return add(total, p * (p - 1) / 4 * math.log(math.pi))


@quotient(
    input=refused("zeta", "input", "detach it, or take the sum's terms themselves"),
    other=lambda g, input, other: -g * (input * zeta(input + 1, other)),
)
def zeta(xp: Any, input: Any, other: Any) -> Any:
    """The Hurwitz zeta function: the sum of (other + k) ** -input over k = 0, 1, 2, ...

    Infinite for input 1, NaN below. It has no derivative by `input`.
    """
    return evaluate(xp, "zeta.zeta", input, other)


def _density(input: Any, other: Any) -> Any:
    """The derivative of the lower function by `other`."""
    return exp(xlogy(input - 1, other) - other - lgamma(input))


_BY_SHAPE = "detach it, or use finite differences for a gradient by the shape"


@between(
    input=refused("igamma", "input", _BY_SHAPE),
    other=lambda g, input, other: g * _density(input, other),
)
def igamma(xp: Any, input: Any, other: Any) -> Any:
    """The regularised lower incomplete gamma function of shape `input` at `other`.

    NaN for negative arguments. It has no derivative by `input`. Raises DtypeError for integers.
    """
    _check_floats("igamma", input, other)
    return evaluate(xp, "incomplete_gamma.igamma", input, other)


@between(
    input=refused("igammac", "input", _BY_SHAPE),
    other=lambda g, input, other: -g * _density(input, other),
)
def igammac(xp: Any, input: Any, other: Any) -> Any:
    """The regularised upper incomplete gamma function, 1 - igamma(input, other)."""
    _check_floats("igammac", input, other)
    return evaluate(xp, "incomplete_gamma.igammac", input, other)


def _check_floats(operation: str, input: Any, other: Any) -> None:
    for name, value in (("input", input), ("other", other)):
        check_tensor(operation, name, value)
        require_floating(operation, name, value)
