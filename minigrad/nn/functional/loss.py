"""Losses of single numbers: how far a prediction is from its target."""

from __future__ import annotations

from math import log, pi, prod
from typing import Any

from minigrad.backend import namespace
from minigrad.errors import ArgumentError
from minigrad.graph import primitive
from minigrad.ops.activation import logsigmoid
from minigrad.ops.elementwise import abs
from minigrad.ops.functions import exp
from minigrad.ops.half import in_single
from minigrad.ops.promotion import elementwise, require_floating
from minigrad.ops.reduce import mean, sum
from minigrad.ops.select import clamp, where
from minigrad.ops.special import sigmoid, xlogy
from minigrad.ops.windows import raw

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "gaussian_nll_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
]


def check_reduction(operation: str, reduction: str) -> None:
    """Raise ArgumentError unless a reduction is 'none', 'mean' or 'sum'."""
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(
            f"{operation}(): argument 'reduction' must be 'none', 'mean' or 'sum', got "
            f"{reduction!r}"
        )


def reduced(loss: Any, reduction: str) -> Any:
    """The mean or sum of a loss, or the loss itself."""
    if reduction == "mean":
        return mean(loss)
    return sum(loss) if reduction == "sum" else loss


def check_shapes(operation: str, input: Any, target: Any, name: str = "target") -> None:
    """Raise ArgumentError, with the fix, unless input and target have the same shape.

    Broadcasting (n, 1) against (n,) would compare everything with everything.
    """
    for argument, value in (("input", input), (name, target)):
        if not hasattr(value, "shape"):
            raise TypeError(
                f"{operation}(): argument '{argument}' must be a Tensor, not {type(value).__name__}"
            )
    if input.shape == target.shape:
        return
    a, b = tuple(input.shape), tuple(target.shape)
    if a == (*b, 1):
        fix = f"write {name}.unsqueeze({len(b)}) or input.squeeze({len(b)})"
    elif b == (*a, 1):
        fix = f"write {name}.squeeze({len(a)}) or input.unsqueeze({len(a)})"
    elif prod(a) == prod(b):
        fix = f"write {name}.reshape({list(a)}) if the elements are in the same order"
    else:
        fix = f"to compare with one value for many, write {name}.expand_as(input)"
    raise ArgumentError(
        f"{operation}(): arguments 'input' of shape {list(a)} and '{name}' of shape {list(b)} must "
        f"have the same shape: broadcasting them would pair elements that do not belong together; "
        f"{fix}"
    )


def _factor(shape: tuple[int, ...], average: bool) -> float:
    """What a difference is multiplied by in the slope of its reduced square."""
    return 2 / max(prod(shape), 1) if average else 2


@elementwise(
    grad=lambda g, input, target, factor: (input - target) * g * factor,
    input=lambda g, grad, factor: g * (grad * factor),
    target=lambda g, grad, factor: g * (grad * -factor),
)
def squared_error_grad(xp: Any, grad: Any, input: Any, target: Any, *, factor: float) -> Any:
    """The cotangent of `input` in the reduced squares of its differences from `target`."""
    return (input - target) * (grad * factor)


@elementwise(
    input=lambda g, input, target, shape, average: squared_error_grad(
        g, input, target, factor=_factor(shape, average)
    ),
    target=lambda g, input, target, shape, average: squared_error_grad(
        g, target, input, factor=_factor(shape, average)
    ),
)
def squared_error(xp: Any, input: Any, target: Any, *, average: bool) -> Any:
    """The sum, or the mean, of squared differences."""
    difference = input - target
    difference *= difference
    total = difference.sum(dtype=difference.dtype)
    return total / prod(difference.shape) if average else total


