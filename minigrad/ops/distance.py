"""Distances between points, and vectors brought to a greatest norm."""

from __future__ import annotations

from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.elementwise import sub
from minigrad.ops.expand import broadcast_shapes, expand
from minigrad.ops.index import getitem
from minigrad.ops.norms import vector_norm
from minigrad.ops.operands import check_tensor
from minigrad.ops.promotion import convert, require_floating, result_type
from minigrad.ops.reduce import sum as total
from minigrad.ops.select import where
from minigrad.ops.shape import unsqueeze
from minigrad.ops.solve import turned
from minigrad.ops.windows import raw

__all__ = ["cdist", "dist", "pdist", "renorm"]


def _cdist_rule(g: Any, x1: Any, x2: Any, out: Any) -> tuple[Any, Any]:
    """Points that coincide draw each other nowhere, as in torch."""
    ratio = where(out == 0, 0, g / where(out == 0, 1, out))
    return (
        x1 * total(ratio, dim=-1, keepdim=True) - ratio @ x2,
        x2 * unsqueeze(total(ratio, dim=-2), -1) - turned(ratio) @ x1,
    )


@primitive(joint=_cdist_rule)
def _cdist(xp: Any, x1: Any, x2: Any) -> Any:
    """Euclidean distances by one product: |a|^2 - 2 a.b + |b|^2."""
    squares = -2 * (x1 @ x2.swapaxes(-1, -2))
    squares += (x1 * x1).sum(-1)[..., :, None]
    squares += (x2 * x2).sum(-1)[..., None, :]
    return xp.sqrt(xp.maximum(squares, 0))


_MODES = (
    "use_mm_for_euclid_dist_if_necessary",
    "use_mm_for_euclid_dist",
    "donot_use_mm_for_euclid_dist",
)
_MANY = 25


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str = _MODES[0]) -> Any:
    """The distances between every row of x1 [..., P, M] and every row of x2 [..., R, M].

    They are norms of order `p` of the differences; the result is [..., P, R]. Euclidean ones of
    more than 25 rows are made by a matrix product, which is faster and rounds more, unless
    `compute_mode` says otherwise.
    """
    for name, value in (("x1", x1), ("x2", x2)):
        check_tensor("cdist", name, value)
        require_floating("cdist", name, value)
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[-1] != x2.shape[-1]:
        raise ArgumentError(
            f"cdist(): argument 'x1' has shape {list(x1.shape)} and 'x2' {list(x2.shape)}; both "
            f"must hold rows of one size in their last two dimensions"
        )
    if not p >= 0:
        raise ArgumentError(f"cdist(): argument 'p' is {p!r}; it must not be negative")
    if compute_mode not in _MODES:
        raise ArgumentError(
            f"cdist(): argument 'compute_mode' is {compute_mode!r}; it must be one of {_MODES}"
        )
    dtype = result_type(x1, x2)
    x1, x2 = convert(x1, dtype), convert(x2, dtype)
    is_large = max(x1.shape[-2], x2.shape[-2]) > _MANY
    if p == 2 and (compute_mode == _MODES[1] or (compute_mode == _MODES[0] and is_large)):
        lead = broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
        return _cdist(*(expand(x, (*lead, *x.shape[-2:])) for x in (x1, x2)))
    differences = sub(unsqueeze(x1, -2), unsqueeze(x2, -3))
    if not x1.shape[-1]:
        return total(differences, dim=-1)
    return vector_norm(differences, p, -1)


def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The norm of order `p` of the difference of two tensors, broadcast, taken as one vector."""
    check_tensor("dist", "input", input)
    check_tensor("dist", "other", other)
    difference = sub(input, other)
    require_floating("dist", "input", difference)
    return vector_norm(difference, p)


def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """The slices along a dimension, those of a larger norm of order `p` scaled down to `maxnorm`.

    Raises ArgumentError for fewer than two dimensions, or for `p` or `maxnorm` below zero.
    """
    check_tensor("renorm", "input", input)
    if isinstance(p, complex) or not p > 0:
        raise ArgumentError(f"renorm(): argument 'p' is {p!r}; it must be a number above zero")
    if isinstance(maxnorm, complex) or not maxnorm >= 0:
        raise ArgumentError(
            f"renorm(): argument 'maxnorm' is {maxnorm!r}; it must be a number and not negative"
        )
    if input.ndim < 2:
        raise ArgumentError(
            f"renorm(): argument 'input' must have at least two dimensions, it has shape "
            f"{list(input.shape)}"
        )
    require_floating("renorm", "input", input)
    kept = wrap_dim("renorm", dim, input.ndim)
    others = tuple(place for place in range(input.ndim) if place != kept)
    sizes = vector_norm(input, p, others, True)
    return input * where(sizes > maxnorm, maxnorm / (sizes + 1e-7), 1.0)


def pdist(input: Any, p: float = 2) -> Any:
    """The `p`-norm distances of all pairs of rows of (N, M): (0, 1), (0, 2), ... (N - 2, N - 1).

    Raises ArgumentError unless the input is a matrix and `p` at least 0, DtypeError for integers.

    >>> import minigrad
    >>> pdist(minigrad.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    tensor([5.0000, 1.0000, 4.2426])
    """
    if not hasattr(input, "ndim") or input.ndim != 2:
        raise ArgumentError(
            f"pdist(): argument 'input' must have shape (N, M), one point a row, got "
            f"{list(getattr(input, 'shape', ()))}"
        )
    require_floating("pdist", "input", input)
    if p < 0:
        raise ArgumentError(f"pdist(): argument 'p' must be at least 0, got {p}")
    count, width = input.shape
    xp = namespace("pdist", input=raw(input))
    first, second = xp.triu_indices(count, 1)
    differences = getitem(input, index=(first,)) - getitem(input, index=(second,))
    if not width:
        return differences.sum(1)
    return vector_norm(differences, p, 1)
