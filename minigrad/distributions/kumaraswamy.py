"""The Kumaraswamy distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.parameters import EULER_GAMMA, broadcast_all
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, PowerTransform
from minigrad.distributions.uniform import Uniform


class Kumaraswamy(TransformedDistribution):
    """Numbers in (0, 1) with the distribution function 1 - (1 - x ** a) ** b.

    `a` is `concentration1` and `b` is `concentration0`.
    """

    arg_constraints: ClassVar[Any] = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    _parameters: ClassVar[Any] = {"concentration1": 0, "concentration0": 0}

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        transforms = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1.0, -1.0),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        low, high = (minigrad.full_like(self.concentration0, end) for end in (0.0, 1.0))
        base = Uniform(low, high, validate_args=validate_args)
        super().__init__(base, transforms, validate_args=validate_args)

    def _moment(self, order: int) -> Any:
        b = self.concentration0
        shift = 1 + order / self.concentration1
        logarithm = minigrad.lgamma(shift) + minigrad.lgamma(b) - minigrad.lgamma(shift + b)
        return b * logarithm.exp()

    @property
    def mean(self) -> Any:
        return self._moment(1)

    @property
    def mode(self) -> Any:
        """The likeliest number; nan where a concentration is below 1, or both are 1."""
        a, b = self.concentration1, self.concentration0
        defined = (a >= 1) & (b >= 1) & ((a > 1) | (b > 1))
        ratio = minigrad.where(defined, (a - 1) / minigrad.where(defined, a * b - 1, 1), 1)
        return minigrad.where(defined, ratio.pow(a.reciprocal()), math.nan)

    @property
    def variance(self) -> Any:
        return self._moment(2) - self.mean.square()

    def entropy(self) -> Any:
        a, b = self.concentration1, self.concentration0
        harmonic = minigrad.digamma(b + 1) + EULER_GAMMA
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
