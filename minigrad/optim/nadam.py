"""NAdam: Adam with Nesterov's look ahead along the mean of the gradient."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class NAdam(Optimizer):
    """Adam that looks ahead along its mean, with a momentum that grows towards betas[0].

    `momentum_decay` says how fast it grows; `weight_decay` adds weight_decay * p to the gradient,
    or, with `decoupled_weight_decay`, shrinks the parameters themselves. Source: Dozat,
    "Incorporating Nesterov Momentum into Adam", 2016.
    """

    positive = ("lr", "eps", "weight_decay", "momentum_decay")
    numbers = ("step", "mu_product")

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
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
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means; the product of the momenta so far."""
        xp = backend_of(p).xp
        return {
            "step": 0,
            "mu_product": 1.0,
            "exp_avg": xp.zeros_like(p),
            "exp_avg_sq": xp.zeros_like(p),
        }

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        first, second = group["betas"]
        lr, decay = group["lr"], group["weight_decay"]
        state["step"] += 1
        step = state["step"]
        if decay and group["decoupled_weight_decay"]:
            p *= 1 - lr * decay
        elif decay:
            g = g + decay * p
        momentum, following = (
            first * (1 - 0.5 * 0.96 ** (count * group["momentum_decay"]))
            for count in (step, step + 1)
        )
        state["mu_product"] *= momentum
        product = state["mu_product"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean *= first
        mean += (1 - first) * g
        square *= second
        square += (1 - second) * (g * g)
        scale = xp.sqrt(square / (1 - second**step))
        scale += group["eps"]
        ahead = g * (lr * (1 - momentum) / (1 - product))
        ahead += mean * (lr * following / (1 - product * following))
        ahead /= scale
        p -= ahead
