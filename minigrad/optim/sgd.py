"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class SGD(Optimizer):
    """Steps against the gradient: p -= lr * g, with momentum v = momentum * v + g if wanted.

    `dampening` scales the gradient that enters the momentum, `nesterov` looks ahead along it
    (Sutskever et al. 2013), `weight_decay` adds weight_decay * p to the gradient, `maximize`
    climbs instead.
    """

    positive = ("lr", "momentum", "weight_decay")

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """Nesterov's step needs a momentum and no dampening."""
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError(
                "SGD(): nesterov=True needs a momentum above 0 and dampening=0, got "
                f"momentum={group['momentum']} and dampening={group['dampening']}"
            )

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        momentum, nesterov = group["momentum"], group["nesterov"]
        share = 1 - group["dampening"]
        velocity = None
        if momentum:
            velocity = state.get("momentum_buffer")
            if velocity is None:
                # The first velocity is the gradient whole: nothing is dampened.
                velocity = state["momentum_buffer"] = backend_of(p).xp.zeros_like(p)
                share = 1
        kernels.sgd_update(
            backend_of(p).xp,
            p,
            g,
            velocity,
            group["lr"],
            momentum,
            share,
            group["weight_decay"],
            nesterov,
        )
