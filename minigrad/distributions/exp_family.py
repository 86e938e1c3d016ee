"""Exponential families: the entropy of any of them by the derivative of its log normaliser."""

from __future__ import annotations

from typing import Any, ClassVar

import minigrad
from minigrad.autograd import grad
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import sum_rightmost


class ExponentialFamily(Distribution):
    """A density exp(t(x) @ theta - F(theta) + k(x)): natural parameters, log normaliser, carrier.

    F. Nielsen and R. Nock, "Entropies and cross-entropies of exponential families", 2010.
    """

    _mean_carrier_measure: ClassVar[Any] = None

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        raise self._lacks("natural parameters")

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise self._lacks("log normaliser")

    def _normalizer_and_slopes(self) -> tuple[tuple[Any, ...], Any, tuple[Any, ...]]:
        """The natural parameters, the log normaliser and its gradient, recorded if they are."""
        given = self._natural_params
        recorded = minigrad.is_grad_enabled() and any(p.requires_grad for p in given)
        with minigrad.enable_grad():
            naturals = tuple(
                p if recorded and p.requires_grad else p.detach().requires_grad_() for p in given
            )
            normalizer = self._log_normalizer(*naturals)
            slopes = grad(normalizer.sum(), naturals, create_graph=recorded)
        if not recorded:
            normalizer = normalizer.detach()
        return given, normalizer, slopes

    def entropy(self) -> Any:
        if self._mean_carrier_measure is None:
            raise self._lacks("entropy()")
        naturals, normalizer, slopes = self._normalizer_and_slopes()
        result = normalizer - self._mean_carrier_measure
        for natural, slope in zip(naturals, slopes):
            result = result - sum_rightmost(natural * slope, natural.ndim - len(self._batch_shape))
        return result
