"""Adadelta: steps whose size follows the running size of earlier steps."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class Adadelta(Optimizer):
    """Steps by the gradient times the ratio of two running roots: of steps and of gradients.

    `rho` is the decay of both means of squares, `weight_decay` adds weight_decay * p to the
    gradient. Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """Rho lies in [0, 1]."""
        super().check(group)
        if not 0 <= group["rho"] <= 1:
            raise ArgumentError(f"Adadelta(): rho must be in [0, 1], got {group['rho']}")

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means of squares."""
        xp = backend_of(p).xp
        return {"step": 0, "square_avg": xp.zeros_like(p), "acc_delta": xp.zeros_like(p)}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        rho, eps = group["rho"], group["eps"]
        state["step"] += 1
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        square, steps = state["square_avg"], state["acc_delta"]
        square *= rho
        square += (1 - rho) * (g * g)
        step = xp.sqrt((steps + eps) / (square + eps))
        step *= g
        steps *= rho
        steps += (1 - rho) * (step * step)
        p -= group["lr"] * step
