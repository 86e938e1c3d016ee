"""The von Mises distribution on the circle."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import broadcast_all


class VonMises(Distribution):
    """Angles with a density proportional to exp(concentration * cos(x - loc)).

    Any real number is taken as an angle; samples lie in [-pi, pi).
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real,
        "concentration": constraints.positive,
    }
    support = constraints.real
    _parameters: ClassVar[Any] = {"loc": 0, "concentration": 0}

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        # The scaled Bessel function keeps a large concentration from overflowing.
        flatness = minigrad.special.i0e(self.concentration).log() + math.log(2 * math.pi)
        return self.concentration * (minigrad.cos(value - self.loc) - 1) - flatness

    def sample(self, sample_shape: Any = ()) -> Any:
        """Angles by the rejection of D. J. Best and N. I. Fisher, Applied Statistics 28 (1979).

        They are computed in float64.
        """
        shape = self._extended_shape(sample_shape)
        with minigrad.no_grad():
            kappa = self.concentration.double().expand(shape).reshape(-1)
            angles = minigrad.zeros_like(kappa)
            waiting = minigrad.arange(kappa.numel(), device=kappa.device)
            while waiting.numel():
                drawn, fits = _propose(kappa[waiting])
                angles = angles.index_copy(0, waiting[fits], drawn[fits])
                waiting = waiting[fits.logical_not()]
            turned = angles.reshape(shape) + self.loc.double() + math.pi
            return (turned % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self) -> Any:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        """The circular variance, between 0 and 1."""
        kappa = self.concentration
        return 1 - minigrad.special.i1e(kappa) / minigrad.special.i0e(kappa)


def _propose(kappa: Any) -> tuple[Any, Any]:
    """Angles around 0 from a wrapped Cauchy distribution, and which of them to take."""
    tau = 1 + (1 + 4 * kappa.square()).sqrt()
    # rho = (tau - sqrt(2 tau)) / (2 kappa), written so that a small kappa does not cancel.
    rho = 2 * kappa / (tau + (2 * tau).sqrt())
    r = (1 + rho.square()) / (2 * rho)
    first, second, third = (minigrad.rand_like(kappa) for _ in range(3))
    z = minigrad.cos(math.pi * first)
    f = (1 + r * z) / (r + z)
    c = kappa * (r - f)
    second = 1 - second
    fits = (c * (2 - c) > second) | ((c / second).log() + 1 >= c)
    sign = minigrad.where(third < 0.5, -1.0, 1.0)
    return sign * minigrad.acos(f.clamp(-1, 1)), fits
