"""The gamma distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import as_value, broadcast_all, finfo
from minigrad.ops.drawn import standard_gamma


class Gamma(ExponentialFamily):
    """Numbers with a density proportional to x ** (concentration - 1) * exp(-rate * x).

    Gradients of samples are implicit ones: M. Figurnov, S. Mohamed and A. Mnih, 2018.

    >>> import minigrad
    >>> minigrad.distributions.Gamma(3.0, 2.0).mean
    tensor(1.5000)
    """

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.nonnegative
    has_rsample = True
    _parameters: ClassVar[Any] = {"concentration": 0, "rate": 0}
    _mean_carrier_measure = 0.0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.concentration / self.rate

    @property
    def mode(self) -> Any:
        return ((self.concentration - 1) / self.rate).clamp_min(0)

    @property
    def variance(self) -> Any:
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        value = standard_gamma(self.concentration.expand(shape)) / self.rate
        # A tiny number over a large rate may still be 0, which has no logarithm.
        return minigrad.where(value == 0, float(finfo(value.dtype).tiny), value)

    def log_prob(self, value: Any) -> Any:
        value = as_value(value, self.rate)
        if self._validate_args:
            self._validate_sample(value)
        return (
            minigrad.xlogy(self.concentration, self.rate)
            + minigrad.xlogy(self.concentration - 1, value)
            - self.rate * value
            - minigrad.lgamma(self.concentration)
        )

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return minigrad.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Any:
        return (
            self.concentration
            - self.rate.log()
            + minigrad.lgamma(self.concentration)
            + (1 - self.concentration) * minigrad.digamma(self.concentration)
        )

    @property
    def _natural_params(self) -> tuple[Any, Any]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        return minigrad.lgamma(x + 1) - (x + 1) * (-y).log()
