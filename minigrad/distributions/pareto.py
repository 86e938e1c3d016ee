"""The Pareto distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.parameters import broadcast_all
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import AffineTransform, ExpTransform


class Pareto(TransformedDistribution):
    """Numbers at least `scale`, with a density proportional to x ** -(alpha + 1)."""

    arg_constraints: ClassVar[Any] = {
        "alpha": constraints.positive,
        "scale": constraints.positive,
    }
    _parameters: ClassVar[Any] = {"alpha": 0, "scale": 0}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        transforms = [ExpTransform(), AffineTransform(0, self.scale)]
        super().__init__(base, transforms, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Any:
        """The mean; infinite where `alpha` is at most 1."""
        finite = self.alpha > 1
        safe = minigrad.where(finite, self.alpha, 2)
        return minigrad.where(finite, safe * self.scale / (safe - 1), math.inf)

    @property
    def mode(self) -> Any:
        return self.scale

    @property
    def variance(self) -> Any:
        """The variance; infinite where `alpha` is at most 2."""
        finite = self.alpha > 2
        safe = minigrad.where(finite, self.alpha, 3)
        value = self.scale.square() * safe / ((safe - 1).square() * (safe - 2))
        return minigrad.where(finite, value, math.inf)

    def entropy(self) -> Any:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
