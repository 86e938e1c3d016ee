"""The Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import Odds, broadcast_all
from minigrad.ops.activation import softplus


class Bernoulli(Odds, ExponentialFamily):
    """Ones with probability `probs`, or with log odds `logits`, and else zeros.

    >>> import minigrad
    >>> minigrad.distributions.Bernoulli(0.25).entropy()
    tensor(0.5623)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.boolean
    has_enumerate_support = True
    _parameters: ClassVar[Any] = {"probs": 0, "logits": 0}
    _mean_carrier_measure = 0.0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(
            *(None if value is None else broadcast_all(value)[0] for value in (probs, logits))
        )
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.probs

    @property
    def mode(self) -> Any:
        """The likelier value; nan where both are as likely."""
        likelier = (self.probs >= 0.5).to(self.probs.dtype)
        return minigrad.where(self.probs == 0.5, math.nan, likelier)

    @property
    def variance(self) -> Any:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Any:
        with minigrad.no_grad():
            return minigrad.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return value * self.logits - softplus(self.logits, threshold=math.inf)

    def entropy(self) -> Any:
        return softplus(self.logits, threshold=math.inf) - self.probs * self.logits

    def enumerate_support(self, expand: bool = True) -> Any:
        values = minigrad.arange(2, dtype=self._param.dtype, device=self._param.device)
        return self._enumerated(values, expand)

    @property
    def _natural_params(self) -> tuple[Any]:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:
        return softplus(x, threshold=math.inf)
