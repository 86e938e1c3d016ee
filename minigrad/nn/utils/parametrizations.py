"""Ready-made parametrizations: weight norm, spectral norm, orthogonal matrices."""

from __future__ import annotations

from typing import Any

from minigrad import linalg
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.utils.parametrize import register_parametrization
from minigrad.ops.creation import eye, full_like, zeros
from minigrad.ops.factor import qr
from minigrad.ops.join import cat
from minigrad.ops.matmul import matmul
from minigrad.ops.norms import vector_norm
from minigrad.ops.random import randn

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def norm_except(weight: Any, dim: int | None) -> Any:
    """The norm over all dimensions but one, or over all for None; dimensions are kept."""
    if dim is None or dim == -1:
        return vector_norm(weight)
    rest = tuple(place for place in range(weight.ndim) if place != dim % weight.ndim)
    return vector_norm(weight, 2, rest, True)


class _WeightNorm(Module):
    def __init__(self, dim: int | None) -> None:
        self.dim = dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        """The direction with the length."""
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        """The length, and the weight as its own direction."""
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Make a weight of a length (original0) and a direction (original1); returns the module.

    There is a length for each place along `dim`, or one for None. Source: Salimans and Kingma,
    "Weight Normalization", 2016.
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


class _SpectralNorm(Module):
    _u: Any
    _v: Any

    def __init__(self, weight: Any, n_power_iterations: int, dim: int, eps: float) -> None:
        if n_power_iterations < 1:
            raise ArgumentError(
                f"spectral_norm(): n_power_iterations must be at least 1, got {n_power_iterations}"
            )
        self.dim = dim % weight.ndim
        self.n_power_iterations = n_power_iterations
        self.eps = eps
        if weight.ndim > 1:
            matrix = self._matrix(weight.detach())
            for name, size in zip(("_u", "_v"), matrix.shape):
                drawn = randn(size, dtype=weight.dtype, device=weight.device)
                self.register_buffer(name, F.normalize(drawn, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Any) -> Any:
        if self.dim:
            weight = weight.movedim(self.dim, 0)
        return weight.reshape(weight.shape[0], -1)

    def _iterate(self, matrix: Any, count: int) -> None:
        """Bring the two vectors nearer to the first singular ones."""
        with no_grad():
            for _ in range(count):
                self._u.copy_(F.normalize(matmul(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matmul(matrix.mT, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Any) -> Any:
        """The weight over its first singular value."""
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        left, right = self._u.clone(), self._v.clone()
        return weight / matmul(left, matmul(matrix, right))

    def right_inverse(self, value: Any) -> Any:
        """The value itself, which is nearly its own where it is normalised."""
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value, found by power iteration; returns the module.

    Each training forward makes `n_power_iterations`. The matrix has rows along `dim`, by default
    the outputs. Source: Miyato and others, "Spectral Normalization for GANs", 2018.
    """
    weight = getattr(module, name)
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)


class _Orthogonal(Module):
    base: Any

    def __init__(self, orthogonal_map: str, use_trivialization: bool) -> None:
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        """The orthogonal matrix that a triangular part stands for."""
        wide = X.shape[-2] < X.shape[-1]
        X = X.mT if wide else X
        rows, columns = X.shape[-2:]
        if self.orthogonal_map == "householder":
            below = X.tril(-1)
            scale = 2.0 / (1.0 + (below * below).sum(-2))
            Q = linalg.householder_product(below, scale)
            Q = Q * X.diagonal(0, -2, -1).trunc().unsqueeze(-2)
        else:
            X = X.tril()
            if rows != columns:
                more = zeros(*X.shape[:-1], rows - columns, dtype=X.dtype, device=X.device)
                X = cat([X, more], -1)
            skew = X - X.mH
            if self.orthogonal_map == "matrix_exp":
                Q = linalg.matrix_exp(skew)
            else:
                one = eye(rows, dtype=X.dtype, device=X.device)
                Q = linalg.solve(one - 0.5 * skew, one + 0.5 * skew)
            Q = Q[..., :columns]
        if self.use_trivialization:
            Q = matmul(self.base, Q)
        return Q.mT if wide else Q

    def right_inverse(self, Q: Any) -> Any:
        """What stands for a matrix; one that is not orthogonal is made so first."""
        if not self.use_trivialization:
            raise NotImplementedError
        wide = Q.shape[-2] < Q.shape[-1]
        matrix = Q.mT if wide else Q
        rows, columns = matrix.shape[-2:]
        if rows != columns:
            size = (*matrix.shape[:-1], rows - columns)
            drawn = randn(*size, dtype=matrix.dtype, device=matrix.device)
            matrix = cat([matrix, drawn], -1)
        if rows != columns or not _is_orthogonal(matrix):
            matrix = _orthonormal(matrix)
        self.base = matrix.detach().clone()
        return full_like(Q, 0).detach() - eye(*Q.shape[-2:], dtype=Q.dtype, device=Q.device)


def _is_orthogonal(matrix: Any) -> bool:
    """Whether the columns are orthonormal to the dtype's precision."""
    size = matrix.shape[-1]
    one = eye(size, dtype=matrix.dtype, device=matrix.device)
    precision = 1e-6 if matrix.dtype.itemsize <= 4 else 1e-14
    return bool((abs(matmul(matrix.mH, matrix) - one) <= 10 * size * precision).all())


def _orthonormal(matrix: Any) -> Any:
    """The orthonormal basis by Householder's QR whose R has a positive diagonal."""
    Q, R = qr(matrix)
    return Q * R.diagonal(0, -2, -1).sgn().unsqueeze(-2)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Make a weight whose rows, or columns if there are more, stay orthonormal; returns the module.

    `orthogonal_map` is "matrix_exp" (of square weights by default), "cayley" or "householder" (of
    others). With `use_trivialization` it is a factor of what the weight was, made orthogonal.
    Source: Lezcano-Casado, "Trivializations for gradient-based optimization on manifolds", 2019.
    """
    weight = getattr(module, name)
    if weight.ndim < 2:
        raise ArgumentError(
            f"orthogonal(): '{name}' must be a matrix or a batch of them, got {list(weight.shape)}"
        )
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1] or weight.dtype.kind == "c"
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ArgumentError(
            f"orthogonal(): orthogonal_map must be 'matrix_exp', 'cayley' or 'householder', got "
            f"{orthogonal_map!r}"
        )
    if orthogonal_map == "householder" and weight.dtype.kind == "c":
        raise ArgumentError("orthogonal(): 'householder' takes real weights; use 'matrix_exp'")
    made = _Orthogonal(orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)
