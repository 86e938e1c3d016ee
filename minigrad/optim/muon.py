"""Muon: momentum made orthogonal, for the matrices of hidden layers."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer

_ADJUSTMENTS = (None, "original", "match_rms_adamw")


class Muon(Optimizer):
    """Steps by the orthogonal matrix nearest to the momentum, found by Newton-Schulz iterations.

    For matrices only: give other parameters to another optimizer. `ns_coefficients` and `ns_steps`
    are those of the iteration, `eps` its least norm; `adjust_lr_fn` scales the rate by the shape:
    "original" (the default) or "match_rms_adamw". The iteration runs in the parameter's precision;
    torch's runs in bfloat16. Source: Jordan and others, "Muon: An optimizer for hidden layers in
    neural networks", 2024; Liu and others, "Muon is Scalable for LLM Training", 2025.
    """

    positive = ("lr", "momentum", "weight_decay")
    elementwise = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """Matrices of real numbers; three coefficients; fewer than a hundred iterations."""
        super().check(group)
        for parameter in group["params"]:
            array = parameter._array
            if array.ndim != 2 or array.dtype.kind == "c":
                raise ArgumentError(
                    f"Muon() trains matrices of real numbers, got a parameter of "
                    f"{array.dtype}{list(array.shape)}; give it to another optimizer, such as AdamW"
                )
        if len(group["ns_coefficients"]) != 3:
            raise ArgumentError(
                f"Muon(): ns_coefficients must be three numbers, got {group['ns_coefficients']}"
            )
        if not 0 <= group["ns_steps"] < 100:
            raise ArgumentError(f"Muon(): ns_steps must be from 0 to 99, got {group['ns_steps']}")
        if group["adjust_lr_fn"] not in _ADJUSTMENTS:
            raise ArgumentError(
                f"Muon(): adjust_lr_fn must be one of {_ADJUSTMENTS}, got {group['adjust_lr_fn']!r}"
            )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero momentum."""
        return {"momentum_buffer": backend_of(p).xp.zeros_like(p)}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        momentum, lr = group["momentum"], group["lr"]
        buffer = state["momentum_buffer"]
        buffer += (g - buffer) * (1 - momentum)
        direction = g + (buffer - g) * momentum if group["nesterov"] else buffer
        direction = _orthogonal(direction, group)
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            rate = lr * 0.2 * math.sqrt(max(rows, columns))
        else:
            rate = lr * math.sqrt(max(1, rows / columns))
        p *= 1 - lr * group["weight_decay"]
        p -= rate * direction


def _orthogonal(matrix: Any, group: dict[str, Any]) -> Any:
    """The matrix with its singular values brought near one, by a polynomial of odd powers."""
    xp = backend_of(matrix).xp
    first, third, fifth = group["ns_coefficients"]
    tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if tall else matrix
    found = found / xp.maximum(xp.sqrt((found * found).sum()), group["eps"])
    for _ in range(group["ns_steps"]):
        gram = found @ found.T
        found = first * found + (third * gram + fifth * (gram @ gram)) @ found
    return found.T if tall else found
