"""The LKJ distribution over Cholesky factors of correlation matrices."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints, draws
from minigrad.distributions.beta import Beta
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.parameters import broadcast_all, finfo
from minigrad.errors import ArgumentError


class LKJCholesky(Distribution):
    """Lower Cholesky factors of dim x dim correlation matrices of density det ** (concentration-1).

    With concentration 1 the matrices are uniform. D. Lewandowski, D. Kurowicka and H. Joe,
    "Generating random correlation matrices based on vines and extended onion method", 2009.
    """

    arg_constraints: ClassVar[Any] = {"concentration": constraints.positive}
    support = constraints.corr_cholesky
    _parameters: ClassVar[Any] = {"concentration": 0, "dim": 0}

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ArgumentError(f"LKJCholesky(): argument 'dim' is {dim}; it must be at least 2")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        super().__init__(self.concentration.shape, (dim, dim), validate_args=validate_args)

    def sample(self, sample_shape: Any = ()) -> Any:
        """Factors by the onion method: row by row a direction, and how far it goes."""
        with minigrad.no_grad():
            like = self.concentration
            row = minigrad.arange(self.dim - 1, dtype=like.dtype, device=like.device)
            row = minigrad.cat([row.new_zeros(1), row])
            rest = like.unsqueeze(-1) + 0.5 * (self.dim - 2) - 0.5 * row
            length = Beta(row + 0.5, rest, validate_args=False).sample(sample_shape)
            normal = draws.normal(self._extended_shape(sample_shape), like).tril(-1)
            norm = normal.square().sum(-1, True).sqrt()
            # The first row has no numbers before the diagonal, and so no direction.
            direction = normal / minigrad.where(norm == 0, 1, norm)
            below = length.sqrt().unsqueeze(-1) * direction
            left = (1 - below.square().sum(-1)).clamp_min(float(finfo(like.dtype).tiny))
            return below + left.sqrt().diag_embed()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        like = self.concentration
        diagonal = value.diagonal(dim1=-2, dim2=-1)[..., 1:]
        power = minigrad.arange(self.dim - 2, -1, -1, dtype=like.dtype, device=like.device)
        power = power + 2 * (like - 1).unsqueeze(-1)
        density = (power * diagonal.log()).sum(-1)
        rows = self.dim - 1
        alpha = like + 0.5 * rows
        normalizer = (
            0.5 * rows * math.log(math.pi)
            + minigrad.mvlgamma(alpha - 0.5, rows)
            - minigrad.lgamma(alpha) * rows
        )
        return density - normalizer
