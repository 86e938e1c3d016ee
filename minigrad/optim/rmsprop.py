"""RMSprop: the gradient over the root of its running mean square."""

from __future__ import annotations

from typing import Any

from minigrad import kernels
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
        state["step"] += 1
        kernels.rmsprop_update(
            backend_of(p).xp,
            p,
            g,
            state["square_avg"],
            state["grad_avg"] if group["centered"] else None,
            state["momentum_buffer"] if group["momentum"] else None,
            group["lr"],
            group["alpha"],
            group["eps"],
            group["momentum"],
            group["weight_decay"],
        )
