"""The base of the schedules: it counts epochs and sets the groups' rates."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.optimizer import Optimizer


class LRScheduler:
    """The base: counts epochs and sets each group's rate to what `get_lr` says.

    Call `step()` after the optimizer's steps of an epoch. A subclass writes `get_lr`, which may
    start from the present rates, so that schedules can be combined.
    """

    # True while the constructor makes the first step, which on resuming changes no rate.
    _beginning = False
    _step_count = 0

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(type(self).__name__, optimizer)
        self.optimizer = optimizer
        for position, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"{type(self).__name__}(): param_groups[{position}] has no 'initial_lr', which "
                    f"resuming at last_epoch={last_epoch} needs; load the optimizer's state first"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self.begin()

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The optimizer's parameter groups."""
        return self.optimizer.param_groups

    @property
    def rates(self) -> list[float]:
        """The present rate of each group."""
        return [group["lr"] for group in self.groups]

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch; written by the subclass."""
        raise ArgumentError(f"{type(self).__name__} has no get_lr()")

    def begin(self) -> None:
        """Set the rates of the first epoch; the constructor calls it."""
        self._beginning = True
        try:
            self.advance()
        finally:
            del self._beginning
        self._step_count = 1

    def restart(self) -> None:
        """Go back to epoch 0 and the initial rates."""
        for group, lr in zip(self.groups, self.base_lrs, strict=True):
            group["lr"] = lr
        self.last_epoch = -1
        self.advance()

    def undo(self) -> None:
        """Take the constructor's step back; another schedule says when this one begins."""
        self.last_epoch -= 1

    def advance(self) -> None:
        """Go on by one epoch and set the rates."""
        self.last_epoch += 1
        for group, lr in zip(self.groups, self.get_lr(), strict=True):
            group["lr"] = lr

    def step(self) -> None:
        """Go on to the next epoch.

        Warns where the optimizer has made no step yet: the first rate would not be used.
        """
        self._count()
        self.advance()

    def _count(self) -> None:
        if self._step_count == 1 and not self.optimizer.has_stepped:
            warnings.warn(
                f"{type(self).__name__}.step() was called before optimizer.step(), so that the "
                f"first learning rate is never used; call optimizer.step() first, then "
                f"scheduler.step()",
                stacklevel=3,
            )
        self._step_count += 1

    def get_last_lr(self) -> list[float]:
        """The rate of each group."""
        return self.rates

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions, for saving."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "optimizer" and not callable(value) and name != "lr_lambdas"
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a saved state."""
        vars(self).update(state_dict)


def check_optimizer(operation: str, optimizer: Any) -> None:
    """Raise TypeError unless the argument is an optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{operation}(): optimizer must be an Optimizer, not {type(optimizer).__name__}"
        )


def per_group(operation: str, name: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One value for each parameter group, given as a list or as one for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ArgumentError(
            f"{operation}(): {name} has {len(value)} values for {count} parameter groups"
        )
    return list(value)


def functions(operation: str, value: Any, optimizer: Optimizer) -> list[Any]:
    """One function for each parameter group."""
    found = per_group(operation, "lr_lambda", value, optimizer)
    for function in found:
        if not callable(function):
            raise TypeError(
                f"{operation}(): lr_lambda must be a function of the epoch, such as "
                f"lambda epoch: 0.95**epoch, not {type(function).__name__}"
            )
    return found
