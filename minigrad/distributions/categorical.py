"""The categorical distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import Odds, exactly_one
from minigrad.errors import ArgumentError


class Categorical(Odds, Distribution):
    """Category numbers, with probabilities or logits in the last dimension.

    `probs` need not sum to 1, nor `logits` be normalised: they are brought to that.

    >>> import minigrad
    >>> minigrad.distributions.Categorical(minigrad.tensor([1.0, 3.0])).probs
    tensor([0.2500, 0.7500])
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    has_enumerate_support = True
    is_binary = False
    _parameters: ClassVar[Any] = {"probs": 1, "logits": 1, "_num_events": 0}

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        exactly_one(type(self).__name__, probs=probs, logits=logits)
        name, given = ("logits", logits) if probs is None else ("probs", probs)
        if not isinstance(given, minigrad.Tensor) or given.ndim < 1:
            raise ArgumentError(
                f"Categorical(): argument '{name}' must be a Tensor of at least one dimension, "
                f"its categories last; got {given!r}"
            )
        if probs is None:
            self.logits = logits - minigrad.logsumexp(logits, -1, True)
        else:
            self.probs = probs / probs.sum(-1, True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Any:
        """Numbers of categories have no mean: nan."""
        return self._undefined()

    @property
    def mode(self) -> Any:
        return self._param.argmax(-1)

    @property
    def variance(self) -> Any:
        """Numbers of categories have no variance: nan."""
        return self._undefined()

    def _undefined(self) -> Any:
        like = self._param
        return minigrad.full(
            tuple(self._batch_shape), math.nan, dtype=like.dtype, device=like.device
        )

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = minigrad.Size(sample_shape)
        rows = self.probs.detach().reshape(-1, self._num_events)
        if not rows.shape[0] * shape.numel():
            return minigrad.empty(
                self._extended_shape(shape), dtype=minigrad.int64, device=rows.device
            )
        drawn = minigrad.multinomial(rows, shape.numel(), True)
        return drawn.mT.reshape(self._extended_shape(shape))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        places = value.long().unsqueeze(-1)
        shape = minigrad.broadcast_shapes(places.shape[:-1], self.logits.shape[:-1])
        logits = self.logits.expand((*shape, -1))
        return logits.gather(-1, places.expand((*shape, 1))).squeeze(-1)

    def entropy(self) -> Any:
        # A category of probability 0 adds nothing, though its logit may be minus infinity.
        least = -1e30 if self.logits.dtype.itemsize >= 4 else -6e4
        return -(self.logits.clamp_min(least) * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Any:
        values = minigrad.arange(self._num_events, device=self._param.device)
        return self._enumerated(values, expand)
