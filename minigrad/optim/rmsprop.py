"""RMSprop: the gradient over the root of its running mean square."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class RMSprop(Optimizer):
    """Steps by the gradient over the root of the running mean of its square (Hinton 2012).

    `alpha` is the decay of the mean, `centered` subtracts the squared mean of the gradient,
    `momentum` accumulates the steps, `weight_decay` adds weight_decay * p to the gradient.
    """

    positive = ("lr", "eps", "momentum", "weight_decay")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """Alpha lies in [0, 1]."""
        super().check(group)
        if not 0 <= group["alpha"] <= 1:
            raise ArgumentError(f"RMSprop(): alpha must be in [0, 1], got {group['alpha']}")

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means."""
        xp = backend_of(p).xp
        state = {"step": 0, "square_avg": xp.zeros_like(p)}
        if group["momentum"]:
            state["momentum_buffer"] = xp.zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = xp.zeros_like(p)
        return state

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        alpha = group["alpha"]
        state["step"] += 1
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        square = state["square_avg"]
        square *= alpha
        square += (1 - alpha) * (g * g)
        if group["centered"]:
            mean = state["grad_avg"]
            mean += (1 - alpha) * (g - mean)
            scale = xp.sqrt(square - mean * mean)
        else:
            scale = xp.sqrt(square)
        scale += group["eps"]
        if group["momentum"]:
            velocity = state["momentum_buffer"]
            velocity *= group["momentum"]
            velocity += g / scale
            p -= group["lr"] * velocity
        else:
            p -= group["lr"] * (g / scale)