@in_single
def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """The squared difference of input and target, which have the same shape.

    Raises ArgumentError, with the fix, where the shapes differ.

    >>> import minigrad
    >>> minigrad.nn.functional.mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction("mse_loss", reduction)
    check_shapes("mse_loss", input, target)
    require_floating("mse_loss", "input", input)
    if weight is not None:
        check_shapes("mse_loss", input, weight, "weight")
        return _weighted_mean((input - target) ** 2, weight, reduction)
    if reduction == "none":
        difference = input - target
        return difference * difference
    return squared_error(input, target, average=reduction == "mean")


def _weighted_mean(loss: Any, weight: Any, reduction: str) -> Any:
    if reduction == "mean":
        return sum(loss * weight) / sum(weight)
    return reduced(loss * weight, reduction)


@in_single
def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Any:
    """The absolute difference of input and target, which have the same shape.

    Raises ArgumentError, with the fix, where the shapes differ.
    """
    check_reduction("l1_loss", reduction)
    check_shapes("l1_loss", input, target)
    loss = abs(input - target)
    if weight is not None:
        check_shapes("l1_loss", input, weight, "weight")
        return _weighted_mean(loss, weight, reduction)
    return reduced(loss, reduction)


@elementwise(
    input=lambda g, input, target, delta: g * clamp(input - target, -delta, delta),
    target=lambda g, input, target, delta: g * clamp(target - input, -delta, delta),
)
def _huber(xp: Any, input: Any, target: Any, *, delta: float) -> Any:
    size = abs(input - target)
    return xp.where(size < delta, 0.5 * size * size, delta * (size - 0.5 * delta))


@in_single
def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Any:
    """Half the squared difference up to `delta`, a straight line beyond.

    Raises ArgumentError, with the fix, where the shapes differ. Source: Huber, 1964.
    """
    check_reduction("huber_loss", reduction)
    check_shapes("huber_loss", input, target)
    if not delta > 0:
        raise ArgumentError(f"huber_loss(): argument 'delta' must be positive, got {delta}")
    loss = _huber(input, target, delta=delta)
    if weight is not None:
        check_shapes("huber_loss", input, weight, "weight")
        return _weighted_mean(loss, weight, reduction)
    return reduced(loss, reduction)


@in_single
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """The Huber loss over `beta`: the absolute difference, rounded off within `beta` of zero.

    Raises ArgumentError, with the fix, where the shapes differ.
    """
    check_reduction("smooth_l1_loss", reduction)
    check_shapes("smooth_l1_loss", input, target)
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss(): argument 'beta' must not be negative, got {beta}")
    if beta == 0:
        return l1_loss(input, target, reduction)
    return reduced(_huber(input, target, delta=beta) / beta, reduction)


@elementwise(
    input=lambda g, input, target: g * (sigmoid(input) - target),
    target=lambda g, input: -g * input,
)
def _binary_logits(xp: Any, input: Any, target: Any) -> Any:
    # max(x, 0) - x t + log(1 + exp(-|x|)) never overflows.
    return xp.maximum(input, 0) - input * target + xp.log1p(xp.exp(-abs(input)))


def check_labels(operation: str, target: Any) -> None:
    """Raise ArgumentError for labels with NaN among them."""
    array = raw(target)
    if array.dtype.kind == "f" and array.size:
        xp = namespace(operation, target=array)
        # The least element is NaN if any is.
        if bool(xp.isnan(array.min())):
            raise ArgumentError(
                f"{operation}(): argument 'target' holds NaN labels; drop those samples, or fill "
                f"the labels, for example with target.nan_to_num(0.0)"
            )


@in_single
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """The negative log-likelihood of yes-or-no targets in [0, 1] by logits of the same shape.

    `weight` rescales each element, `pos_weight` the positive targets alone.

    Raises ArgumentError for shapes that differ, or NaN labels.
    """
    operation = "binary_cross_entropy_with_logits"
    check_reduction(operation, reduction)
    check_shapes(operation, input, target)
    check_labels(operation, target)
    if pos_weight is None:
        loss = _binary_logits(input, target)
    else:
        right = pos_weight * target * logsigmoid(input)
        loss = -(right + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


@elementwise(
    input=lambda g, input, target: g * (input - target) / clamp((1 - input) * input, 1e-12, None),
    target=lambda g, input: g * (_capped_log(1 - input) - _capped_log(input)),
)
def _binary(xp: Any, input: Any, target: Any) -> Any:
    yes = xp.maximum(xp.log(input), -100)
    no = xp.maximum(xp.log1p(-input), -100)
    return (target - 1) * no - target * yes


@primitive(input=lambda g, input: g / clamp(input, 1e-12, None))
def _capped_log(xp: Any, input: Any) -> Any:
    return xp.maximum(xp.log(input), -100)


def check_probabilities(operation: str, input: Any) -> None:
    """Raise ArgumentError for an input outside [0, 1]."""
    array = raw(input)
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ArgumentError(
            f"{operation}(): argument 'input' must hold probabilities in [0, 1], got values from "
            f"{float(array.min()):g} to {float(array.max()):g}; for logits use "
            f"binary_cross_entropy_with_logits"
        )


@in_single
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The negative log-likelihood of yes-or-no targets by probabilities of the same shape.

    Logarithms end at -100. `binary_cross_entropy_with_logits` is more accurate.

    Raises ArgumentError for shapes that differ, inputs outside [0, 1], or NaN labels.
    """
    operation = "binary_cross_entropy"
    check_reduction(operation, reduction)
    check_shapes(operation, input, target)
    check_labels(operation, target)
    check_probabilities(operation, input)
    loss = _binary(input, target)
    if weight is not None:
        loss = loss * weight
    return reduced(loss, reduction)


