"""A distribution whose numbers went through transforms."""

from __future__ import annotations

import functools
import operator
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.independent import Independent
from minigrad.distributions.parameters import sum_rightmost
from minigrad.distributions.transforms import ComposeTransform, Transform
from minigrad.errors import ArgumentError


class TransformedDistribution(Distribution):
    """The distribution of f(x), x from `base_distribution`, f a transform or several in turn.

    >>> import minigrad
    >>> from minigrad.distributions import ExpTransform, Normal, TransformedDistribution
    >>> TransformedDistribution(Normal(0.0, 1.0), ExpTransform()).cdf(minigrad.tensor(1.0))
    tensor(0.5000)
    """

    arg_constraints: ClassVar[Any] = {}
    _parameters: ClassVar[Any] = {}

    def __init__(
        self, base_distribution: Any, transforms: Any, validate_args: bool | None = None
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        kinds = isinstance(self.transforms, list)
        if not kinds or not all(isinstance(part, Transform) for part in self.transforms):
            raise ArgumentError(
                f"{type(self).__name__}(): argument 'transforms' must be a Transform or a list of "
                f"them, not {transforms!r}"
            )
        whole = ComposeTransform(self.transforms)
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        base_events = len(base_distribution.event_shape)
        wanted = whole.domain.event_dim
        if len(shape) < wanted:
            raise ArgumentError(
                f"{type(self).__name__}(): argument 'base_distribution' gives numbers of shape "
                f"{list(shape)}, but the transforms take events of {wanted} dimensions"
            )
        result = tuple(whole.forward_shape(minigrad.Size(shape)))
        needed = tuple(whole.inverse_shape(result))
        if needed != shape:
            base_distribution = base_distribution.expand(needed[: len(needed) - base_events])
        if wanted > base_events:
            base_distribution = Independent(base_distribution, wanted - base_events)
        self.base_dist = base_distribution
        change = whole.codomain.event_dim - whole.domain.event_dim
        cut = len(result) - max(whole.codomain.event_dim, base_events + change)
        super().__init__(result[:cut], result[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        shape = ComposeTransform(self.transforms).inverse_shape(
            minigrad.Size((*batch_shape, *self._event_shape))
        )
        events = len(self.base_dist.event_shape)
        new.base_dist = self.base_dist.expand(tuple(shape)[: len(shape) - events])
        new.transforms = self.transforms
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        extra = len(self._event_shape) - support.event_dim
        return constraints.independent(support, extra) if extra > 0 else support

    @property
    def has_rsample(self) -> Any:
        return self.base_dist.has_rsample

    def _forward(self, x: Any) -> Any:
        return functools.reduce(lambda value, transform: transform(value), self.transforms, x)

    def sample(self, sample_shape: Any = ()) -> Any:
        with minigrad.no_grad():
            return self._forward(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self._forward(self.base_dist.rsample(sample_shape))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        events = len(self._event_shape)
        stretched: Any = 0
        y = value
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            events += transform.domain.event_dim - transform.codomain.event_dim
            volume = transform.log_abs_det_jacobian(x, y)
            stretched = stretched + sum_rightmost(volume, events - transform.domain.event_dim)
            y = x
        density = self.base_dist.log_prob(y)
        return sum_rightmost(density, events - len(self.base_dist.event_shape)) - stretched

    def _turned(self, probability: Any) -> Any:
        """The probability of the other side where the transforms turn the order round."""
        sign: Any = functools.reduce(operator.mul, (part.sign for part in self.transforms), 1)
        if isinstance(sign, int) and sign == 1:
            return probability
        return sign * (probability - 0.5) + 0.5

    def cdf(self, value: Any) -> Any:
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._turned(self.base_dist.cdf(value))

    def icdf(self, value: Any) -> Any:
        return self._forward(self.base_dist.icdf(self._turned(value)))
