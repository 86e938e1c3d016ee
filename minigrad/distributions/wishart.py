"""The Wishart distribution."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.chi2 import Chi2
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.multivariate_normal import (
    inverse_from_factor,
    log_diagonal,
    one_matrix,
    scale_tril_of,
)
from minigrad.distributions.parameters import is_number, lazy_property
from minigrad.errors import ArgumentError
from minigrad.linalg import slogdet, solve_triangular


class Wishart(ExponentialFamily):
    """Sums of the outer products of `df` normal vectors; `df` need not be an integer.

    Samples are made by M. S. Bartlett's decomposition (1933), with gradients.
    """

    support = constraints.positive_definite
    has_rsample = True
    _parameters: ClassVar[Any] = {
        "df": 0,
        "covariance_matrix": 2,
        "precision_matrix": 2,
        "scale_tril": 2,
    }
    _mean_carrier_measure = 0.0

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        given, matrix = one_matrix(
            "Wishart",
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        if is_number(df):
            df = matrix.new_tensor(float(df))
        batch = minigrad.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(df.shape))
        size = matrix.shape[-1]
        if bool((df <= size - 1).any()):
            raise ArgumentError(
                f"Wishart(): argument 'df' is {df.detach().tolist()}; for {size} x {size} matrices "
                f"it must be above {size - 1}"
            )
        self.df = df.expand(batch)
        self.__dict__[given] = matrix.expand((*batch, *matrix.shape[-2:]))
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._unbroadcasted_scale_tril = scale_tril_of(given, matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    def _expanded(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *self._event_shape))

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower Cholesky factor of the normal vectors' covariance."""
        return self._expanded(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The normal vectors' covariance."""
        factor = self._unbroadcasted_scale_tril
        return self._expanded(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the normal vectors' covariance."""
        return self._expanded(inverse_from_factor(self._unbroadcasted_scale_tril))

    @property
    def _each_df(self) -> Any:
        return self.df.reshape(*self._batch_shape, 1, 1)

    @property
    def mean(self) -> Any:
        return self._each_df * self.covariance_matrix

    @property
    def mode(self) -> Any:
        """The likeliest matrix; nan where `df` is at most the size and 1."""
        factor = self._each_df - self._event_shape[-1] - 1
        return minigrad.where(factor <= 0, math.nan, factor) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        covariance = self.covariance_matrix
        spread = covariance.diagonal(dim1=-2, dim2=-1)
        products = spread.unsqueeze(-1) * spread.unsqueeze(-2)
        return self._each_df * (covariance.square() + products)

    def _bartlett(self, sample_shape: Any) -> Any:
        size = self._event_shape[-1]
        steps = minigrad.arange(size, dtype=self.df.dtype, device=self.df.device)
        squares = Chi2(self.df.unsqueeze(-1) - steps, validate_args=False).rsample(sample_shape)
        below = draws.normal(self._extended_shape(sample_shape), self.df).tril(-1)
        factor = self._unbroadcasted_scale_tril @ (below + squares.sqrt().diag_embed())
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int = 10) -> Any:
        """Draw with gradients; a matrix that rounding left singular is drawn again."""
        sample = self._bartlett(sample_shape)
        for _ in range(max_try_correction):
            proper = self.support.check(sample)
            if bool(proper.all()):
                break
            again = self._bartlett(sample_shape)
            sample = minigrad.where(proper.unsqueeze(-1).unsqueeze(-1), sample, again)
        return sample

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        size = self._event_shape[-1]
        factor = self._unbroadcasted_scale_tril
        # The trace of V^-1 X, X = R R.mT, is the sum of the squares of L^-1 R.
        root = solve_triangular(factor, minigrad.linalg.cholesky(value), upper=False)
        trace = root.square().sum((-2, -1))
        return (
            -self.df * (size * math.log(2) / 2 + log_diagonal(factor))
            - minigrad.mvlgamma(self.df / 2, size)
            + (self.df - size - 1) / 2 * slogdet(value)[1]
            - trace / 2
        )

    def entropy(self) -> Any:
        size = self._event_shape[-1]
        halves = minigrad.arange(size, dtype=self.df.dtype, device=self.df.device) / 2
        slope = minigrad.digamma(self.df.unsqueeze(-1) / 2 - halves).sum(-1)
        scale = size * math.log(2) / 2 + log_diagonal(self._unbroadcasted_scale_tril)
        return (
            (size + 1) * scale
            + minigrad.mvlgamma(self.df / 2, size)
            - (self.df - size - 1) / 2 * slope
            + self.df * size / 2
        )

    @property
    def _natural_params(self) -> tuple[Any, Any]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Any, y: Any) -> Any:
        size = self._event_shape[-1]
        half = y + (size + 1) / 2
        return half * (size * math.log(2) - slogdet(-2 * x)[1]) + minigrad.mvlgamma(half, size)
