"""ASGD: stochastic gradient descent that also keeps the mean of its parameters."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class ASGD(Optimizer):
    """Gradient descent with a falling rate; state "ax" is the mean of p from step t0 + 2 on.

    The rate is lr / (1 + lambd * lr * t) ** alpha, and each step shrinks p by lambd times the rate;
    `weight_decay` adds weight_decay * p to the gradient. Source: Polyak and Juditsky, "Acceleration
    of Stochastic Approximation by Averaging", 1992.
    """

    numbers = ("step", "eta", "mu")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """The rate of the first step, the weight of the newest value, and the mean."""
        xp = backend_of(p).xp
        return {"step": 0, "eta": float(group["lr"]), "mu": 1.0, "ax": xp.zeros_like(p)}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        state["step"] += 1
        step, lr, eta = state["step"], group["lr"], state["eta"]
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p
        p *= 1 - group["lambd"] * eta
        p -= eta * g
        mean = state["ax"]
        mean += (p - mean) * state["mu"]
        state["eta"] = lr / (1 + group["lambd"] * lr * step) ** group["alpha"]
        state["mu"] = 1 / max(1, step - group["t0"])
