"""Adam, and AdamW, which decays the weights apart from the gradient."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.optim.optimizer import Optimizer

BLOCK = 32_768
"""Elements per block of a large update: small enough that all operands stay in the cache."""


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
        """One step of p, in place; a large array goes block by block."""
        state["step"] += 1
        arrays = (p, *(value for value in state.values() if not isinstance(value, int)))
        if p.size <= BLOCK or not all(array.flags.c_contiguous for array in arrays):
            self._update(p, g, state, group)
            return
        flat = {
            name: value if isinstance(value, int) else value.reshape(-1)
            for name, value in state.items()
        }
        values, gradients = p.reshape(-1), g.reshape(-1)
        for start in range(0, p.size, BLOCK):
            block = slice(start, start + BLOCK)
            part = {n: v if isinstance(v, int) else v[block] for n, v in flat.items()}
            self._update(values[block], gradients[block], part, group)

    def _update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        xp = backend_of(p).xp
        first, second = group["betas"]
        lr, decay, step = group["lr"], group["weight_decay"], state["step"]
        if decay:
            if self.decoupled:
                p *= 1 - lr * decay
            else:
                g = g + decay * p
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        scratch = g * (1 - first)
        mean *= first
        mean += scratch
        xp.multiply(g, g, out=scratch)
        scratch *= 1 - second
        square *= second
        square += scratch
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            xp.maximum(largest, square, out=largest)
            square = largest
        xp.sqrt(square, out=scratch)
        # p -= lr/(1 - first^t) * mean / (sqrt(square / (1 - second^t)) + eps), with the
        # corrections gathered in two numbers.
        root = (1 - second**step) ** 0.5
        scratch += group["eps"] * root
        xp.divide(mean, scratch, out=scratch)
        scratch *= lr * root / (1 - first**step)
        p -= scratch


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
