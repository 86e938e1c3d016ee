"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import broadcast_all
from minigrad.ops.random import check_deviations


class Normal(ExponentialFamily):
    """Normal numbers of mean `loc` and standard deviation `scale`.

    >>> import minigrad
    >>> minigrad.distributions.Normal(0.0, 1.0).log_prob(minigrad.tensor(0.0))
    tensor(-0.9189)
    """

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _parameters: ClassVar[Any] = {"loc": 0, "scale": 0}
    _mean_carrier_measure = 0.0

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def stddev(self) -> Any:
        return self.scale

    @property
    def variance(self) -> Any:
        return self.scale.square()

    def sample(self, sample_shape: Any = ()) -> Any:
        check_deviations(self.scale._array)
        return super().sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.loc + self.scale * draws.normal(self._extended_shape(sample_shape), self.loc)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        standard = (value - self.loc) / self.scale
        return standard.square() * -0.5 - self.scale.log() - math.log(2 * math.pi) / 2

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return 0.5 * (1 + minigrad.erf((value - self.loc) / self.scale * math.sqrt(0.5)))

    def icdf(self, value: Any) -> Any:
        return self.loc + self.scale * minigrad.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Any:
        return self.scale.log() + (1 + math.log(2 * math.pi)) / 2

    @property
    def _natural_params(self) -> tuple[Any, Any]:
        variance = self.variance
        return self.loc / variance, -0.5 / variance

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return -0.25 * x.square() / y + 0.5 * (-math.pi / y).log()
