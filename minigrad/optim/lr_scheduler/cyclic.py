"""Schedules that go up and down: cycles, one cycle, and a cosine with restarts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.schedule import LRScheduler, check_optimizer, per_group
from minigrad.optim.optimizer import Optimizer

Numbers = float | Sequence[float]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine from the initial rate down to `eta_min`, again and again.

    The first takes `T_0` epochs, each later one `T_mult` times its predecessor. `step(epoch)` goes
    to any epoch, a fraction too. Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent
    with Warm Restarts", 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        given: dict[str, Any] = {"T_0": T_0, "T_mult": T_mult}
        for name, value in given.items():
            if not isinstance(value, int) or value < 1:
                raise ArgumentError(
                    f"CosineAnnealingWarmRestarts(): {name} must be an int of at least 1, got "
                    f"{value!r}"
                )
        self.T_0 = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_i = T_0
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def advance(self, epoch: float | None = None) -> None:
        """Go on by one epoch, or to the one given, and set the rates."""
        epoch = self.last_epoch + 1 if epoch is None else epoch
        self.T_cur, self.T_i = epoch, self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        self.last_epoch = math.floor(epoch)
        for group, lr in zip(self.groups, self.get_lr(), strict=True):
            group["lr"] = lr

    def step(self, epoch: float | None = None) -> None:
        """Go on to the next epoch, or to the one given, such as epoch + batch / batches."""
        if epoch is not None and epoch < 0:
            raise ArgumentError(f"step(): epoch must be at least 0, got {epoch}")
        self._count()
        self.advance(epoch)


class _Cycle(LRScheduler):
    """A schedule that moves the momentum too: the other way."""

    cycle_momentum: bool

    def _prepare_momentum(self, base: Any, largest: Any, last_epoch: int) -> None:
        kind = type(self).__name__
        if not self.cycle_momentum:
            return
        defaults = self.optimizer.defaults
        if "momentum" not in defaults and "betas" not in defaults:
            raise ArgumentError(
                f"{kind}(): {type(self.optimizer).__name__} has no momentum to cycle; write "
                f"cycle_momentum=False"
            )
        bases = per_group(kind, "base_momentum", base, self.optimizer)
        tops = per_group(kind, "max_momentum", largest, self.optimizer)
        if last_epoch != -1:
            return
        for group, low, high in zip(self.groups, bases, tops, strict=True):
            group["base_momentum"], group["max_momentum"] = low, high
            _set_momentum(group, high)


def _set_momentum(group: dict[str, Any], value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class CyclicLR(_Cycle):
    """The rate up from `base_lr` to `max_lr` and down again, in cycles of steps of the optimizer.

    `mode` is "triangular", "triangular2" (each cycle half as high) or "exp_range" (the height times
    gamma ** step); or `scale_fn` gives the height of a cycle or, with scale_mode "iterations", of a
    step. With `cycle_momentum` the momentum goes from `max_momentum` down to `base_momentum` and
    up. Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: Numbers,
        max_lr: Numbers,
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: Numbers = 0.8,
        max_momentum: Numbers = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("CyclicLR", optimizer)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ArgumentError(
                f"CyclicLR(): mode must be 'triangular', 'triangular2' or 'exp_range', or scale_fn "
                f"be given, got {mode!r}"
            )
        self.optimizer = optimizer
        bases = per_group("CyclicLR", "base_lr", base_lr, optimizer)
        if last_epoch == -1:
            for group, lr in zip(self.groups, bases, strict=True):
                group["lr"] = lr
        self.max_lrs = per_group("CyclicLR", "max_lr", max_lr, optimizer)
        down = step_size_up if step_size_down is None else step_size_down
        if step_size_up <= 0 or down <= 0:
            raise ArgumentError(
                f"CyclicLR(): step_size_up and step_size_down must be positive, got {step_size_up} "
                f"and {down}"
            )
        self.total_size = float(step_size_up + down)
        self.step_ratio = step_size_up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self.scale_fn = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        self._prepare_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = bases

    def _height(self, count: float) -> float:
        """The height of a cycle or step, as a part of the first one's."""
        if self.scale_fn is not None:
            return self.scale_fn(count)
        if self.mode == "triangular2":
            return float(1 / 2.0 ** (count - 1))
        return float(self.gamma**count) if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[float]:
        """The rate of each group in the present step; it sets the momentum too."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        place = 1.0 + self.last_epoch / self.total_size - cycle
        rising = place <= self.step_ratio
        share = place / self.step_ratio if rising else (place - 1) / (self.step_ratio - 1)
        share *= self._height(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group in self.groups:
                low, high = group["base_momentum"], group["max_momentum"]
                _set_momentum(group, high - (high - low) * share)
        pairs = zip(self.base_lrs, self.max_lrs, strict=True)
        return [base + (top - base) * share for base, top in pairs]


class OneCycleLR(_Cycle):
    """One cycle: the rate up to `max_lr`, then down to nearly nothing, in `total_steps` steps.

    It starts at max_lr / div_factor, rises for the share `pct_start` of the steps, and ends at
    the start over `final_div_factor`; with `three_phase` it first comes down to the start in as
    many steps as it rose. The momentum goes the other way. Instead of total_steps `epochs` and
    `steps_per_epoch` may be given. Source: Smith and Topin, "Super-Convergence", 2018.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: Numbers,
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: Numbers = 0.85,
        max_momentum: Numbers = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer("OneCycleLR", optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError(
                    "OneCycleLR(): give total_steps, or epochs and steps_per_epoch=len(loader)"
                )
            total_steps = epochs * steps_per_epoch
        steps: Any = total_steps
        if not isinstance(steps, int) or steps < 1:
            raise ArgumentError(
                f"OneCycleLR(): the number of steps must be an int of at least 1, got {steps!r}"
            )
        if not 0 <= pct_start <= 1:
            raise ArgumentError(f"OneCycleLR(): pct_start must be in [0, 1], got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(
                f"OneCycleLR(): anneal_strategy must be 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self.optimizer = optimizer
        self.total_steps = total_steps
        self.anneal_strategy = anneal_strategy
        # Each phase: its last step, and the names of the rates and momenta that it leads between.
        peak = pct_start * total_steps - 1
        rise = (peak, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if three_phase:
            back = 2 * pct_start * total_steps - 2
            fall = (back, "max_lr", "initial_lr", "base_momentum", "max_momentum")
            end = (total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
            self.phases = [rise, fall, end]
        else:
            end = (total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
            self.phases = [rise, end]
        tops = per_group("OneCycleLR", "max_lr", max_lr, optimizer)
        if last_epoch == -1:
            for group, top in zip(self.groups, tops, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        self._prepare_momentum(base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _phase(self, step: int) -> tuple[float, tuple[float, str, str, str, str]]:
        """The phase that a step belongs to, and the step at which the one before it ended."""
        first: float = 0
        for phase in self.phases[:-1]:
            if step <= phase[0]:
                return first, phase
            first = phase[0]
        return first, self.phases[-1]

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal_strategy == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))

    def get_lr(self) -> list[float]:
        """The rate of each group in the present step; it sets the momentum too."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ArgumentError(
                f"OneCycleLR.step(): step {step} of {self.total_steps}; call it once after each "
                f"optimizer.step(), and make the schedule for as many steps as there are"
            )
        first, (last, start, end, before, after) = self._phase(step)
        share = (step - first) / (last - first) if last != first else 1.0
        found = []
        for group in self.groups:
            found.append(self._between(group[start], group[end], share))
            if self.cycle_momentum:
                _set_momentum(group, self._between(group[before], group[after], share))
        return found
