"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.errors import ArgumentError
from minigrad.ops.drawn import dirichlet


class Dirichlet(ExponentialFamily):
    """Vectors of the simplex, with a density proportional to prod(x ** (concentration - 1)).

    Gradients of samples are implicit ones: each part moves along its beta distribution, and the
    others share what it takes or leaves.
    """

    arg_constraints: ClassVar[Any] = {
        "concentration": constraints.independent(constraints.positive, 1)
    }
    support = constraints.simplex
    has_rsample = True
    _parameters: ClassVar[Any] = {"concentration": 1}
    _mean_carrier_measure = 0.0

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if not isinstance(concentration, minigrad.Tensor) or concentration.ndim < 1:
            raise ArgumentError(
                "Dirichlet(): argument 'concentration' must be a Tensor of at least one "
                f"dimension, the vectors' last; got {concentration!r}"
            )
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Any:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Any:
        """The likeliest vector; where all concentrations are below 1, one of the corners."""
        excess = (self.concentration - 1).clamp_min(0)
        total = excess.sum(-1, True)
        corner = minigrad.zeros_like(self.concentration)
        corner[..., 0] = 1
        low = (self.concentration < 1).all(-1, True)
        inside = excess / minigrad.where(low, 1, total)
        return minigrad.where(low, corner, inside)

    @property
    def variance(self) -> Any:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.square() * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Any:
        return dirichlet(self.concentration.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return (
            minigrad.xlogy(self.concentration - 1, value).sum(-1)
            + minigrad.lgamma(self.concentration.sum(-1))
            - minigrad.lgamma(self.concentration).sum(-1)
        )

    def entropy(self) -> Any:
        total = self.concentration.sum(-1)
        return (
            minigrad.lgamma(self.concentration).sum(-1)
            - minigrad.lgamma(total)
            - (self._event_shape[-1] - total) * minigrad.digamma(total)
            - ((self.concentration - 1) * minigrad.digamma(self.concentration)).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Any]:
        return (self.concentration,)

    def _log_normalizer(self, x: Any) -> Any:
        return minigrad.lgamma(x).sum(-1) - minigrad.lgamma(x.sum(-1))