@in_single
def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """The Kullback-Leibler divergence of target probabilities from predicted log-probabilities.

    The target holds logarithms with `log_target`. `reduction` may also be 'batchmean', which
    divides the sum by the batch's size and is what the mathematics means.

    Raises ArgumentError, with the fix, where the shapes differ.
    """
    if reduction != "batchmean":
        check_reduction("kl_div", reduction)
    check_shapes("kl_div", input, target)
    if log_target:
        loss = exp(target) * (target - input)
    else:
        loss = xlogy(target, target) - target * input
    if reduction == "batchmean":
        return sum(loss) / input.shape[0] if input.ndim else sum(loss)
    return reduced(loss, reduction)


@in_single
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of counts under a Poisson distribution.

    `input` is the logarithm of the rate, or the rate itself without `log_input`; `full` adds
    Stirling's approximation of the term that does not depend on it.
    """
    check_reduction("poisson_nll_loss", reduction)
    check_shapes("poisson_nll_loss", input, target)
    if log_input:
        loss = exp(input) - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        safe = clamp(target, 1, None)
        stirling = target * safe.log() - target + 0.5 * (2 * pi * safe).log()
        loss = loss + where(target > 1, stirling, 0.0)
    return reduced(loss, reduction)


def check_variances(operation: str, var: Any) -> None:
    """Raise ArgumentError for variances below zero."""
    if bool((raw(var) < 0).any()):
        raise ArgumentError(f"{operation}(): argument 'var' has negative entries")


def _spreads_over(target: Any, input: Any) -> bool:
    """Whether the target has one value for several of the input's, and never the other way."""
    wide, narrow = tuple(getattr(input, "shape", ())), tuple(getattr(target, "shape", (0,)))
    if len(narrow) > len(wide):
        return False
    return all(n in (1, m) for n, m in zip(narrow[::-1], wide[::-1]))


@in_single
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The negative log-likelihood of targets under normal distributions with these variances.

    The target may have one value for several of the input's. `var` is a number, or has the input's
    shape, that shape without its last dimension, or with dimensions of size 1. Variances are at
    least `eps`; `full` adds the constant term.
    """
    operation = "gaussian_nll_loss"
    check_reduction(operation, reduction)
    if not _spreads_over(target, input):
        check_shapes(operation, input, target)
    if isinstance(var, (int, float)):
        if var < 0:
            raise ArgumentError(f"{operation}(): argument 'var' must not be negative, got {var}")
        var = input * 0 + var
    shape, given = tuple(input.shape), tuple(var.shape)
    if given == shape[:-1] and given != shape:
        var = var.unsqueeze(-1)
    elif len(given) != len(shape) or not _spreads_over(var, input):
        raise ArgumentError(
            f"{operation}(): argument 'var' of shape {list(given)} does not fit argument 'input' "
            f"of shape {list(shape)}; give it the same shape, or one value for each row"
        )
    check_variances(operation, var)
    # The limit acts on the value alone: the gradient of a small variance still goes through.
    limited = var + (clamp(var, eps, None) - var).detach()
    loss = 0.5 * (limited.log() + (input - target) ** 2 / limited)
    if full:
        loss = loss + 0.5 * log(2 * pi)
    return reduced(loss, reduction)
