"""The F distribution of Fisher and Snedecor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.parameters import broadcast_all, finfo


class FisherSnedecor(Distribution):
    """The ratio of two chi-squared numbers, each over its degrees of freedom, `df1` and `df2`."""

    arg_constraints: ClassVar[Any] = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True
    _parameters: ClassVar[Any] = {"df1": 0, "df2": 0}

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        """The mean; nan where `df2` is at most 2."""
        finite = self.df2 > 2
        safe = minigrad.where(finite, self.df2, 3)
        return minigrad.where(finite, safe / (safe - 2), math.nan)

    @property
    def mode(self) -> Any:
        """The likeliest number; nan where `df1` is at most 2."""
        value = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return minigrad.where(self.df1 > 2, value, math.nan)

    @property
    def variance(self) -> Any:
        """The variance; nan where `df2` is at most 4."""
        finite = self.df2 > 4
        safe = minigrad.where(finite, self.df2, 5)
        spread = 2 * safe.square() * (self.df1 + safe - 2)
        value = spread / (self.df1 * (safe - 2).square() * (safe - 4))
        return minigrad.where(finite, value, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Any:
        first, second = (
            Gamma(df * 0.5, df * 0.5, validate_args=False).rsample(sample_shape)
            for df in (self.df1, self.df2)
        )
        tiny = float(finfo(self.df1.dtype).tiny)
        return (first / second.clamp_min(tiny)).clamp_min(tiny)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        half1, half2 = self.df1 * 0.5, self.df2 * 0.5
        ratio = self.df1 / self.df2
        normalizer = (
            minigrad.lgamma(half1 + half2) - minigrad.lgamma(half1) - minigrad.lgamma(half2)
        )
        density = half1 * ratio.log() + (half1 - 1) * value.log()
        return normalizer + density - (half1 + half2) * (ratio * value).log1p()
