"""A schedule that follows a measured value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.schedule import LRScheduler
from minigrad.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` when a measured value stops improving for `patience` epochs.

    `mode` says whether smaller ("min") or larger ("max") is better, `threshold` by how much,
    relative ("rel") or absolute ("abs") as `threshold_mode` says; after a cut `cooldown` epochs
    pass before counting again; the rate stays above `min_lr`; a cut below `eps` is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1:
            raise ArgumentError(f"ReduceLROnPlateau(): factor must be below 1, got {factor}")
        for name, value, known in (
            ("mode", mode, ("min", "max")),
            ("threshold_mode", threshold_mode, ("rel", "abs")),
        ):
            if value not in known:
                raise ArgumentError(
                    f"ReduceLROnPlateau(): {name} must be one of {known}, got {value!r}"
                )
        count = len(optimizer.param_groups)
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * count
        if len(self.min_lrs) != count:
            raise ArgumentError(
                f"ReduceLROnPlateau(): got {len(self.min_lrs)} min_lr for {count} parameter groups"
            )
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.optimizer = optimizer
        self.last_epoch = 0
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def is_better(self, value: float, best: float) -> bool:
        """Whether a value improves on the best by more than the threshold."""
        if not math.isfinite(best):
            return value < best if self.mode == "min" else value > best
        sign = -1 if self.mode == "min" else 1
        margin = self.threshold * (best if self.threshold_mode == "rel" else 1)
        return value < best - margin if sign < 0 else value > best + margin

    def step(self, metrics: Any = None) -> None:
        """Take note of this epoch's value, and cut the rates if it is time."""
        if metrics is None:
            raise ArgumentError(
                "ReduceLROnPlateau.step(): pass the measured value, such as step(validation_loss)"
            )
        value = float(metrics)
        self.last_epoch += 1
        if self.is_better(value, self.best):
            self.best = value
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, least in zip(self.groups, self.min_lrs, strict=True):
                lower = max(group["lr"] * self.factor, least)
                if group["lr"] - lower > self.eps:
                    group["lr"] = lower
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
