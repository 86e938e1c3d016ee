"""The multivariate normal distribution whose covariance is a diagonal and a few factors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.multivariate_normal import log_diagonal, solved_columns
from minigrad.distributions.parameters import lazy_property
from minigrad.errors import ArgumentError
from minigrad.linalg import cholesky, solve_triangular


class LowRankMultivariateNormal(Distribution):
    """Normal vectors around `loc` with the covariance cov_factor @ cov_factor.mT + diag(cov_diag).

    Determinants and distances cost as much as the factors' number asks (Woodbury's identity).
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters: ClassVar[Any] = {
        "loc": 1,
        "cov_factor": 2,
        "cov_diag": 1,
        "covariance_matrix": 2,
        "precision_matrix": 2,
        "scale_tril": 2,
    }

    def __init__(
        self, loc: Any, cov_factor: Any, cov_diag: Any, validate_args: bool | None = None
    ) -> None:
        name = "LowRankMultivariateNormal"
        if loc.ndim < 1:
            raise ArgumentError(f"{name}(): argument 'loc' has no dimensions")
        size = loc.shape[-1]
        if cov_factor.ndim < 2 or cov_factor.shape[-2] != size:
            raise ArgumentError(
                f"{name}(): argument 'cov_factor' has shape {list(cov_factor.shape)}; its matrices "
                f"must have {size} rows, as 'loc' has numbers"
            )
        if cov_diag.ndim < 1 or cov_diag.shape[-1] != size:
            raise ArgumentError(
                f"{name}(): argument 'cov_diag' has shape {list(cov_diag.shape)}; its vectors must "
                f"have {size} numbers, as 'loc' has"
            )
        batch = minigrad.broadcast_shapes(
            tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1])
        )
        self.loc = loc.expand((*batch, size))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self.cov_diag = cov_diag.expand((*batch, size))
        super().__init__(batch, (size,), validate_args=validate_args)
        self._unbroadcasted_cov_factor = cov_factor
        self._unbroadcasted_cov_diag = cov_diag
        scaled = cov_factor.mT / cov_diag.unsqueeze(-2)
        inner = scaled @ cov_factor
        eye = minigrad.eye(inner.shape[-1], dtype=inner.dtype, device=inner.device)
        self._capacitance_tril = cholesky(inner + eye)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        for name in ("_unbroadcasted_cov_factor", "_unbroadcasted_cov_diag", "_capacitance_tril"):
            new.__dict__[name] = self.__dict__[name]
        return new

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        squares = self._unbroadcasted_cov_factor.square().sum(-1) + self._unbroadcasted_cov_diag
        return squares.expand((*self._batch_shape, *self._event_shape))

    def _expanded(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        factor = self._unbroadcasted_cov_factor
        return self._expanded(factor @ factor.mT + self._unbroadcasted_cov_diag.diag_embed())

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower Cholesky factor of the covariance."""
        # Of a matrix with the identity in it: the diagonal's root is taken out.
        root = self._unbroadcasted_cov_diag.sqrt().unsqueeze(-1)
        scaled = self._unbroadcasted_cov_factor / root
        inner = scaled @ scaled.mT
        eye = minigrad.eye(inner.shape[-1], dtype=inner.dtype, device=inner.device)
        return self._expanded(root * cholesky(inner + eye))

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        solved = self._whitened()
        return self._expanded(
            self._unbroadcasted_cov_diag.reciprocal().diag_embed() - solved.mT @ solved
        )

    def _whitened(self) -> Any:
        """The factor of what the factors take away from the inverse of the diagonal."""
        scaled = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        return solve_triangular(self._capacitance_tril, scaled, upper=False)

    def _log_determinant(self) -> Any:
        """The logarithm of the covariance's determinant, by the matrix determinant lemma."""
        return 2 * log_diagonal(self._capacitance_tril) + self._unbroadcasted_cov_diag.log().sum(-1)

    def _distance(self, difference: Any) -> Any:
        """The squared Mahalanobis length of vectors, by Woodbury's identity."""
        scaled = self._unbroadcasted_cov_factor.mT / self._unbroadcasted_cov_diag.unsqueeze(-2)
        seen = (scaled @ difference.unsqueeze(-1)).squeeze(-1)
        plain = (difference.square() / self._unbroadcasted_cov_diag).sum(-1)
        return plain - solved_columns(self._capacitance_tril, seen)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        factors = draws.normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc)
        noise = draws.normal(shape, self.loc)
        common = (self._unbroadcasted_cov_factor @ factors.unsqueeze(-1)).squeeze(-1)
        return self.loc + common + self._unbroadcasted_cov_diag.sqrt() * noise

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + self._log_determinant() + self._distance(value - self.loc))

    def entropy(self) -> Any:
        constant = self._event_shape[0] * (1 + math.log(2 * math.pi))
        return (0.5 * (constant + self._log_determinant())).expand(self._batch_shape)
