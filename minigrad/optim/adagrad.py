"""Adagrad: the gradient over the root of the sum of its squares."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class Adagrad(Optimizer):
    """Steps by the gradient over the root of the sum of its squares (Duchi et al. 2011).

    `lr_decay` lowers the rate as 1 / (1 + t * lr_decay), `initial_accumulator_value` starts the
    sum, `weight_decay` adds weight_decay * p to the gradient.
    """

    positive = ("lr", "eps", "lr_decay", "weight_decay", "initial_accumulator_value")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """The sum of squares so far."""
        xp = backend_of(p).xp
        return {"step": 0, "sum": xp.full_like(p, group["initial_accumulator_value"])}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        state["step"] += 1
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        rate = group["lr"] / (1 + (state["step"] - 1) * group["lr_decay"])
        total = state["sum"]
        total += g * g
        p -= rate * (g / (xp.sqrt(total) + group["eps"]))
