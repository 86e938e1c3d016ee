"""The geometric distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import Odds, broadcast_all
from minigrad.errors import ArgumentError


class Geometric(Odds, Distribution):
    """The number of failures before the first success of probability `probs`.

    >>> import minigrad
    >>> minigrad.distributions.Geometric(0.25).mean
    tensor(3.)
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer
    _parameters: ClassVar[Any] = {"probs": 0, "logits": 0}

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._take(
            *(None if value is None else broadcast_all(value)[0] for value in (probs, logits))
        )
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and "probs" in self.__dict__ and not bool((self.probs > 0).all()):
            raise ArgumentError(
                "Geometric(): argument 'probs' holds 0, with which a success never comes; every "
                "probability must be positive"
            )

    @property
    def mean(self) -> Any:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Any:
        return minigrad.zeros_like(self.probs)

    @property
    def variance(self) -> Any:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = ()) -> Any:
        with minigrad.no_grad():
            # Failures are counted by an exponential number, of rate -log(1 - p), rounded down.
            numbers = draws.exponential(self._extended_shape(sample_shape), self.probs)
            return (numbers / -(-self.probs).log1p()).floor()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        # With probability 1 a count of 0 is certain, and the logarithm of a failure not needed.
        certain = (self.probs == 1) & (value == 0)
        failure = (-minigrad.where(certain, 0, self.probs)).log1p()
        return value * failure + self.probs.log()

    def entropy(self) -> Any:
        return Bernoulli(logits=self.logits, validate_args=False).entropy() / self.probs
