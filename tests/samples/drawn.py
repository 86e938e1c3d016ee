"""Rows of random operations: the draw itself is checked elsewhere, here that no gradient passes."""

from __future__ import annotations

import importlib
from typing import Any

import numpy

from minigrad.backend import backend_of
from tests.samples.row import Row, Sample, sample, torch
from tests.samples.source import Source


class Fixed:
    """A generator that draws nothing: every number is a given one."""

    def bernoulli(self, xp: Any, probability: Any, shape: Any, dtype: Any) -> Any:
        return xp.ones(shape, dtype)

    def normal(self, xp: Any, shape: Any, dtype: Any) -> Any:
        return xp.ones(shape, dtype)

    def draw(self, xp: Any, shape: Any, dtype: Any) -> Any:
        """Ones."""
        return xp.ones(shape, dtype)


def ones_like(x: Any, *_: Any, **constants: Any) -> Any:
    return torch.ones_like(x) + 0 * x


def bernoulli(s: Source) -> Sample:
    return sample(s.floats(s.shape(), 0.0, 1.0), generator=Fixed(), p=s.pick((None, 0.5)))


def normal(s: Source) -> Sample:
    shape = s.shape()
    std = s.floats(shape, 0.5, 1.0)
    return sample(s.floats(shape), std, generator=Fixed(), size=shape, to=s.dtype)


class Quantile:
    """Draws the quantile of given probabilities: the implicit gradient is then its derivative."""

    def __init__(self, probabilities: Any) -> None:
        self.probabilities = probabilities

    def __call__(self, xp: Any, concentration: Any) -> Any:
        backend = backend_of(concentration)
        values = self.quantiles(numpy.asarray(backend.to_numpy(concentration), float))
        place = backend.device_of(concentration)
        return backend.from_numpy(numpy.asarray(values, concentration.dtype), place)

    def quantiles(self, concentration: Any) -> Any:
        """Gamma numbers below which lie the probabilities."""
        special = importlib.import_module("scipy.special")
        return special.gammaincinv(concentration, self.probabilities)


class BetaPair(Quantile):
    """The same for pairs (x, 1 - x), x a beta number."""

    def quantiles(self, concentration: Any) -> Any:
        """Pairs of which the first is a beta number below which lie the probabilities."""
        special = importlib.import_module("scipy.special")
        first, second = concentration[..., 0], concentration[..., 1]
        x = special.betaincinv(first, second, self.probabilities)
        y = special.betaincinv(second, first, 1 - self.probabilities)
        return numpy.stack([x, y], -1)


def standard_gamma(s: Source) -> Sample:
    shape = s.shape()
    return sample(s.floats(shape, 0.4, 4.0), draw=Quantile(s.rng.uniform(0.1, 0.9, shape)))


def dirichlet(s: Source) -> Sample:
    shape = s.shape(most=2)
    pairs = s.floats((*shape, 2), 0.4, 4.0)
    return sample(pairs, draw=BetaPair(s.rng.uniform(0.1, 0.9, shape)))


def counted(s: Source) -> Sample:
    return sample(s.floats(s.shape(), 0.1, 3.0), draw=lambda xp, x: xp.ones_like(x))


def binomial(s: Source) -> Sample:
    first, second = s.pair()
    shape = numpy.broadcast_shapes(first, second)
    count, chance = s.floats(first, 1.0, 9.0), s.floats(second, 0.0, 1.0)
    return sample(count, chance, draw=lambda xp, n, p: xp.ones(shape, n.dtype))


def quantiles(concentration: Any, draw: Any) -> Any:
    values = draw(numpy, concentration.detach().numpy())
    return torch.as_tensor(values)


ROWS = {
    "_standard_gamma": Row(standard_gamma, quantiles, rtol=1e-5, atol=1e-6),
    "_dirichlet": Row(dirichlet, quantiles, rtol=1e-5, atol=1e-6),
    "_poisson": Row(counted, ones_like),
    "_binomial": Row(
        binomial, lambda n, p, draw: torch.ones_like(n) + 0 * n + 0 * p, numeric=False
    ),
    "_bernoulli": Row(bernoulli, ones_like),
    "_normal": Row(
        normal, lambda mean, std, **_: (mean + std).detach() + 0 * mean + 0 * std, numeric=False
    ),
    "_drawn": Row(lambda s: sample(s.floats(s.shape()), draw=Fixed().draw), ones_like),
}
