"""The softmax family and the loss of a classifier: several steps made one, for speed and accuracy.

An argument `saved` is a list, empty at the call, in which a forward leaves what its gradient would
have to compute again. It is a memory, not an input: derivatives go through the inputs proper.
"""

from __future__ import annotations

from typing import Any

from minigrad import dtypes, kernels
from minigrad.errors import DtypeError
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.functions import exp
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import sum_to
from minigrad.ops.shape import reshape

__all__ = ["log_softmax", "softmax"]

Size = tuple[int, ...]


def _kept(shape: Size, dim: int) -> Size:
    """The shape with one dimension of size 1."""
    return (*shape[:dim], 1, *shape[dim + 1 :])


@primitive(input=lambda g, out, dim: softmax_grad(g, out, dim=dim))
def _softmax(xp: Any, input: Any, *, dim: int) -> Any:
    dtype = input.dtype
    input = kernels.in_single(xp, input)
    if not input.size:
        return input.astype(dtype)
    out = kernels.softmax(xp, input, dim)
    return out if out.dtype is dtype else out.astype(dtype)


@primitive(
    input=lambda g, values, dim: softmax_grad(g, values, dim=dim),
    values=lambda g, input, values, shape, dim: (
        g * (input - sum_to(input * values, size=_kept(shape, dim)))
        - input * sum_to(g * values, size=_kept(shape, dim))
    ),
)
def softmax_grad(xp: Any, input: Any, values: Any, *, dim: int) -> Any:
    """The cotangent of softmax's input, given that of its output `values`."""
    return kernels.softmax_grad(xp, input, values, dim)


@primitive(input=lambda g, out, dim: log_softmax_grad(g, out, dim=dim))
def _log_softmax(xp: Any, input: Any, *, dim: int) -> Any:
    dtype = input.dtype
    input = kernels.in_single(xp, input)
    if not input.size:
        return input.astype(dtype)
    out = kernels.log_softmax(xp, input, dim)
    return out if out.dtype is dtype else out.astype(dtype)


@primitive(
    input=lambda g, values, shape, dim: g - sum_to(g * exp(values), size=_kept(shape, dim)),
    values=lambda g, input, values, shape, dim: (
        -g * exp(values) * sum_to(input, size=_kept(shape, dim))
    ),
)
def log_softmax_grad(xp: Any, input: Any, values: Any, *, dim: int) -> Any:
    """The cotangent of log_softmax's input, given that of its output `values`."""
    return kernels.log_softmax_grad(xp, input, values, dim)


def softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """Positive numbers that sum to one along `dim`: exp(input) over its sum.

    `dtype` is converted to first. Raises IndexError for a dimension that is not there.

    >>> import minigrad
    >>> minigrad.softmax(minigrad.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return _along(_softmax, "softmax", input, dim, dtype)


def log_softmax(input: Any, dim: int, dtype: Any = None) -> Any:
    """The logarithm of softmax, which stays accurate where the softmax rounds to 0 or 1."""
    return _along(_log_softmax, "log_softmax", input, dim, dtype)


def softmin(input: Any, dim: int, dtype: Any = None) -> Any:
    """The softmax of the negated input."""
    return _along(_softmax, "softmin", -input, dim, dtype)


def _along(function: Any, operation: str, input: Any, dim: Any, dtype: Any) -> Any:
    if dim is None:
        raise TypeError(
            f"{operation}(): argument 'dim' must be given: the dimension that sums to one, "
            f"for example dim=-1"
        )
    if not hasattr(input, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    if dtype is not None:
        input = convert(input, dtypes.as_dtype(dtype, operation))
    if input.dtype.kind != "f":
        raise DtypeError(
            f"{operation}(): argument 'input' must be floating, got {input.dtype}; convert it "
            f"first, for example with dtype=minigrad.float32"
        )
    dim = wrap_dim(operation, dim, input.ndim)
    if not input.ndim:
        return reshape(function(reshape(input, (1,)), dim=0), ())
    return function(input, dim=dim)


@primitive(
    input=lambda g, input, target, mean, saved: cross_entropy_grad(
        g, input, target, mean=mean, saved=saved
    )
)
def cross_entropy_of_classes(
    xp: Any, input: Any, target: Any, *, mean: bool, saved: list[Any]
) -> Any:
    """The negative log-likelihood of one class for each row of logits: their mean or sum.

    Targets are valid: the caller has checked them.
    """
    logits = input if input.dtype.char != "e" else kernels.in_single(xp, input)
    losses, again = kernels.class_losses(xp, logits, target)
    saved += (logits, again)
    loss = losses.sum()
    if mean:
        loss = loss / len(logits)
    return loss if logits is input else loss.astype(input.dtype)


@primitive(
    input=lambda g, input, logits, target, mean, saved: sum_to(
        # The gradient for a cotangent of one; what is left of this one is zero.
        g * cross_entropy_grad(input * 0 + 1, logits, target, mean=mean, saved=saved),
        size=(),
    ),
    logits=lambda g, input, logits, shape, mean: softmax_grad(
        g * (input / shape[0] if mean else input), _softmax(logits, dim=1), dim=1
    ),
)
def cross_entropy_grad(
    xp: Any, input: Any, logits: Any, target: Any, *, mean: bool, saved: list[Any]
) -> Any:
    """The cotangent of the logits, given the loss's `input`: softmax less one at the targets."""
    single, again = saved
    scale = input / len(logits) if mean else input
    grad = kernels.class_losses_grad(xp, single, target, again, scale)
    return grad if grad.dtype is logits.dtype else grad.astype(logits.dtype)


@primitive(input=lambda g, index, shape: place_classes(g, index, size=shape))
def pick_classes(xp: Any, input: Any, index: Any) -> Any:
    """One element along dimension 1 of (N, C, L) for each of (N, L)."""
    return input[_grid(xp, index)]


@primitive(input=lambda g, index: pick_classes(g, index))
def place_classes(xp: Any, input: Any, index: Any, *, size: Size) -> Any:
    """The transpose of `pick_classes`: zeros but for one element along dimension 1."""
    out = xp.zeros(size, input.dtype)
    out[_grid(xp, index)] = input
    return out


def _grid(xp: Any, index: Any) -> tuple[Any, ...]:
    batch, length = index.shape
    return xp.arange(batch)[:, None], index, xp.arange(length)
