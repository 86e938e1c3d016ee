"""Adam, and AdamW, which decays the weights apart from the gradient."""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer


class Adam(Optimizer):
    """Steps by the running mean of the gradient over the root of that of its square.

    Kingma and Ba 2015; `amsgrad` divides by the largest mean square so far (Reddi et al. 2018).
    `betas` are the decays of the two means, `weight_decay` adds weight_decay * p to the gradient,
    `maximize` climbs instead.
    """

    decoupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
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
                "amsgrad": amsgrad,
                "maximize": maximize,
            },
        )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means; the count of steps."""
        xp = backend_of(p).xp
        state = {"step": 0, "exp_avg": xp.zeros_like(p), "exp_avg_sq": xp.zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = xp.zeros_like(p)
        return state

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        state["step"] += 1
        first, second = group["betas"]
        lr, decay, step = group["lr"], group["weight_decay"], state["step"]
        # p -= lr/(1 - first^t) * mean / (sqrt(square / (1 - second^t)) + eps), with the
        # corrections gathered in two numbers.
        root = (1 - second**step) ** 0.5
        kernels.adam_update(
            backend_of(p).xp,
            p,
            g,
            state["exp_avg"],
            state["exp_avg_sq"],
            state["max_exp_avg_sq"] if group["amsgrad"] else None,
            1 - lr * decay if decay and self.decoupled else None,
            0 if self.decoupled else decay,
            (first, second),
            group["eps"] * root,
            lr * root / (1 - first**step),
        )


class AdamW(Adam):
    """Adam whose weight decay acts on the parameters themselves (Loshchilov and Hutter 2019)."""

    decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)
