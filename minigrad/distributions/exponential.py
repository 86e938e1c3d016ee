"""The exponential distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import broadcast_all


class Exponential(ExponentialFamily):
    """Numbers with the density rate * exp(-rate * x), for x at least 0."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _parameters: ClassVar[Any] = {"rate": 0}
    _mean_carrier_measure = 0.0

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.rate.reciprocal()

    @property
    def mode(self) -> Any:
        return minigrad.zeros_like(self.rate)

    @property
    def stddev(self) -> Any:
        return self.rate.reciprocal()

    @property
    def variance(self) -> Any:
        return self.rate.square().reciprocal()

    def rsample(self, sample_shape: Any = ()) -> Any:
        return draws.exponential(self._extended_shape(sample_shape), self.rate) / self.rate

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return -minigrad.expm1(-self.rate * value)

    def icdf(self, value: Any) -> Any:
        return -(-value).log1p() / self.rate

    def entropy(self) -> Any:
        return 1 - self.rate.log()

    @property
    def _natural_params(self) -> tuple[Any]:
        return (-self.rate,)

    def _log_normalizer(self, x: Any) -> Any:
        return -(-x).log()
