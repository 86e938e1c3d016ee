"""Dropout: elements or whole channels set to zero at random while training."""

from __future__ import annotations

from typing import Any

from minigrad.backend import namespace
from minigrad.backend.random import default_generator
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.inplace import in_place
from minigrad.ops.windows import raw

__all__: list[str] = []


@primitive(input=lambda g, mask, scale: masked(g, mask=mask, scale=scale))
def masked(xp: Any, input: Any, *, mask: Any, scale: float) -> Any:
    """The input times a number where the mask is true, zero elsewhere."""
    out = input * mask
    out *= scale
    return out


@primitive(input=lambda g, mask, scale: masked(g, mask=mask, scale=scale))
def alpha_masked(
    xp: Any, input: Any, *, mask: Any, scale: float, dropped: float, shift: float
) -> Any:
    """The input times a number where the mask is true, `dropped` elsewhere; then moved."""
    out = input * mask
    out *= scale
    out += xp.where(mask, shift, dropped + shift).astype(out.dtype)
    return out


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability `p` while training; scale the others by 1 / (1 - p).

    Source: Srivastava and others, "Dropout", JMLR 15, 2014.
    """
    return _drop("dropout", input, p, training, inplace, None)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, L) or (C, L) with probability `p` while training."""
    return _drop("dropout1d", input, p, training, inplace, (2, 3))


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, H, W) with probability `p` while training.

    As in torch, the first two dimensions of a tensor of any other number are the channels'.
    """
    return _drop("dropout2d", input, p, training, inplace, ())


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W) with probability `p` in training."""
    return _drop("dropout3d", input, p, training, inplace, (4, 5))


def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """Dropout for SELU networks: it keeps zero mean and unit variance.

    Source: Klambauer and others, "Self-Normalizing Neural Networks", 2017.
    """
    return _drop_alpha("alpha_dropout", input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    return _drop_alpha("feature_alpha_dropout", input, p, training, inplace, True)


def _check(operation: str, input: Any, p: float) -> None:
    if not hasattr(input, "dtype"):
        raise TypeError(
            f"{operation}(): argument 'input' must be a Tensor, not {type(input).__name__}"
        )
    if not 0 <= p <= 1:
        raise ArgumentError(f"{operation}(): argument 'p' must be between 0 and 1, got {p}")


def _drop(
    operation: str, input: Any, p: float, training: bool, inplace: bool, ndims: Any
) -> Any:
    """Drop elements (`ndims` None), or channels of a tensor with one of these dimensions."""
    _check(operation, input, p)
    if ndims and input.ndim not in ndims:
        raise ArgumentError(
            f"{operation}(): argument 'input' must have {ndims[0]} or {ndims[1]} dimensions, got "
            f"shape {list(input.shape)}"
        )
    if not training or p == 0:
        return input
    shape = tuple(input.shape)
    if ndims is not None:
        # Without a batch dimension the channels come first, else second.
        lead = 1 if ndims and input.ndim == ndims[0] else 2
        shape = (*shape[:lead], *(1,) * (len(shape) - lead))
    keep = 1.0 - p
    xp = namespace(operation, input=raw(input))
    mask = default_generator.bernoulli(xp, keep, shape)
    function = _masked_in_place if inplace else masked
    return function(input, mask=mask, scale=1 / keep if keep else 0.0)


def _drop_alpha(
    operation: str, input: Any, p: float, training: bool, inplace: bool, channels: bool
) -> Any:
    _check(operation, input, p)
    if not training or p == 0:
        return input
    shape = tuple(input.shape)
    if channels:
        shape = (*shape[:2], *(1,) * (len(shape) - 2))
    keep = 1.0 - p
    xp = namespace(operation, input=raw(input))
    mask = default_generator.bernoulli(xp, keep, shape)
    # The value that SELU takes far to the left: minus its scale times its alpha.
    low = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717
    scale = (keep + low * low * keep * p) ** -0.5 if keep else 0.0
    function = _alpha_in_place if inplace else alpha_masked
    return function(
        input, mask=mask, scale=scale, dropped=scale * low, shift=-scale * p * low
    )


_masked_in_place = in_place(masked)
_alpha_in_place = in_place(alpha_masked)
