"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.parameters import Odds, broadcast_all, exactly_one
from minigrad.ops.activation import logsigmoid


class NegativeBinomial(Odds, Distribution):
    """The number of successes of probability `probs` before `total_count` failures.

    `total_count` need not be an integer.
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _parameters: ClassVar[Any] = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        exactly_one("NegativeBinomial", probs=probs, logits=logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        given, total_count = broadcast_all(given, total_count)
        self.__dict__[name] = given
        self.total_count = total_count.to(given.dtype)
        super().__init__(given.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Any:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp_min(0)

    @property
    def variance(self) -> Any:
        return self.mean / minigrad.sigmoid(-self.logits)

    def sample(self, sample_shape: Any = ()) -> Any:
        # A Poisson number whose mean is a gamma number.
        with minigrad.no_grad():
            rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
            drawn = rates.sample(sample_shape)
            # No failure is waited for, so there is no success.
            return minigrad.poisson(minigrad.where(self.total_count == 0, 0, drawn))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        chance = self.total_count * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        ways = (
            minigrad.lgamma(self.total_count)
            + minigrad.lgamma(1 + value)
            - minigrad.lgamma(self.total_count + value)
        )
        ways = minigrad.where(self.total_count + value == 0, 0, ways)
        return chance - ways
