"""The multivariate normal distribution, and what its relatives ask of Cholesky factors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import exactly_one, lazy_property
from minigrad.errors import ArgumentError
from minigrad.linalg import cholesky, solve_triangular


def log_diagonal(factor: Any) -> Any:
    """The logarithm of the determinant of triangular matrices."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def solved_columns(factor: Any, vectors: Any) -> Any:
    """The squared length of L^-1 x for vectors [sample, batch, n] and lower L [batch, n, n].

    Where the samples come before the batch they are solved together, with one matrix each batch.
    """
    lead, batch = tuple(vectors.shape[:-1]), tuple(factor.shape[:-2])
    extra = len(lead) - len(batch)
    if extra > 0 and lead[extra:] == batch:
        count = math.prod(lead[:extra])
        columns = vectors.reshape(count, *batch, vectors.shape[-1]).movedim(0, -1)
        solved = solve_triangular(factor, columns, upper=False)
        return solved.square().sum(-2).movedim(-1, 0).reshape(lead)
    solved = solve_triangular(factor, vectors.unsqueeze(-1), upper=False)
    return solved.squeeze(-1).square().sum(-1)


def precision_to_scale_tril(precision: Any) -> Any:
    """The Cholesky factor of the inverse, from the factor of the matrix turned round."""
    turned = cholesky(precision.flip((-2, -1)))
    lower = turned.flip((-2, -1)).mT
    identity = minigrad.eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return solve_triangular(lower, identity.expand(lower.shape), upper=False)


def inverse_from_factor(factor: Any) -> Any:
    """The inverse of L @ L.mT."""
    identity = minigrad.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    solved = solve_triangular(factor, identity.expand(factor.shape), upper=False)
    return solved.mT @ solved


class MultivariateNormal(Distribution):
    """Normal vectors around `loc`, with a covariance, its inverse or its Cholesky factor.

    >>> import minigrad
    >>> normal = minigrad.distributions.MultivariateNormal(minigrad.zeros(2), minigrad.eye(2))
    >>> normal.log_prob(minigrad.zeros(2))
    tensor(-1.8379)
    """

    arg_constraints: ClassVar[Any] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True
    _parameters: ClassVar[Any] = {
        "loc": 1,
        "covariance_matrix": 2,
        "precision_matrix": 2,
        "scale_tril": 2,
    }

    def __init__(
        self,
        loc: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if loc.ndim < 1:
            raise ArgumentError(
                "MultivariateNormal(): argument 'loc' has no dimensions; it must hold vectors"
            )
        given, matrix = one_matrix(
            "MultivariateNormal",
            covariance_matrix=covariance_matrix,
            precision_matrix=precision_matrix,
            scale_tril=scale_tril,
        )
        size = loc.shape[-1]
        if tuple(matrix.shape[-2:]) != (size, size):
            raise ArgumentError(
                f"MultivariateNormal(): argument '{given}' has shape {list(matrix.shape)}; with "
                f"'loc' of shape {list(loc.shape)} its matrices must be {size} x {size}"
            )
        batch = minigrad.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1]))
        self.loc = loc.expand((*batch, size))
        self.__dict__[given] = matrix.expand((*batch, size, size))
        super().__init__(batch, (size,), validate_args=validate_args)
        self._unbroadcasted_scale_tril = scale_tril_of(given, matrix)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new._unbroadcasted_scale_tril = self._unbroadcasted_scale_tril
        return new

    def _expanded(self, matrix: Any) -> Any:
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    @lazy_property
    def scale_tril(self) -> Any:
        """The lower Cholesky factor of the covariance."""
        return self._expanded(self._unbroadcasted_scale_tril)

    @lazy_property
    def covariance_matrix(self) -> Any:
        """The covariance."""
        factor = self._unbroadcasted_scale_tril
        return self._expanded(factor @ factor.mT)

    @lazy_property
    def precision_matrix(self) -> Any:
        """The inverse of the covariance."""
        return self._expanded(inverse_from_factor(self._unbroadcasted_scale_tril))

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @property
    def variance(self) -> Any:
        squares = self._unbroadcasted_scale_tril.square().sum(-1)
        return squares.expand((*self._batch_shape, *self._event_shape))

    def rsample(self, sample_shape: Any = ()) -> Any:
        normal = draws.normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self._unbroadcasted_scale_tril @ normal.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = solved_columns(factor, value - self.loc)
        constant = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (constant + distance) - log_diagonal(factor)

    def entropy(self) -> Any:
        constant = 0.5 * self._event_shape[0] * (1 + math.log(2 * math.pi))
        entropy = constant + log_diagonal(self._unbroadcasted_scale_tril)
        return entropy.expand(self._batch_shape)


def one_matrix(distribution: str, **matrices: Any) -> tuple[str, Any]:
    """The one of the matrices that was given, and its name."""
    exactly_one(distribution, **matrices)
    ((name, matrix),) = ((n, value) for n, value in matrices.items() if value is not None)
    if matrix.ndim < 2:
        raise ArgumentError(
            f"{distribution}(): argument '{name}' has shape {list(matrix.shape)}; it must hold "
            "matrices in its last two dimensions"
        )
    return name, matrix


def scale_tril_of(given: str, matrix: Any) -> Any:
    """The Cholesky factor of a covariance that was given in one of three ways."""
    if given == "scale_tril":
        return matrix
    return cholesky(matrix) if given == "covariance_matrix" else precision_to_scale_tril(matrix)
