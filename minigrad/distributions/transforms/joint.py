"""Transforms of vectors and matrices: softmax, stick breaking, Cholesky factors."""

from __future__ import annotations

import math
from typing import Any

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.parameters import finfo
from minigrad.distributions.transforms.elementwise import Plain, clipped_sigmoid
from minigrad.distributions.transforms.transform import check_dims
from minigrad.errors import ArgumentError
from minigrad.ops.activation import logsigmoid
from minigrad.ops.fused import softmax
from minigrad.ops.pad import pad


class SoftmaxTransform(Plain):
    """y = softmax(x): vectors to the simplex. Not bijective: x plus a number gives the same y."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Any) -> Any:
        return softmax(x, -1)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        check_dims(self, shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(Plain):
    """Vectors to the simplex of one dimension more: each number takes a share of what is left."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _shifted(self, x: Any) -> Any:
        """The log odds of each share, such that x = 0 gives equal parts."""
        count = x.shape[-1]
        return x - minigrad.arange(count, 0, -1, dtype=x.dtype, device=x.device).log()

    def _call(self, x: Any) -> Any:
        share = clipped_sigmoid(self._shifted(x))
        left = (1 - share).cumprod(-1)
        return pad(share, (0, 1), value=1) * pad(left, (1, 0), value=1)

    def _inverse(self, y: Any) -> Any:
        count = y.shape[-1] - 1
        taken = y[..., :-1]
        left = (1 - taken.cumsum(-1)).clamp_min(float(finfo(y.dtype).tiny))
        offset = minigrad.arange(count, 0, -1, dtype=y.dtype, device=y.device).log()
        return taken.log() - left.log() + offset

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        shifted = self._shifted(x)
        return (logsigmoid(shifted) - shifted + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        check_dims(self, shape, 1)
        return minigrad.Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Any:
        check_dims(self, shape, 1)
        return minigrad.Size((*shape[:-1], shape[-1] - 1))


class LowerCholeskyTransform(Plain):
    """Square matrices to lower triangular ones with a positive diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Plain):
    """Square matrices to positive definite ones."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(minigrad.linalg.cholesky(y))


def _below_diagonal(size: int, device: Any) -> tuple[Any, Any]:
    """The rows and columns below the diagonal of a square matrix, row by row."""
    rows, columns = minigrad.tril_indices(size, size, -1, device=device)
    return rows, columns


class CorrCholeskyTransform(Plain):
    """Vectors of length D (D - 1) / 2 to the Cholesky factors of D x D correlation matrices.

    Numbers x become tanh(x); along each row these break the stick of squares, signs kept, so that
    every row has norm 1. As domain and codomain differ in dimension, the volume is that of x to
    the part of y below the diagonal. D. Lewandowski, D. Kurowicka and H. Joe, 2009; Stan
    reference manual, "Cholesky factors of correlation matrices".
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        eps = float(finfo(x.dtype).eps)
        x = x.tanh().clamp(-1 + eps, 1 - eps)
        size = self.forward_shape(x.shape)[-1]
        rows, columns = _below_diagonal(size, x.device)
        blank = minigrad.zeros((*x.shape[:-1], size, size), dtype=x.dtype, device=x.device)
        correlations = blank.reshape(*x.shape[:-1], -1).index_copy(-1, rows * size + columns, x)
        correlations = correlations.reshape(*x.shape[:-1], size, size)
        left = (1 - correlations.square()).sqrt().cumprod(-1)
        correlations = correlations + minigrad.eye(size, dtype=x.dtype, device=x.device)
        return correlations * pad(left[..., :-1], (1, 0), value=1)

    def _inverse(self, y: Any) -> Any:
        rows, columns = _below_diagonal(y.shape[-1], y.device)
        left = pad((1 - y.square().cumsum(-1))[..., :-1], (1, 0), value=1)
        return (y[..., rows, columns] / left[..., rows, columns].sqrt()).atanh()

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        rows, columns = minigrad.tril_indices(y.shape[-1], y.shape[-1], -2, device=y.device)
        left = (1 - y.square().cumsum(-1))[..., rows, columns]
        slopes = logsigmoid(2 * x) + logsigmoid(-2 * x) + math.log(4)
        return 0.5 * left.log().sum(-1) + slopes.sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        check_dims(self, shape, 1)
        size = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if size * (size - 1) // 2 != shape[-1]:
            raise ArgumentError(
                f"CorrCholeskyTransform: a vector of length {shape[-1]} was given; it must be "
                f"D * (D - 1) / 2 for some D, such as {size * (size - 1) // 2}"
            )
        return minigrad.Size((*shape[:-1], size, size))

    def inverse_shape(self, shape: Any) -> Any:
        check_dims(self, shape, 2)
        if shape[-2] != shape[-1]:
            raise ArgumentError(
                f"CorrCholeskyTransform: matrices of shape {list(shape[-2:])} were given; they "
                "must be square"
            )
        return minigrad.Size((*shape[:-2], shape[-1] * (shape[-1] - 1) // 2))
