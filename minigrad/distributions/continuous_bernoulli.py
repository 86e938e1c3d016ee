"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.parameters import (
    Odds,
    broadcast_all,
    clamp_probs,
    exactly_one,
    lazy_property,
    logits_to_probs,
)
from minigrad.errors import ArgumentError
from minigrad.ops.activation import softplus


class ContinuousBernoulli(Odds, ExponentialFamily):
    """Numbers in [0, 1] with a density proportional to probs ** x (1 - probs) ** (1 - x).

    Within `lims` of 0.5, where the closed forms are 0 / 0, Taylor series stand for them.
    G. Loaiza-Ganem and J. P. Cunningham, "The continuous Bernoulli", NeurIPS 2019.
    """

    arg_constraints: ClassVar[Any] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    has_rsample = True
    _parameters: ClassVar[Any] = {"probs": 0, "logits": 0, "_lims": 0}
    _mean_carrier_measure = 0.0

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        exactly_one("ContinuousBernoulli", probs=probs, logits=logits)
        self._lims = lims
        if probs is None:
            (self.logits,) = broadcast_all(logits)
        else:
            (given,) = broadcast_all(probs)
            checked = self._validate_args if validate_args is None else validate_args
            inside = self.arg_constraints["probs"].check(given)
            if checked and not bool(inside.all()):
                raise ArgumentError(
                    "ContinuousBernoulli(): argument 'probs' must lie in [0, 1], but it holds "
                    f"{given.detach()[inside.logical_not()].tolist()}"
                )
            self.probs = clamp_probs(given)
        super().__init__(self._param.shape, validate_args=validate_args)

    @lazy_property
    def probs(self) -> Any:
        """The parameter, which is not the mean, kept off 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _is_stable(self) -> Any:
        low, high = self._lims
        return (self.probs <= low) | (self.probs > high)

    def _cut_probs(self) -> Any:
        """The parameter where the closed forms hold, and another one beside 0.5."""
        return minigrad.where(self._is_stable(), self.probs, self._lims[0])

    def _beside_half(self) -> Any:
        """The distance from 0.5, for the Taylor series."""
        return self.probs - 0.5

    def _cont_bern_log_norm(self) -> Any:
        """The logarithm of the normalising constant 2 atanh(1 - 2 p) / (1 - 2 p)."""
        cut = self._cut_probs()
        closed = ((-cut).log1p() - cut.log()).abs().log() - (1 - 2 * cut).abs().log()
        square = self._beside_half().square()
        taylor = math.log(2) + (4 / 3 + 104 / 45 * square) * square
        return minigrad.where(self._is_stable(), closed, taylor)

    @property
    def mean(self) -> Any:
        cut = self._cut_probs()
        closed = cut / (2 * cut - 1) + 1 / ((-cut).log1p() - cut.log())
        x = self._beside_half()
        taylor = 0.5 + (1 / 3 + 16 / 45 * x.square()) * x
        return minigrad.where(self._is_stable(), closed, taylor)

    @property
    def variance(self) -> Any:
        cut = self._cut_probs()
        closed = cut * (cut - 1) / (1 - 2 * cut).square()
        closed = closed + 1 / ((-cut).log1p() - cut.log()).square()
        square = self._beside_half().square()
        taylor = 1 / 12 - (1 / 15 - 128 / 945 * square) * square
        return minigrad.where(self._is_stable(), closed, taylor)

    def rsample(self, sample_shape: Any = ()) -> Any:
        return self.icdf(draws.uniform(self._extended_shape(sample_shape), self.probs))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        density = value * self.logits - softplus(self.logits, threshold=math.inf)
        return density + self._cont_bern_log_norm()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        cut = self._cut_probs()
        power = cut.pow(value) * (1 - cut).pow(1 - value)
        closed = (power + cut - 1) / (2 * cut - 1)
        return minigrad.where(self._is_stable(), closed, value).clamp(0, 1)

    def icdf(self, value: Any) -> Any:
        cut = self._cut_probs()
        rest = (-cut).log1p()
        closed = ((value * (2 * cut - 1) - cut).log1p() - rest) / (cut.log() - rest)
        return minigrad.where(self._is_stable(), closed, value)

    def entropy(self) -> Any:
        failure = (-self.probs).log1p()
        odds = failure - self.probs.log()
        return self.mean * odds - self._cont_bern_log_norm() - failure

    @property
    def _natural_params(self) -> tuple[Any]:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:
        """log((exp(x) - 1) / x)."""
        low, high = self._lims
        stable = (x <= low - 0.5) | (x > high - 0.5)
        cut = minigrad.where(stable, x, low - 0.5)
        closed = minigrad.expm1(cut).abs().log() - cut.abs().log()
        square = x.square()
        taylor = 0.5 * x + square / 24 - square.square() / 2880
        return minigrad.where(stable, closed, taylor)
