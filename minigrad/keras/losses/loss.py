"""The base of all losses: targets beside predictions, sample weights, and the reduction."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, ClassVar

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.naming import snake_case
from minigrad.ops.windows import raw
from minigrad.tensor import Tensor

__all__ = ["Loss", "LossFunctionWrapper"]

_REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)
MEANS = ("sum_over_batch_size", "mean")


def predictions(y_pred: Any, dtype: Any = None) -> Any:
    """Predictions as a floating tensor: float32 and wider as they are, everything else float32."""
    if not isinstance(y_pred, Tensor):
        y_pred = minigrad.as_tensor(y_pred)
    if dtype is not None:
        return y_pred.to(dtype)
    found = y_pred.dtype
    return y_pred if found.kind == "f" and found.itemsize > 2 else y_pred.to(minigrad.float32)


def targets(y_true: Any, y_pred: Any) -> Any:
    """Targets as a tensor of the predictions' dtype, on their device."""
    if not isinstance(y_true, Tensor):
        y_true = minigrad.as_tensor(y_true)
    if y_true.dtype is y_pred.dtype and y_true.device == y_pred.device:
        return y_true
    return y_true.to(y_pred.device, y_pred.dtype)


def of_one_rank(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """(n,) beside (n, 1) as (n, 1), so that subtracting them does not make (n, n) of them."""
    a, b = y_true.shape, y_pred.shape
    if b == (*a, 1):
        return y_true.unsqueeze(-1), y_pred
    if a == (*b, 1):
        return (y_true, y_pred.unsqueeze(-1)) if len(b) == 1 else (y_true.squeeze(-1), y_pred)
    return y_true, y_pred


def aligned(loss: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Targets and predictions as floating tensors of one shape.

    (n,) and (n, 1) are both seen as (n, 1). Raises ArgumentError, with the fix, for other shapes:
    broadcasting them would pair elements that do not belong together.
    """
    y_pred = predictions(y_pred)
    y_true, y_pred = of_one_rank(targets(y_true, y_pred), y_pred)
    a, b = y_true.shape, y_pred.shape
    if a == b:
        return y_true, y_pred
    if prod(a) == prod(b):
        fix = f"if the elements are in the same order, reshape the targets to {list(b)}"
    elif a[:1] != b[:1]:
        fix = f"there are {a[0] if a else 1} targets for {b[0] if b else 1} predictions"
    elif len(b) > 1:
        count = prod(a[1:])
        plural = "" if count == 1 else "s"
        fix = f"the model's last layer should give {count} number{plural} a sample, not {b[-1]}"
    else:
        fix = "each prediction needs its own target"
    raise ArgumentError(
        f"{loss}: y_true of shape {list(a)} and y_pred of shape {list(b)} must have the same "
        f"shape; {fix}"
    )


def check_not_negative(loss: str, y_pred: Any, fix: str) -> None:
    """Raise ArgumentError if some prediction is below 0, where no logarithm is; NaN passes."""
    array = raw(y_pred)
    if array.size and bool(array.min() < 0):
        raise ArgumentError(
            f"{loss}: y_pred holds numbers below 0 (the least is {float(array.min()):g}); {fix}"
        )


def check_reduction(loss: str, reduction: Any) -> Any:
    """The reduction, if it is one. Raises ArgumentError."""
    if reduction in _REDUCTIONS:
        return reduction
    known = ", ".join(repr(name) for name in _REDUCTIONS[:-1])
    more = "; 'auto' is now 'sum_over_batch_size'" if reduction == "auto" else ""
    raise ArgumentError(f"{loss}(): reduction must be one of {known}, got {reduction!r}{more}")


def reduced(values: Any, weight: Any, reduction: str | None) -> Any:
    """The losses of all samples, each times its weight, as one number; or themselves for "none".

    "sum_over_batch_size" and "mean" divide by the count of losses, whatever the weights;
    "mean_with_sample_weight" divides by the sum of the weights.
    """
    if weight is not None:
        weight = targets(weight, values)
        weight = _beside(weight, values.shape)
        values = values * weight
    if reduction in ("none", None):
        return values
    if reduction == "sum":
        return values.sum()
    if reduction in MEANS or weight is None:
        return values.mean() if values.numel() else values.sum()
    return values.sum() / weight.expand(values.shape).sum()


def _beside(weight: Any, shape: tuple[int, ...]) -> Any:
    """Weights seen beside losses of this shape: one for each sample, or for each loss."""
    given = tuple(weight.shape)
    if given == shape or not given:
        return weight
    if given == (*shape, 1):
        return weight.squeeze(-1)
    if given == shape[: len(given)]:
        return weight.reshape((*given, *(1,) * (len(shape) - len(given))))
    if given == (*shape[:1], *(1,) * (len(given) - 1)) and len(given) > 1:
        return weight.reshape((*shape[:1], *(1,) * (len(shape) - 1)))
    raise ArgumentError(
        f"sample_weight of shape {list(given)} does not fit losses of shape {list(shape)}; give "
        f"one weight for each sample, of shape {list(shape[:1])}"
    )


class Loss:
    """How far predictions are from targets, as one number.

    A subclass writes `call(y_true, y_pred)`, which gives the loss of each sample. `reduction` is
    "sum_over_batch_size" (or "mean"), "sum", "mean_with_sample_weight" or "none". Raises
    ArgumentError for another reduction.

    >>> class Miss(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return (y_true - y_pred).abs().mean(-1)
    >>> Miss()([[1.0], [2.0]], [[1.0], [4.0]])
    tensor(1.)
    """

    targets_are_classes: ClassVar[bool] = False

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reduction = check_reduction(type(self).__name__, reduction)
        self.dtype = dtype

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample."""
        raise ArgumentError(
            f"{type(self).__name__} has no call(self, y_true, y_pred); write one that returns the "
            f"loss of each sample"
        )

    def mean(self, y_true: Any, y_pred: Any) -> Any:
        """The mean loss, as one number; a subclass may have a shorter way than through `call`."""
        return reduced(self.call(y_true, y_pred), None, "mean")

    def mask(self, y_true: Any) -> Any:
        """Which losses count, as a tensor of booleans, or None where all do."""
        return None

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss; `sample_weight` holds a number for each sample."""
        y_pred = predictions(y_pred, self.dtype)
        if not self.targets_are_classes:
            y_true = targets(y_true, y_pred)
            if y_true.ndim != y_pred.ndim:
                y_true, y_pred = of_one_rank(y_true, y_pred)
        mask = self.mask(y_true)
        if sample_weight is None and mask is None and self.reduction in MEANS:
            return self.mean(y_true, y_pred)
        if sample_weight is not None and not self.targets_are_classes and y_pred.ndim == 1:
            # One prediction each: the losses must stay apart to be weighted.
            y_pred = y_pred.unsqueeze(-1)
        values = self.call(y_true, y_pred)
        if mask is None:
            return reduced(values, sample_weight, self.reduction)
        return self._masked(values, mask, sample_weight)

    def _masked(self, values: Any, mask: Any, sample_weight: Any) -> Any:
        counted = mask.to(values.device, values.dtype)
        if sample_weight is not None:
            counted = counted * _beside(targets(sample_weight, values), values.shape)
        if self.reduction in MEANS:
            valid = max(int(mask.sum().item()), 1)
            return reduced(values, counted, "sum") / valid
        return reduced(values, counted, self.reduction)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same loss again."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The loss of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({settings})"


class LossFunctionWrapper(Loss):
    """A function of (y_true, y_pred) as a loss; `kwargs` are passed on to it.

    The function may give one loss for each sample, or a mean.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self.kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample. Raises TypeError for a function that gives no tensor."""
        values = self.fn(y_true, y_pred, **self.kwargs)
        if not isinstance(values, Tensor):
            raise TypeError(
                f"the loss function {self.name} returned {type(values).__name__}; it must return a "
                f"Tensor computed from y_pred by tensor operations, so that it has a gradient"
            )
        return values

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same loss again."""
        return {**super().get_config(), **self.kwargs}
