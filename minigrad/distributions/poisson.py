"""The Poisson distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import as_value, broadcast_all


class Poisson(ExponentialFamily):
    """Counts of independent events that come at `rate`: rate ** k exp(-rate) / k!."""

    arg_constraints: ClassVar[Any] = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer
    _parameters: ClassVar[Any] = {"rate": 0}

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.rate

    @property
    def mode(self) -> Any:
        return self.rate.floor()

    @property
    def variance(self) -> Any:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Any:
        with minigrad.no_grad():
            return minigrad.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        value = as_value(value, self.rate)
        if self._validate_args:
            self._validate_sample(value)
        return minigrad.xlogy(value, self.rate) - self.rate - minigrad.lgamma(value + 1)

    @property
    def _natural_params(self) -> tuple[Any]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Any) -> Any:
        return x.exp()
