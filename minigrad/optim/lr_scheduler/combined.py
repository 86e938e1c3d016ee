"""Schedules made of others: one after the other, or several at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.lr_scheduler.schedule import LRScheduler, check_optimizer
from minigrad.optim.optimizer import Optimizer


class _Combined(LRScheduler):
    schedulers: list[LRScheduler]

    def _check(self, optimizer: Any, schedulers: Sequence[Any]) -> None:
        kind = type(self).__name__
        check_optimizer(kind, optimizer)
        for position, scheduler in enumerate(schedulers):
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(
                    f"{kind}(): schedulers[{position}] must be a schedule, not "
                    f"{type(scheduler).__name__}"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ArgumentError(
                    f"{kind}(): schedulers[{position}] is a ReduceLROnPlateau, whose step() needs "
                    f"the measured value; step it by itself"
                )
            if scheduler.optimizer is not optimizer:
                raise ArgumentError(
                    f"{kind}(): schedulers[{position}] belongs to another optimizer; make all of "
                    f"them for the same one"
                )

    def undo(self) -> None:
        """Take the constructors' steps back."""
        for scheduler in self.schedulers:
            scheduler.undo()

    def state_dict(self) -> dict[str, Any]:
        """The states of all schedules, for saving."""
        return {
            **super().state_dict(),
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state."""
        own = dict(state_dict)
        for scheduler, state in zip(self.schedulers, own.pop("schedulers"), strict=True):
            scheduler.load_state_dict(state)
        super().load_state_dict(own)


class SequentialLR(_Combined):
    """Schedules one after the other: each milestone is the epoch at which the next one begins.

    >>> import minigrad
    >>> from minigrad.optim import SGD, lr_scheduler
    >>> optimizer = SGD([minigrad.ones(1, requires_grad=True)], lr=1.0)
    >>> warm_up = lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
    >>> decay = lr_scheduler.ExponentialLR(optimizer, 0.9)
    >>> schedule = SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
        last_epoch: int = -1,
    ) -> None:
        self._check(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ArgumentError(
                f"SequentialLR(): {len(schedulers)} schedulers need {len(schedulers) - 1} "
                f"milestones, got {len(milestones)}"
            )
        self.optimizer = optimizer
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        self.last_epoch = last_epoch + 1
        for group in self.groups:
            group["lr"] = group["initial_lr"]
        self.undo()
        self._present().begin()

    def _present(self) -> LRScheduler:
        return self.schedulers[bisect_right(self.milestones, self.last_epoch)]

    def begin(self) -> None:
        """Set the rates of the first epoch."""
        self._present().begin()

    def restart(self) -> None:
        """Go back to epoch 0."""
        self.last_epoch = 0
        self._present().restart()

    def step(self) -> None:
        """Go on to the next epoch, with the schedule whose turn it is."""
        self.last_epoch += 1
        scheduler = self._present()
        if self.last_epoch in self.milestones:
            scheduler.restart()
        else:
            scheduler.step()


class ChainedScheduler(_Combined):
    """Several schedules at once: each step changes the rate by all of them."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if not schedulers:
            raise ArgumentError("ChainedScheduler(): schedulers is empty; give at least one")
        given: Any = optimizer or getattr(schedulers[0], "optimizer", None)
        self._check(given, schedulers)
        self.schedulers = list(schedulers)
        self.optimizer = given

    def begin(self) -> None:
        """Set the rates of the first epoch."""
        for scheduler in self.schedulers:
            scheduler.begin()

    def restart(self) -> None:
        """Go back to epoch 0."""
        for scheduler in self.schedulers:
            scheduler.restart()

    def step(self) -> None:
        """Go on to the next epoch with every schedule."""
        for scheduler in self.schedulers:
            scheduler.step()
