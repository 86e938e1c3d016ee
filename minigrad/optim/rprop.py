"""Rprop: steps by the sign of the gradient alone, each element with a size of its own."""

from __future__ import annotations

from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class Rprop(Optimizer):
    """Steps against the gradient's sign, longer while it stays the same, shorter when it turns.

    `etas` are the factors for a turn and for the same sign, `step_sizes` the least and the largest
    step; `lr` is the first. For full batches. Source: Riedmiller and Braun, "A Direct Adaptive
    Method for Faster Backpropagation Learning", 1993.
    """

    positive = ("lr",)

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        )

    def check(self, group: dict[str, Any]) -> None:
        """A turn shortens the step, the same sign lengthens it."""
        super().check(group)
        shorter, longer = group["etas"]
        if not 0 < shorter < 1 < longer:
            raise ArgumentError(
                f"Rprop(): etas must be a factor in (0, 1) and one above 1, got {group['etas']}"
            )
        least, largest = group["step_sizes"]
        if not 0 <= least <= largest:
            raise ArgumentError(
                f"Rprop(): step_sizes must be the least and the largest step, got "
                f"{group['step_sizes']}"
            )

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """No gradient yet; every step is the rate."""
        xp = backend_of(p).xp
        return {"step": 0, "prev": xp.zeros_like(p), "step_size": xp.full_like(p, group["lr"])}

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        shorter, longer = group["etas"]
        state["step"] += 1
        before, size = state["prev"], state["step_size"]
        agreement = g * before
        turned = agreement < 0
        # In this order no Python number meets two masks, so that the dtype is the parameter's.
        size *= xp.where(turned, p.dtype.type(shorter), p.dtype.type(1))
        size *= xp.where(agreement > 0, p.dtype.type(longer), p.dtype.type(1))
        xp.clip(size, *group["step_sizes"], out=size)
        before[...] = xp.where(turned, p.dtype.type(0), g)
        p -= xp.sign(before) * size
