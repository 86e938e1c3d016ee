"""Vectors: cross products and powers."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.ops.creation import ones_like
from minigrad.ops.dims import wrap_dim
from minigrad.ops.expand import expand
from minigrad.ops.index import getitem
from minigrad.ops.join import cat
from minigrad.ops.operands import check_tensor
from minigrad.ops.promotion import elementwise
from minigrad.ops.scan import cumprod
from minigrad.ops.shape import atleast_1d, unsqueeze

__all__ = ["cross"]


@elementwise(
    input=lambda g, other, dim: _cross(other, g, dim=dim),
    other=lambda g, input, dim: _cross(g, input, dim=dim),
)
def _cross(xp: Any, input: Any, other: Any, *, dim: int) -> Any:
    """`dim` counts from the last dimension."""
    a, b = (xp.moveaxis(operand, dim, 0) for operand in (input, other))
    parts = [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]
    return xp.stack(parts, axis=dim)


def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross products of vectors of three numbers along a dimension; others are broadcast."""
    return _crossed("linalg.cross", input, other, dim)


def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """`linalg.cross`; without `dim` along the first dimension of size 3.

    >>> import minigrad
    >>> minigrad.cross(minigrad.tensor([1, 0, 0]), minigrad.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if dim is None:
        check_tensor("cross", "input", input)
        shape = tuple(input.shape)
        if 3 not in shape:
            raise ArgumentError(
                f"cross(): argument 'input' has shape {list(shape)}; one size must be 3"
            )
        dim = shape.index(3)
    return _crossed("cross", input, other, dim)


def _crossed(operation: str, input: Any, other: Any, dim: int) -> Any:
    check_tensor(operation, "input", input)
    check_tensor(operation, "other", other)
    if input.ndim != other.ndim:
        raise ArgumentError(
            f"{operation}(): argument 'input' has {input.ndim} dimensions and 'other' "
            f"{other.ndim}; they must have as many"
        )
    dim = wrap_dim(operation, dim, input.ndim) - input.ndim
    if not input.ndim or input.shape[dim] != 3 or other.shape[dim] != 3:
        raise ArgumentError(
            f"{operation}(): argument 'input' has shape {list(input.shape)} and 'other' "
            f"{list(other.shape)}; both must have size 3 in dimension 'dim', {dim}"
        )
    return _cross(input, other, dim=dim)


def vander(x: Any, *, N: int | None = None) -> Any:
    """The powers 0 to N - 1 of each element in a new last dimension: Vandermonde matrices.

    N is x's last size unless given. Raises ArgumentError for N below 2.
    """
    check_tensor("linalg.vander", "x", x)
    if not x.ndim and N is None:
        raise ArgumentError("linalg.vander(): argument 'x' is 0-d; give the number of powers, 'N'")
    count = x.shape[-1] if N is None else N
    if count < 2:
        raise ArgumentError(f"linalg.vander(): argument 'N' is {count}; it must be above 1")
    x = atleast_1d(x)
    powers = cumprod(expand(unsqueeze(x, -1), (*x.shape, count - 1)), -1)
    return cat((ones_like(getitem(powers, index=(Ellipsis, slice(1)))), powers), -1)
