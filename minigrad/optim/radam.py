"""RAdam: Adam that waits until its mean square is worth dividing by."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class RAdam(Optimizer):
    """Adam whose step is scaled by how well the mean square is known, plain momentum at first.

    `weight_decay` adds weight_decay * p to the gradient, or, with `decoupled_weight_decay`, shrinks
    the parameters themselves. Source: Liu and others, "On the Variance of the Adaptive Learning
    Rate and Beyond", 2020.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means."""
        xp = backend_of(p).xp
        return {"step": 0, "exp_avg": xp.zeros_like(p), "exp_avg_sq": xp.zeros_like(p)}

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
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean *= first
        mean += (1 - first) * g
        square *= second
        square += (1 - second) * (g * g)
        rate = lr / (1 - first**step)
        # The length of a simple average that would be as sure of the mean square, now and at last.
        longest = 2 / (1 - second) - 1
        length = longest - 2 * step * second**step / (1 - second**step)
        if length <= 5:
            p -= rate * mean
            return
        sureness = (
            (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        ) ** 0.5
        scale = xp.sqrt(square)
        scale += group["eps"]
        p -= rate * sureness * (1 - second**step) ** 0.5 * (mean / scale)
