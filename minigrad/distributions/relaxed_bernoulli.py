"""Bernoulli numbers relaxed to (0, 1), with gradients."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad.distributions import constraints, draws
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import (
    Odds,
    broadcast_all,
    clamp_probs,
    is_number,
    probs_to_logits,
)
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import SigmoidTransform
from minigrad.ops.activation import softplus


class LogitRelaxedBernoulli(Odds, Distribution):
    """The log odds of relaxed Bernoulli numbers: logistic numbers around `logits`, cooled.

    C. J. Maddison, A. Mnih and Y. W. Teh, "The concrete distribution", 2017; E. Jang, S. Gu and
    B. Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.real
    has_rsample = True
    _parameters: ClassVar[Any] = {"probs": 0, "logits": 0}

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._take(
            *(None if value is None else broadcast_all(value)[0] for value in (probs, logits))
        )
        self.temperature = temperature
        if is_number(temperature):
            self.temperature = self._param.new_tensor(float(temperature))
        super().__init__(self._param.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        uniform = clamp_probs(draws.uniform(shape, self.probs))
        logits = probs_to_logits(clamp_probs(self.probs), is_binary=True)
        return (probs_to_logits(uniform, is_binary=True) + logits) / self.temperature

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        difference = self.logits - value * self.temperature
        return self.temperature.log() + difference - 2 * softplus(difference, threshold=math.inf)


class RelaxedBernoulli(TransformedDistribution):
    """Numbers in (0, 1) that are nearer to 0 and 1 the lower the temperature is."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    _parameters: ClassVar[Any] = {}

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How soft the numbers are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Any:
        """Log odds."""
        return self.base_dist.logits

    @property
    def probs(self) -> Any:
        """Probabilities."""
        return self.base_dist.probs
