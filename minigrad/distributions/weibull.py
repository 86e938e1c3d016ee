"""The Weibull distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.parameters import EULER_GAMMA, broadcast_all
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, PowerTransform


class Weibull(TransformedDistribution):
    """Numbers with the distribution function 1 - exp(-(x / scale) ** concentration)."""

    arg_constraints: ClassVar[Any] = {
        "scale": constraints.positive,
        "concentration": constraints.positive,
    }
    support = constraints.positive
    _parameters: ClassVar[Any] = {"scale": 0, "concentration": 0}

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        base = Exponential(minigrad.ones_like(self.scale), validate_args=validate_args)
        transforms = [
            PowerTransform(self.concentration.reciprocal()),
            AffineTransform(0, self.scale),
        ]
        super().__init__(base, transforms, validate_args=validate_args)

    def _moment(self, order: int) -> Any:
        """The logarithm of the mean power, for a scale of 1."""
        return minigrad.lgamma(1 + order / self.concentration)

    @property
    def mean(self) -> Any:
        return self.scale * self._moment(1).exp()

    @property
    def mode(self) -> Any:
        shape = self.concentration
        value = self.scale * ((shape - 1).clamp_min(0) / shape).pow(shape.reciprocal())
        return minigrad.where(shape <= 1, 0, value)

    @property
    def variance(self) -> Any:
        return self.scale.square() * (self._moment(2).exp() - (2 * self._moment(1)).exp())

    def entropy(self) -> Any:
        inverse = self.concentration.reciprocal()
        return EULER_GAMMA * (1 - inverse) + (self.scale * inverse).log() + 1
