"""Adafactor: an adaptive step that remembers a row and a column for a matrix of parameters."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import backend_of
from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class Adafactor(Optimizer):
    """Steps by the gradient over the root of its mean square, kept as row and column means.

    The rate is relative to the size of the parameter, and a step's root mean square is at most `d`
    times the rate. `beta2_decay` says how fast the memory lengthens, `eps` are the least variance
    (the dtype's own for None) and the least size; `weight_decay` shrinks the parameters. Source:
    Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018.
    """

    positive = ("lr", "d", "weight_decay")
    elementwise = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "maximize": maximize,
            },
        )

    def check(self, group: dict[str, Any]) -> None:
        """The memory lengthens; nothing is divided by less than nothing; the numbers are real."""
        super().check(group)
        if any(parameter._array.dtype.kind == "c" for parameter in group["params"]):
            raise ArgumentError("Adafactor() trains no complex parameters; use Adam")
        if not group["beta2_decay"] <= 0:
            raise ArgumentError(
                f"Adafactor(): beta2_decay must be at most 0, got {group['beta2_decay']}"
            )
        if not group["d"] >= 1:
            raise ArgumentError(f"Adafactor(): d must be at least 1, got {group['d']}")
        for position, value in enumerate(group["eps"]):
            if value is not None and not value >= 0:
                raise ArgumentError(f"Adafactor(): eps[{position}] must be at least 0, got {value}")

    def init(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """Zero means of squares: of rows and columns, or of the elements of a vector."""
        xp = backend_of(p).xp
        if p.ndim < 2:
            return {"step": 0, "variance": xp.zeros_like(p)}
        return {
            "step": 0,
            "row_var": xp.zeros_like(p[..., :1]),
            "col_var": xp.zeros_like(p[..., :1, :]),
        }

    def update(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """One step of p, in place."""
        xp = backend_of(p).xp
        state["step"] += 1
        step, lr = state["step"], group["lr"]
        least, smallest = group["eps"]
        if least is None:
            least = float(xp.finfo(p.dtype).eps)
        fresh = step ** group["beta2_decay"]
        size = xp.sqrt(xp.mean(p * p))
        rate = xp.maximum(size, smallest) * min(lr, 1 / math.sqrt(step))
        if group["weight_decay"]:
            p *= 1 - lr * group["weight_decay"]
        square = g * g
        if p.ndim < 2:
            variance = state["variance"]
            variance += (square - variance) * fresh
        else:
            rows, columns = state["row_var"], state["col_var"]
            rows += (xp.mean(square, -1, keepdims=True) - rows) * fresh
            columns += (xp.mean(square, -2, keepdims=True) - columns) * fresh
            variance = rows * columns / xp.maximum(xp.mean(rows, -2, keepdims=True), least)
        change = g / xp.sqrt(xp.maximum(variance, least * least))
        length = xp.sqrt(xp.mean(change * change)) / group["d"]
        change *= rate / xp.maximum(length, 1.0)
        p -= change
