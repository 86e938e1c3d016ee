"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import broadcast_all

_NEARLY_ZERO = 1e-8
"""Below this concentration the distribution is taken as exponential, as in torch."""


class GeneralizedPareto(Distribution):
    """Excesses over `loc`, which exceed x with probability (1 + c (x - loc) / scale) ** (-1 / c).

    `c` is the `concentration`; with 0 they are exponential numbers, and below 0 they are bounded.
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True
    _parameters: ClassVar[Any] = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        bounded = self.concentration < 0
        width = self.scale / minigrad.where(bounded, self.concentration, -1)
        return constraints.interval(self.loc, minigrad.where(bounded, self.loc - width, math.inf))

    def _shape(self) -> tuple[Any, Any]:
        """Where the distribution is exponential, and the concentration, 1 there."""
        exponential = self.concentration.abs() <= _NEARLY_ZERO
        return exponential, minigrad.where(exponential, 1, self.concentration)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(draws.uniform(self._extended_shape(sample_shape), self.loc))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        exponential, c = self._shape()
        z = (value - self.loc) / self.scale
        # With concentration -1 the numbers are uniform: no logarithm of 0 then matters.
        power = 1 / c + 1
        flat = power == 0
        curved = power * minigrad.where(flat, 0, c * z).log1p()
        return -self.scale.log() - minigrad.where(exponential, z, curved)

    def log_survival_function(self, value: Any) -> Any:
        """The logarithm of the probability of more than `value`."""
        if self._validate_args:
            self._validate_sample(value)
        exponential, c = self._shape()
        z = (value - self.loc) / self.scale
        return minigrad.where(exponential, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Any) -> Any:
        """The logarithm of the distribution function."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value: Any) -> Any:
        return -minigrad.expm1(self.log_survival_function(value))

    def icdf(self, value: Any) -> Any:
        exponential, c = self._shape()
        rest = (-value).log1p()
        curved = minigrad.expm1(-c * rest) / c
        return self.loc + self.scale * minigrad.where(exponential, -rest, curved)

    @property
    def mean(self) -> Any:
        """The mean; nan where the concentration is at least 1."""
        finite = self.concentration < 1
        safe = minigrad.where(finite, self.concentration, 0.5)
        return minigrad.where(finite, self.loc + self.scale / (1 - safe), math.nan)

    @property
    def variance(self) -> Any:
        """The variance; nan where the concentration is at least 0.5."""
        finite = self.concentration < 0.5
        safe = minigrad.where(finite, self.concentration, 0.25)
        value = self.scale.square() / ((1 - safe).square() * (1 - 2 * safe))
        return minigrad.where(finite, value, math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    def entropy(self) -> Any:
        return self.scale.log() + self.concentration + 1
