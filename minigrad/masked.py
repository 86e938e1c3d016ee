"""torch.masked's functions: reductions and normalisations of the elements where a mask is true."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, isinf, nan
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops import extremes, fused, moments, quantile, reduce, scan, special
from minigrad.ops.dims import wrap_dim, wrap_dims
from minigrad.ops.elementwise import conj
from minigrad.ops.expand import expand
from minigrad.ops.functions import sqrt
from minigrad.ops.norms import vector_norm
from minigrad.ops.promotion import convert
from minigrad.ops.select import maximum, where

__all__ = [
    "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp",
    "logsumexp", "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum",
    "var",
]  # fmt: skip


def _mask(operation: str, input: Any, mask: Any) -> Any:
    """The mask as bools, at the input's shape."""
    if not hasattr(mask, "dtype"):
        raise TypeError(
            f"masked.{operation}(): argument 'mask' must be a Tensor, not {type(mask).__name__}"
        )
    if mask.ndim > input.ndim:
        raise IndexError(
            f"masked.{operation}(): argument 'mask' has shape {list(mask.shape)}, more dimensions "
            f"than 'input' with {list(input.shape)}"
        )
    return convert(expand(mask, input.shape), dtypes.bool)


def _filled(operation: str, input: Any, mask: Any, value: Any) -> Any:
    """The input with a value in its dtype where the mask is false."""
    if mask is None:
        return input
    return where(_mask(operation, input, mask), input, input.dtype.type(value))


def _dims(operation: str, input: Any, dim: Any) -> tuple[int, ...]:
    if dim is None or dim == ():
        return tuple(range(input.ndim))
    dims = wrap_dims(f"masked.{operation}", dim, input.ndim)
    return dims if input.ndim else ()


def _dtype(operation: str, input: Any, dtype: Any) -> Any:
    return input.dtype if dtype is None else dtypes.as_dtype(dtype, f"masked.{operation}")


def _added(operation: str, input: Any, dtype: Any) -> Any:
    """The dtype of a sum or product: int64 for integers."""
    if dtype is None and input.dtype.kind in "biu":
        return dtypes.int64
    return _dtype(operation, input, dtype)


def _least(operation: str, dtype: Any) -> Any:
    """What is below everything of a dtype."""
    if dtype.kind in "fc":
        return -inf
    return -_bound(operation, dtype, 0)


def _greatest(operation: str, dtype: Any) -> Any:
    """What is above everything of a dtype."""
    return inf if dtype.kind == "f" else _bound(operation, dtype, 1)


def _bound(operation: str, dtype: Any, above: int) -> int:
    """The largest integer of a dtype, or how far below zero its smallest is."""
    if dtype.kind not in "iu":
        raise DtypeError(f"masked.{operation}(): argument 'input' cannot have dtype {dtype}")
    if dtype.kind == "u":
        return int(2 ** (8 * dtype.itemsize) - 1) * above
    return int(2 ** (8 * dtype.itemsize - 1)) - above


