"""The binomial distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import Odds, broadcast_all, exactly_one
from minigrad.ops.activation import softplus


class Binomial(Odds, Distribution):
    """The number of successes among `total_count` trials of probability `probs` each.

    >>> import minigrad
    >>> minigrad.distributions.Binomial(10, 0.5).variance
    tensor(2.5000)
    """

    arg_constraints: ClassVar[Any] = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True
    _parameters: ClassVar[Any] = {"total_count": 0, "probs": 0, "logits": 0}

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        exactly_one("Binomial", probs=probs, logits=logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        given, total_count = broadcast_all(given, total_count)
        self.__dict__[name] = given
        self.total_count = total_count.to(given.dtype)
        super().__init__(given.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Any:
        return self.total_count * self.probs

    @property
    def mode(self) -> Any:
        return ((self.total_count + 1) * self.probs).floor().clamp_max(self.total_count)

    @property
    def variance(self) -> Any:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with minigrad.no_grad():
            return minigrad.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        ways = (
            minigrad.lgamma(self.total_count + 1)
            - minigrad.lgamma(value + 1)
            - minigrad.lgamma(self.total_count - value + 1)
        )
        chance = value * self.logits - self.total_count * softplus(self.logits, threshold=math.inf)
        return ways + chance

    def entropy(self) -> Any:
        """The entropy, summed over all values: of distributions with one `total_count`."""
        if bool((self.total_count != self.total_count.max()).any()):
            raise NotImplementedError(
                "Binomial has an entropy() only where 'total_count' is one number throughout"
            )
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Any:
        most = int(self.total_count.max())
        if bool((self.total_count != most).any()):
            raise NotImplementedError(
                "Binomial has an enumerate_support() only where 'total_count' is one number "
                "throughout"
            )
        values = minigrad.arange(most + 1, dtype=self._param.dtype, device=self._param.device)
        return self._enumerated(values, expand)
