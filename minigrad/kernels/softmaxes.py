"""The softmax, its logarithm and the loss of a classifier, in plain array operations."""

from __future__ import annotations

from typing import Any

from minigrad.kernels.exponentials import exponentials, sums


def softmax(xp: Any, input: Any, dim: int) -> Any:
    """exp(input) over its sum along `dim`."""
    out, totals, _ = exponentials(xp, input, dim)
    out *= 1 / totals
    return out


def softmax_grad(xp: Any, grad: Any, values: Any, dim: int) -> Any:
    """The cotangent of softmax's input, given that of its output `values`."""
    out = grad * values
    total = sums(xp, out, dim)
    xp.subtract(grad, total, out=out)
    out *= values
    return out


def log_softmax(xp: Any, input: Any, dim: int) -> Any:
    """The logarithm of the softmax."""
    _, totals, shift = exponentials(xp, input, dim)
    out = input - shift
    out -= xp.log(totals)
    return out


def log_softmax_grad(xp: Any, grad: Any, values: Any, dim: int) -> Any:
    """The cotangent of log_softmax's input, given that of its output `values`."""
    out = xp.exp(values)
    out *= sums(xp, grad, dim)
    return xp.subtract(grad, out, out=out)


def class_losses(xp: Any, logits: Any, target: Any) -> tuple[Any, Any]:
    """The negative log-likelihood of one class for each row, and what the gradient needs again.

    That is exp(logits - shift) or None, its sums by row, and the shift.
    """
    powers, totals, shift = exponentials(xp, logits, 1)
    right = logits[xp.arange(len(logits)), target][:, None]
    right -= shift
    losses = xp.log(totals)
    losses -= right
    return losses, (powers, totals, shift)


def class_losses_grad(xp: Any, logits: Any, target: Any, saved: Any, scale: Any) -> Any:
    """The cotangent of the logits for `scale` times the sum of the losses.

    It is the softmax, less one at the targets, times scale.
    """
    powers, totals, shift = saved
    if powers is None:
        powers = xp.exp(logits - shift)
    grad = powers * (scale / totals)
    grad[xp.arange(len(logits)), target] -= scale
    return grad
