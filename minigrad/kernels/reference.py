"""The functions that have compiled twins, in plain array operations.

They run on any backend, and are what the compiled ones are tested against.
"""

from __future__ import annotations

from math import prod
from typing import Any

from minigrad.backend import backend_of

Sizes = tuple[int, ...]


def take_rows(xp: Any, table: Any, index: Any) -> Any:
    """The rows of a table at positions of any shape."""
    return table.take(index, 0)


def sum_rows(xp: Any, values: Any, index: Any, rows: int) -> Any:
    """A table in which each row is the sum of the rows of values whose position it is."""
    width = values.shape[1]
    out = xp.zeros((rows, width), values.dtype)
    # One flat index for each element: much faster in NumPy than indexing by rows.
    place = index[:, None] * width + xp.arange(width)
    backend_of(out).scatter_add(out.reshape(-1), place.reshape(-1), values.reshape(-1))
    return out


def normalise(
    xp: Any,
    input: Any,
    weight: Any,
    bias: Any,
    axes: Sizes,
    affine: Sizes,
    eps: float,
    centred: bool,
) -> tuple[Any, Any, Any, Any]:
    """The input normalised over `axes`, times weight, plus bias; its mean, variance, 1 / spread.

    Weight and bias may be None; they have the shape `affine` beside the input. Without `centred`
    the mean counts as zero.
    """
    count = max(1, prod(input.shape[axis] for axis in axes))
    if centred:
        mean = input.sum(axes, keepdims=True) / count
        out = input - mean
        squares = out * out
    else:
        mean = xp.zeros((1,) * input.ndim, input.dtype)
        squares = input * input
        out = input.copy()
    variance = squares.sum(axes, keepdims=True) / count
    inverse = 1 / xp.sqrt(variance + eps)
    out *= inverse
    if weight is not None:
        out *= weight.reshape(affine)
    if bias is not None:
        out += bias.reshape(affine)
    return out, mean, variance, inverse


def normalise_grads(
    xp: Any,
    grad: Any,
    array: Any,
    weight: Any,
    mean: Any,
    inverse: Any,
    axes: Sizes,
    affine: Sizes,
    centred: bool,
) -> Any:
    """The cotangents of the array, of the weight and of the bias, from that of the result.

    Weight and bias have the shape `affine`; where that is (), there are none, and None is returned.
    """
    count = max(1, prod(array.shape[axis] for axis in axes))
    standard = array - mean
    standard *= inverse
    of_weight = of_bias = None
    if affine:
        lead = array.ndim - len(affine)
        across = (*range(lead), *(lead + i for i, size in enumerate(affine) if size == 1))
        of_weight = (grad * standard).sum(across).reshape(affine)
        of_bias = grad.sum(across).reshape(affine)
    if weight is not None:
        grad = grad * weight.reshape(affine)
    out = grad * standard
    share = out.sum(axes, keepdims=True)
    share /= -count
    xp.multiply(standard, share, out=out)
    out += grad
    if centred:
        out -= grad.sum(axes, keepdims=True) / count
    out *= inverse
    return out, of_weight, of_bias


def run_chain(xp: Any, array: Any, chain: Any, arrays: Any) -> None:
    """Make the calls of a chain on arrays like `array`, tile by tile."""
    chain.take_tiles(*arrays)
