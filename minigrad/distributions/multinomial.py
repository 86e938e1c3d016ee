"""The multinomial distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import broadcast_all
from minigrad.errors import ArgumentError


class Multinomial(Distribution):
    """How often each category came in `total_count` draws with probabilities or logits."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    _parameters: ClassVar[Any] = {"total_count": 0}
    total_count: int

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise ArgumentError(
                "Multinomial(): argument 'total_count' must be one int for the whole batch, not "
                f"{type(total_count).__name__}"
            )
        self.total_count = total_count
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new._categorical = self._categorical.expand(batch_shape)
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def logits(self) -> Any:
        """Log probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Any:
        """Probabilities."""
        return self._categorical.probs

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Any:
        return self.probs * self.total_count

    @property
    def variance(self) -> Any:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        like = self._categorical._param
        shape = self._extended_shape(sample_shape)
        counts = minigrad.zeros(shape, dtype=like.dtype, device=like.device)
        ones = minigrad.ones(drawn.shape, dtype=like.dtype, device=like.device)
        return counts.scatter_add(-1, drawn, ones)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        # What has no probability and did not come adds nothing.
        absent = (value == 0) & (logits == -math.inf)
        powers = (minigrad.where(absent, 0, logits) * value).sum(-1)
        ways = minigrad.lgamma(value.sum(-1) + 1) - minigrad.lgamma(value + 1).sum(-1)
        return ways + powers

    def entropy(self) -> Any:
        count = self.total_count
        each = Binomial(count, probs=self.probs, validate_args=False)
        values = each.enumerate_support(False)[1:]
        repeated = (each.log_prob(values).exp() * minigrad.lgamma(values + 1)).sum((0, -1))
        return count * self._categorical.entropy() - math.lgamma(count + 1) + repeated
