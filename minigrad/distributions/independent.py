"""Batch dimensions of a distribution taken as dimensions of its events."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import sum_rightmost
from minigrad.errors import ArgumentError


class Independent(Distribution):
    """A distribution whose last `reinterpreted_batch_ndims` batch dimensions belong to the event.

    >>> import minigrad
    >>> from minigrad.distributions import Independent, Normal
    >>> diagonal = Independent(Normal(minigrad.zeros(3), minigrad.ones(3)), 1)
    >>> diagonal.batch_shape, diagonal.event_shape
    (minigrad.Size([]), minigrad.Size([3]))
    """

    arg_constraints: ClassVar[Any] = {}
    _parameters: ClassVar[Any] = {}

    def __init__(
        self,
        base_distribution: Any,
        reinterpreted_batch_ndims: int,
        validate_args: bool | None = None,
    ) -> None:
        dims = len(base_distribution.batch_shape)
        if reinterpreted_batch_ndims > dims:
            raise ArgumentError(
                "Independent(): argument 'reinterpreted_batch_ndims' is "
                f"{reinterpreted_batch_ndims}, but the batch has {dims} dimensions"
            )
        shape = (*base_distribution.batch_shape, *base_distribution.event_shape)
        batch = dims - reinterpreted_batch_ndims
        self.base_dist = base_distribution
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        super().__init__(shape[:batch], shape[batch:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        kept = self._event_shape[: self.reinterpreted_batch_ndims]
        new.base_dist = self.base_dist.expand(minigrad.Size((*batch_shape, *kept)))
        new.reinterpreted_batch_ndims = self.reinterpreted_batch_ndims
        return new

    @property
    def has_rsample(self) -> Any:
        return self.base_dist.has_rsample

    @property
    def has_enumerate_support(self) -> Any:
        return self.base_dist.has_enumerate_support and self.reinterpreted_batch_ndims == 0

    @constraints.dependent_property
    def support(self) -> Any:
        base = self.base_dist.support
        if not self.reinterpreted_batch_ndims:
            return base
        return constraints.independent(base, self.reinterpreted_batch_ndims)

    @property
    def mean(self) -> Any:
        return self.base_dist.mean

    @property
    def mode(self) -> Any:
        return self.base_dist.mode

    @property
    def variance(self) -> Any:
        return self.base_dist.variance

    def sample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.sample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.base_dist.rsample(sample_shape)

    def log_prob(self, value: Any) -> Any:
        return sum_rightmost(self.base_dist.log_prob(value), self.reinterpreted_batch_ndims)

    def entropy(self) -> Any:
        return sum_rightmost(self.base_dist.entropy(), self.reinterpreted_batch_ndims)

    def enumerate_support(self, expand: bool = True) -> Any:
        if self.reinterpreted_batch_ndims > 0:
            raise NotImplementedError(
                "Independent has no enumerate_support() where batch dimensions are part of the "
                "event: the number of values grows with the power of their size"
            )
        return self.base_dist.enumerate_support(expand)

    def __repr__(self) -> str:
        return f"Independent({self.base_dist!r}, {self.reinterpreted_batch_ndims})"
