"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import PowerTransform


class InverseGamma(TransformedDistribution):
    """Reciprocals of gamma numbers of this concentration and rate."""

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.positive
    has_rsample = True
    _parameters: ClassVar[Any] = {}

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        power = PowerTransform(base.rate.new_tensor(-1.0))
        super().__init__(base, power, validate_args=validate_args)

    @property
    def concentration(self) -> Any:
        """The gamma distribution's concentration."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Any:
        """The gamma distribution's rate, which is the scale here."""
        return self.base_dist.rate

    @property
    def mean(self) -> Any:
        """The mean; infinite where the concentration is at most 1."""
        finite = self.concentration > 1
        divisor = minigrad.where(finite, self.concentration - 1, 1)
        return minigrad.where(finite, self.rate / divisor, math.inf)

    @property
    def mode(self) -> Any:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Any:
        """The variance; infinite where the concentration is at most 2."""
        finite = self.concentration > 2
        safe = minigrad.where(finite, self.concentration, 3)
        value = self.rate.square() / ((safe - 1).square() * (safe - 2))
        return minigrad.where(finite, value, math.inf)

    def entropy(self) -> Any:
        return (
            self.concentration
            + self.rate.log()
            + minigrad.lgamma(self.concentration)
            - (1 + self.concentration) * minigrad.digamma(self.concentration)
        )
