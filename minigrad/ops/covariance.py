"""How variables, the rows of a matrix, vary together."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops import reduce
from minigrad.ops.diagonal import diagonal
from minigrad.ops.elementwise import conj, imag, real, true_divide
from minigrad.ops.functions import sqrt
from minigrad.ops.gather import raw_of
from minigrad.ops.matmul import mm
from minigrad.ops.select import clamp
from minigrad.ops.shape import reshape, squeeze, t, unsqueeze

__all__ = ["corrcoef", "cov"]


def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariances of the rows of a matrix, whose columns are observations; of a vector: one.

    The sums are divided by the number of observations less `correction`. `fweights` says how often
    each was observed, `aweights` what weight it has. Raises ArgumentError for more than two
    dimensions or weights of a wrong length, DtypeError for bools.
    """
    if input.ndim > 2:
        raise ArgumentError(
            f"cov(): argument 'input' must be a matrix or a vector, it has shape "
            f"{list(input.shape)}"
        )
    if input.dtype.kind == "b":
        raise DtypeError("cov(): argument 'input' is bool; convert it first, with input.float()")
    rows = input if input.ndim == 2 else reshape(input, (1, -1))
    count = rows.shape[1]
    weight = None
    if fweights is not None:
        weight = _weights("fweights", fweights, count, "iu")
    if aweights is not None:
        given = _weights("aweights", aweights, count, "f")
        weight = given if weight is None else weight * given
    total: Any = count if weight is None else reduce.sum(weight)
    if weight is not None and count and not bool(raw_of(total) != 0):
        raise ArgumentError("cov(): the weights add up to zero")
    weighted = rows if weight is None else rows * weight
    mean = true_divide(reduce.sum(weighted, 1), total)
    if weight is not None and aweights is not None and correction != 0:
        norm = total - correction * reduce.sum(weight * aweights) / total
    else:
        norm = total - correction
    if not bool(raw_of(norm) > 0):
        warnings.warn("cov(): no degrees of freedom are left", stacklevel=2)
        norm = 0
    off = rows - unsqueeze(mean, 1)
    product = mm(off, conj(t(off if weight is None else off * weight)))
    return squeeze(true_divide(product, norm))


def _weights(name: str, weights: Any, count: int, kinds: str) -> Any:
    raw = raw_of(weights)
    if raw.ndim > 1 or raw.size != count:
        raise ArgumentError(
            f"cov(): argument '{name}' has shape {list(raw.shape)}; it must be a vector of "
            f"{count} weights, one for each observation"
        )
    if raw.dtype.kind not in kinds:
        wanted = "integers" if kinds == "iu" else "floating"
        raise DtypeError(f"cov(): argument '{name}' has dtype {raw.dtype}; it must be {wanted}")
    if raw.size and not bool((raw >= 0).all()):
        raise ArgumentError(f"cov(): argument '{name}' holds a weight below zero")
    return weights


def corrcoef(input: Any) -> Any:
    """The correlations of the rows of a matrix, whose columns are observations.

    >>> import minigrad
    >>> minigrad.corrcoef(minigrad.tensor([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    if input.ndim > 2:
        raise ArgumentError(
            f"corrcoef(): argument 'input' must be a matrix or a vector, it has shape "
            f"{list(input.shape)}"
        )
    covariance = cov(input)
    if not covariance.ndim:
        return covariance / covariance
    deviation = sqrt(real(diagonal(covariance)))
    result = covariance / unsqueeze(deviation, 1) / deviation
    # Rounding alone may lead outside.
    if result.dtype.kind == "c":
        return clamp(real(result), -1, 1) + clamp(imag(result), -1, 1) * 1j
    return clamp(result, -1, 1)
