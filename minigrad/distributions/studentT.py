"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.chi2 import Chi2
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import broadcast_all


class StudentT(Distribution):
    """Normal numbers over the root of a chi-squared number per degree of freedom, `df`."""

    arg_constraints: ClassVar[Any] = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True
    _parameters: ClassVar[Any] = {"df": 0, "loc": 0, "scale": 0}

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean; nan where `df` is at most 1."""
        return minigrad.where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        """The variance; infinite where `df` is at most 2, nan where it is at most 1."""
        finite = self.df > 2
        safe = minigrad.where(finite, self.df, 3)
        value = self.scale.square() * safe / (safe - 2)
        value = minigrad.where(finite, value, math.inf)
        return minigrad.where(self.df > 1, value, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        normal = draws.normal(self._extended_shape(sample_shape), self.df)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * normal * (squares / self.df).rsqrt()

    def _log_normalizer(self) -> Any:
        return (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + minigrad.lgamma(0.5 * self.df)
            - minigrad.lgamma(0.5 * (self.df + 1))
        )

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        standard = (value - self.loc) / self.scale
        spread = (standard.square() / self.df).log1p()
        return -0.5 * (self.df + 1) * spread - self._log_normalizer()

    def entropy(self) -> Any:
        half = 0.5 * (self.df + 1)
        difference = minigrad.digamma(half) - minigrad.digamma(0.5 * self.df)
        return self._log_normalizer() + half * difference
