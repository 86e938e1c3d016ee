"""One-hot vectors relaxed to the inside of the simplex, with gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import is_number
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import ExpTransform


class ExpRelaxedCategorical(Distribution):
    """The logarithms of relaxed one-hot vectors: Gumbel numbers around `logits`, cooled.

    C. J. Maddison, A. Mnih and Y. W. Teh, "The concrete distribution", 2017; E. Jang, S. Gu and
    B. Poole, "Categorical reparameterization with Gumbel-softmax", 2017.
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    # The logarithms of a vector of the simplex; torch checks no more than this either.
    support = constraints.real_vector
    has_rsample = True
    _parameters: ClassVar[Any] = {}

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        self.temperature = temperature
        if is_number(temperature):
            self.temperature = self._categorical._param.new_tensor(float(temperature))
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        new._categorical = self._categorical.expand(batch_shape)
        return new

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    @property
    def logits(self) -> Any:
        """Log probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Any:
        """Probabilities."""
        return self._categorical.probs

    def rsample(self, sample_shape: Any = ()) -> Any:
        gumbel = -draws.exponential(self._extended_shape(sample_shape), self.logits).log()
        scores = (self.logits + gumbel) / self.temperature
        return scores - minigrad.logsumexp(scores, -1, True)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        count = self._event_shape[0]
        scale = minigrad.lgamma(minigrad.full_like(self.temperature, float(count)))
        scale = scale + (count - 1) * self.temperature.log()
        scores = self.logits - value * self.temperature
        scores = scores - minigrad.logsumexp(scores, -1, True)
        return scores.sum(-1) + scale


class RelaxedOneHotCategorical(TransformedDistribution):
    """Vectors of the simplex that are nearer to its corners the lower the temperature is."""

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    support = constraints.simplex
    _parameters: ClassVar[Any] = {}

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How soft the vectors are."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Any:
        """Log probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Any:
        """Probabilities."""
        return self.base_dist.probs
