"""Adamax: Adam with the largest gradient in place of the mean square."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class Adamax(Optimizer):
    """Steps by the running mean of the gradient over a decaying maximum of its size.

    `betas` are the decays of the mean and of the maximum, `weight_decay` adds weight_decay * p to
    the gradient. Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", section 7.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """A zero mean and maximum."""
        xp = backend_of(p).xp
        return {"step": 0, "exp_avg": xp.zeros_like(p), "exp_inf": xp.zeros_like(p)}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        first, second = group["betas"]
        state["step"] += 1
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        mean, largest = state["exp_avg"], state["exp_inf"]
        mean *= first
        mean += (1 - first) * g
        largest *= second
        size = xp.abs(g)
        size += group["eps"]
        xp.maximum(largest, size, out=largest)
        p -= group["lr"] / (1 - first ** state["step"]) * (mean / largest)
