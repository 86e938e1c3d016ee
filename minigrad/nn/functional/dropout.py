"""Dropout as functions: of elements, of channels, and in SELU networks."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.inplace import in_place
from minigrad.ops.dropout import alpha_masked, check_probability, dropped, masked, random_mask

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

_masked_in_place = in_place(masked)
_alpha_in_place = in_place(alpha_masked)

# The value that SELU takes far to the left: minus its scale times its alpha (Klambauer 2017).
_SELU_LOW = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability `p` while training; scale the others by 1 / (1 - p).

    Source: Srivastava and others, "Dropout", JMLR 15, 2014.
    """
    check_probability("dropout", input, p)
    if not training or p == 0:
        return input
    if not inplace:
        return dropped(input, p)
    return _drop_in_shape("dropout", input, p, True, tuple(input.shape))


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, L) or (C, L) with probability `p` while training."""
    return _drop_channels("dropout1d", input, p, training, inplace, 2)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, H, W) with probability `p` while training.

    As in torch, the first two dimensions of a tensor of any other number are the channels'.
    """
    return _drop_channels("dropout2d", input, p, training, inplace, None)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W) with probability `p` in training."""
    return _drop_channels("dropout3d", input, p, training, inplace, 4)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout for SELU networks: it keeps zero mean and unit variance.

    Source: Klambauer and others, "Self-Normalizing Neural Networks", 2017.
    """
    return _drop_alpha("alpha_dropout", input, p, training, inplace, False)


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """`alpha_dropout` of whole channels of (N, C, ...)."""
    return _drop_alpha("feature_alpha_dropout", input, p, training, inplace, True)


def _drop_channels(
    operation: str, input: Any, p: float, training: bool, inplace: bool, unbatched: int | None
) -> Any:
    """Drop channels; a tensor of `unbatched` dimensions has them first, others second."""
    check_probability(operation, input, p)
    shape = tuple(input.shape)
    if unbatched is not None and len(shape) not in (unbatched, unbatched + 1):
        raise ArgumentError(
            f"{operation}(): argument 'input' must have {unbatched} or {unbatched + 1} dimensions, "
            f"got shape {list(shape)}"
        )
    if not training or p == 0:
        return input
    lead = 1 if len(shape) == unbatched else 2
    return _drop_in_shape(
        operation, input, p, inplace, (*shape[:lead], *(1,) * (len(shape) - lead))
    )


def _drop_in_shape(
    operation: str, input: Any, p: float, inplace: bool, shape: tuple[int, ...]
) -> Any:
    mask = random_mask(operation, input, p, shape)
    function = _masked_in_place if inplace else masked
    return function(input, mask=mask, scale=1 / (1 - p) if p < 1 else 0.0)


def _drop_alpha(
    operation: str, input: Any, p: float, training: bool, inplace: bool, channels: bool
) -> Any:
    check_probability(operation, input, p)
    if not training or p == 0:
        return input
    shape = tuple(input.shape)
    if channels:
        shape = (*shape[:2], *(1,) * (len(shape) - 2))
    mask = random_mask(operation, input, p, shape)
    keep, low = 1.0 - p, _SELU_LOW
    scale = (keep + low * low * keep * p) ** -0.5 if keep else 0.0
    function = _alpha_in_place if inplace else alpha_masked
    return function(input, mask=mask, scale=scale, dropped=scale * low, shift=-scale * p * low)
