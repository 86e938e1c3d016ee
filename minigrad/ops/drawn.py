"""Random numbers whose distributions tensors describe: gamma, Dirichlet, Poisson, binomial."""

from __future__ import annotations

from typing import Any

from minigrad.backend import rejection
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import broadcasting, primitive
from minigrad.ops.implicit import dirichlet_slope, gamma_slope
from minigrad.ops.promotion import convert
from minigrad.ops.random import generator_or_default
from minigrad.ops.reduce import sum_to
from minigrad.ops.select import zero

__all__ = ["binomial", "poisson"]


def _gamma_rule(g: Any, concentration: Any, out: Any, dtype: Any) -> Any:
    return convert(g * gamma_slope(concentration, out), dtype)


@primitive(concentration=_gamma_rule)
def _standard_gamma(xp: Any, concentration: Any, *, draw: Any) -> Any:
    return draw(xp, concentration)


def standard_gamma(concentration: Any, *, generator: Any = None) -> Any:
    """Gamma numbers of scale 1, with the concentration's gradient; never 0."""
    source = generator_or_default(generator)

    def draw(xp: Any, array: Any) -> Any:
        return _positive(xp, xp.exp(rejection.log_gamma(source, xp, array)), array.dtype)

    return _standard_gamma(concentration, draw=draw)


def _positive(xp: Any, values: Any, dtype: Any) -> Any:
    """Numbers in a dtype, of which none is 0, so that they have logarithms."""
    return xp.maximum(values.astype(dtype), xp.finfo(dtype).tiny).astype(dtype)


def _dirichlet_rule(g: Any, concentration: Any, out: Any, shape: Any, dtype: Any) -> Any:
    size = (*shape[:-1], 1)
    # A part that grows takes from the others what each of them has.
    moved = g - sum_to(g * out, size=size)
    slope = dirichlet_slope(out, concentration, sum_to(concentration, size=size))
    return convert(moved * slope, dtype)


@primitive(concentration=_dirichlet_rule)
def _dirichlet(xp: Any, concentration: Any, *, draw: Any) -> Any:
    return draw(xp, concentration)


def dirichlet(concentration: Any, *, generator: Any = None) -> Any:
    """Dirichlet vectors along the last dimension, with the concentration's gradient."""
    source = generator_or_default(generator)

    def draw(xp: Any, array: Any) -> Any:
        # Normalised as logarithms: with small concentrations the gamma numbers themselves are 0.
        values = rejection.log_gamma(source, xp, array)
        values -= values.max(-1, keepdims=True)
        values = xp.exp(values)
        values /= values.sum(-1, keepdims=True)
        return _positive(xp, values, array.dtype)

    return _dirichlet(concentration, draw=draw)


@primitive(input=lambda g: zero(g))
def _poisson(xp: Any, input: Any, *, draw: Any) -> Any:
    return draw(xp, input)


def poisson(input: Any, generator: Any = None) -> Any:
    """Poisson numbers of the means that the input holds, in its shape and dtype.

    Raises ArgumentError for a mean below zero. No gradient passes: it is zero, as in torch.

    >>> import minigrad
    >>> minigrad.poisson(minigrad.zeros(3))
    tensor([0., 0., 0.])
    """
    _check_floating("poisson", "input", input)
    source = generator_or_default(generator)

    def draw(xp: Any, rate: Any) -> Any:
        if not bool((rate >= 0).all()):
            raise ArgumentError("poisson(): argument 'input' holds a mean below zero, or nan")
        return rejection.poisson(source, xp, rate).astype(rate.dtype)

    return _poisson(input, draw=draw)


@broadcasting(count=lambda g: zero(g), prob=lambda g: zero(g))
def _binomial(xp: Any, count: Any, prob: Any, *, draw: Any) -> Any:
    return draw(xp, count, prob)


def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """The numbers of successes among `count` trials of probability `prob` each.

    Both are broadcast; the result has their dtype. Raises ArgumentError for a count below zero or
    a probability outside [0, 1]. No gradient passes: it is zero, as in torch.
    """
    _check_floating("binomial", "count", count)
    _check_floating("binomial", "prob", prob)
    if count.dtype != prob.dtype:
        raise DtypeError(
            f"binomial(): argument 'count' has dtype {count.dtype} and 'prob' {prob.dtype}; they "
            "must be equal"
        )
    source = generator_or_default(generator)

    def draw(xp: Any, trials: Any, chance: Any) -> Any:
        if not bool((trials >= 0).all()):
            raise ArgumentError("binomial(): argument 'count' holds a number below zero, or nan")
        if not bool(((chance >= 0) & (chance <= 1)).all()):
            raise ArgumentError("binomial(): argument 'prob' holds a number outside [0, 1]")
        trials, chance = xp.broadcast_arrays(trials, chance)
        return rejection.binomial(source, xp, trials, chance).astype(chance.dtype)

    return _binomial(count, prob, draw=draw)


def _check_floating(operation: str, name: str, value: Any) -> None:
    dtype = getattr(value, "dtype", None)
    if dtype is None or dtype.kind != "f":
        found = type(value).__name__ if dtype is None else dtype
        raise DtypeError(
            f"{operation}(): argument '{name}' must be a floating Tensor, not {found}; for example "
            f"{name}.float()"
        )
