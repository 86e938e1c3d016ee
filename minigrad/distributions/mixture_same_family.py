"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.errors import ArgumentError


class MixtureSameFamily(Distribution):
    """A component, drawn from a Categorical, of a distribution with the components last in batch.

    >>> import minigrad
    >>> from minigrad.distributions import Categorical, MixtureSameFamily, Normal
    >>> weights = Categorical(minigrad.tensor([0.5, 0.5]))
    >>> means = minigrad.tensor([-1.0, 1.0])
    >>> MixtureSameFamily(weights, Normal(means, minigrad.ones(2))).variance
    tensor(2.)
    """

    arg_constraints: ClassVar[Any] = {}
    _parameters: ClassVar[Any] = {}

    def __init__(
        self,
        mixture_distribution: Any,
        component_distribution: Any,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ArgumentError(
                "MixtureSameFamily(): argument 'mixture_distribution' must be a Categorical, not "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ArgumentError(
                "MixtureSameFamily(): argument 'component_distribution' must be a Distribution, "
                f"not {type(component_distribution).__name__}"
            )
        weights = tuple(mixture_distribution.batch_shape)
        shape = tuple(component_distribution.batch_shape)
        count = mixture_distribution._num_events
        fits = bool(shape) and shape[-1] == count
        if not fits or (weights and weights != shape[:-1] and not _broadcast(weights, shape[:-1])):
            raise ArgumentError(
                f"MixtureSameFamily(): the components' batch is {list(shape)}, which must be the "
                f"mixture's, {list(weights)}, and its {count} categories"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._num_component = count
        event = component_distribution.event_shape
        super().__init__(shape[:-1], event, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        shape = (*batch_shape, self._num_component)
        new._component_distribution = self._component_distribution.expand(shape)
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._num_component = self._num_component
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Any:
        """The distribution of the component's number."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components, last in the batch."""
        return self._component_distribution

    def _weights(self) -> Any:
        """The probabilities, with ones for the dimensions of the event."""
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1,) * len(self._event_shape))

    @property
    def mean(self) -> Any:
        place = -1 - len(self._event_shape)
        return (self._weights() * self._component_distribution.mean).sum(place)

    @property
    def variance(self) -> Any:
        place = -1 - len(self._event_shape)
        means = self._component_distribution.mean
        apart = (means - self.mean.unsqueeze(place)).square()
        return (self._weights() * (self._component_distribution.variance + apart)).sum(place)

    def _for_each(self, value: Any) -> Any:
        return value.unsqueeze(-1 - len(self._event_shape))

    def cdf(self, value: Any) -> Any:
        every = self._component_distribution.cdf(self._for_each(value))
        return (every * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        every = self._component_distribution.log_prob(self._for_each(value))
        return minigrad.logsumexp(every + self._mixture_distribution.logits, -1)

    def sample(self, sample_shape: Any = ()) -> Any:
        with minigrad.no_grad():
            place = len(sample_shape) + len(self._batch_shape)
            chosen = self._mixture_distribution.expand(self._batch_shape).sample(sample_shape)
            every = self._component_distribution.sample(sample_shape)
            ones = (1,) * (1 + len(self._event_shape))
            index = chosen.reshape(*chosen.shape, *ones)
            index = index.expand((*chosen.shape, 1, *self._event_shape))
            return every.gather(place, index).squeeze(place)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily({self._mixture_distribution!r}, {self._component_distribution!r})"
        )


def _broadcast(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether a shape broadcasts to another."""
    return len(small) <= len(large) and all(
        a in (1, b) for a, b in zip(reversed(small), reversed(large))
    )