def sum(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The sum over dimensions, all by default, of the elements where the mask is true.

    >>> import minigrad
    >>> x, mask = minigrad.tensor([1.0, 2.0, 4.0]), minigrad.tensor([True, False, True])
    >>> sum(x, mask=mask)
    tensor(5.)
    """
    kind = _added("sum", input, dtype)
    filled = _filled("sum", input, mask, 0)
    return reduce.sum(filled, _dims("sum", input, dim), keepdim, dtype=kind)


def prod(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The product over dimensions, all by default, of the elements where the mask is true."""
    made = convert(_filled("prod", input, mask, 1), _added("prod", input, dtype))
    for axis in sorted(_dims("prod", input, dim), reverse=True):
        made = scan.prod(made, axis, keepdim)
    return made


def cumsum(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The running sum along a dimension; what is masked out adds nothing."""
    kind = _dtype("cumsum", input, dtype)
    return convert(scan.cumsum(_filled("cumsum", input, mask, 0), dim, dtype=kind), kind)


def cumprod(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The running product along a dimension; what is masked out counts as 1."""
    kind = _dtype("cumprod", input, dtype)
    return convert(scan.cumprod(_filled("cumprod", input, mask, 1), dim, dtype=kind), kind)


def amax(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The largest of the elements where the mask is true; the least number where none is."""
    filled = _filled("amax", input, mask, _least("amax", input.dtype))
    made = extremes.amax(filled, _dims("amax", input, dim), keepdim)
    return convert(made, _dtype("amax", input, dtype))


def amin(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The smallest of the elements where the mask is true; the greatest number where none is."""
    filled = _filled("amin", input, mask, _greatest("amin", input.dtype))
    made = extremes.amin(filled, _dims("amin", input, dim), keepdim)
    return convert(made, _dtype("amin", input, dtype))


def argmax(
    input: Any,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The position of the largest element where the mask is true, in the input's dtype."""
    filled = _filled("argmax", input, mask, _least("argmax", input.dtype))
    return convert(extremes.argmax(filled, dim, keepdim), _dtype("argmax", input, dtype))


def argmin(
    input: Any,
    dim: int | None = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The position of the smallest element where the mask is true, in the input's dtype."""
    filled = _filled("argmin", input, mask, _greatest("argmin", input.dtype))
    return convert(extremes.argmin(filled, dim, keepdim), _dtype("argmin", input, dtype))


def _count(operation: str, input: Any, dims: tuple[int, ...], keepdim: bool, mask: Any) -> Any:
    """How many elements take part."""
    if mask is None:
        shape = tuple(input.shape)
        count = reduce.counted(shape, dims)
        kept = [1 if d in dims else n for d, n in enumerate(shape) if keepdim or d not in dims]
        return input.new_full(kept, count, dtype=dtypes.int64)
    return reduce.sum(_mask(operation, input, mask), dims, keepdim)


def mean(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The mean of the elements where the mask is true; NaN where none is."""
    kind = _dtype("mean", input, dtype)
    if kind.kind not in "fc":
        raise ArgumentError(
            f"masked.mean(): argument 'input' or 'dtype' is {kind}; a mean is floating or complex"
        )
    count = _count("mean", input, _dims("mean", input, dim), keepdim, mask)
    return sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask) / count


def median(
    input: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The middle one, the lower of two, of the elements where the mask is true.

    NaN where none is; there integers raise ArgumentError.
    """
    kind = _dtype("median", input, dtype)
    axis = wrap_dim("masked.median", dim, input.ndim)
    floats = input if input.dtype.kind == "f" else convert(input, dtypes.float32)
    found = quantile.nanmedian(_filled("median", floats, mask, nan), axis, keepdim).values
    if floats is input:
        return found
    if bool((found != found).any()):
        raise ArgumentError("masked.median(): the mask of an integer 'input' leaves a row empty")
    return convert(found, kind)


def logsumexp(
    input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None
) -> Any:
    """The logarithm of the sum of the exponentials of the elements where the mask is true."""
    filled = _filled("logsumexp", input, mask, _least("logsumexp", input.dtype))
    made = moments.logsumexp(filled, _dims("logsumexp", input, dim), keepdim)
    return convert(made, _dtype("logsumexp", input, dtype))


def logaddexp(
    input: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None
) -> Any:
    """log(exp(input) + exp(other)), where what a mask leaves out adds nothing."""
    first = _filled("logaddexp", input, input_mask, _least("logaddexp", input.dtype))
    second = _filled("logaddexp", other, other_mask, _least("logaddexp", other.dtype))
    return convert(special.logaddexp(first, second), _dtype("logaddexp", input, dtype))


def norm(
    input: Any,
    ord: float = 2.0,
    dim: Any = None,
    *,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The norm of order `ord` of the elements where the mask is true."""
    kind = _dtype("norm", input, dtype)
    neutral = inf if isinf(ord) and ord < 0 else 0
    filled = _filled("norm", input, mask, neutral)
    return vector_norm(filled, ord, _dims("norm", input, dim), keepdim, dtype=kind)


def _variance(
    operation: str,
    input: Any,
    dim: Any,
    unbiased: bool | None,
    correction: float | None,
    keepdim: bool,
    dtype: Any,
    mask: Any,
) -> Any:
    """The variance, in the dtype asked for."""
    if unbiased is not None and correction is not None:
        raise ArgumentError(f"masked.{operation}(): give 'unbiased' or 'correction', not both")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    if dtype is None and input.dtype.kind not in "fc":
        dtype = dtypes.float32
    kind = _dtype(operation, input, dtype)
    computed = kind if kind.kind in "fc" else dtypes.float32
    dims = _dims(operation, input, dim)
    total = sum(input, dim, keepdim=True, dtype=kind, mask=mask)
    off = input - total / _count(operation, input, dims, True, mask)
    squares = off * conj(off)
    made = sum(squares, dim, keepdim=keepdim, dtype=computed, mask=mask)
    count = _count(operation, input, dims, keepdim, mask)
    if correction:
        count = convert(count, dtypes.real_of(computed)) - correction
        count = maximum(count, count.new_zeros(()))
    return convert(made / count, kind)


def var(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The variance of the elements where the mask is true; see `minigrad.var`."""
    return _variance("var", input, dim, unbiased, correction, keepdim, dtype, mask)


def std(
    input: Any,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: float | None = None,
    keepdim: bool = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The standard deviation of the elements where the mask is true; see `minigrad.std`."""
    return sqrt(_variance("std", input, dim, unbiased, correction, keepdim, dtype, mask))


def _normalised(
    operation: str,
    function: Callable[..., Any],
    input: Any,
    dim: int,
    dtype: Any,
    mask: Any,
    neutral: Callable[..., Any],
) -> Any:
    kind = _dtype(operation, input, dtype)
    axis = wrap_dim(f"masked.{operation}", dim, input.ndim)
    filled = _filled(operation, input, mask, neutral(operation, input.dtype))
    return function(filled, axis, dtype=kind)


def softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The softmax along a dimension of the elements where the mask is true, 0 elsewhere.

    NaN where the mask leaves nothing.
    """
    return _normalised("softmax", fused.softmax, input, dim, dtype, mask, _least)


def log_softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return _normalised("log_softmax", fused.log_softmax, input, dim, dtype, mask, _least)


def softmin(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The softmax of the negative elements where the mask is true, 0 elsewhere."""
    return _normalised("softmin", fused.softmin, input, dim, dtype, mask, _greatest)


def normalize(
    input: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None
) -> Any:
    """The elements, 0 where the mask is false, divided by their norm, at least `eps`."""
    kind = _dtype("normalize", input, dtype)
    axis = wrap_dim("masked.normalize", dim, input.ndim)
    filled = _filled("normalize", input, mask, 0)
    length = norm(input, ord, axis, keepdim=True, dtype=kind, mask=mask)
    return filled / maximum(length, length.new_full((), eps))
