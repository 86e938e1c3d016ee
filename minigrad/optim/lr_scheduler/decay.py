"""Schedules that lead from the initial rate to a lower one, or up to it in a warm-up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.schedule import LRScheduler, check_optimizer, functions
from minigrad.optim.optimizer import Optimizer

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """The initial rate times `lr_lambda(epoch)`; one function, or one for each group."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        check_optimizer("LambdaLR", optimizer)
        self.lr_lambdas = functions("LambdaLR", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(self.last_epoch) for base, factor in pairs]


class MultiplicativeLR(LRScheduler):
    """The rate times `lr_lambda(epoch)` every epoch; one function, or one for each group."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1
    ) -> None:
        check_optimizer("MultiplicativeLR", optimizer)
        self.lr_lambdas = functions("MultiplicativeLR", lr_lambda, optimizer)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        if self._beginning:
            return self.rates
        pairs = zip(self.rates, self.lr_lambdas, strict=True)
        return [lr * factor(self.last_epoch) for lr, factor in pairs]

    def restart(self) -> None:
        """Go back to epoch 0, from the present rates."""
        self.last_epoch = -1
        self.advance()


class StepLR(LRScheduler):
    """The rate times `gamma` every `step_size` epochs."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise ArgumentError(f"StepLR(): step_size must be at least 1, got {step_size}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        due = self.last_epoch > 0 and self.last_epoch % self.step_size == 0
        return [lr * (self.gamma if due else 1) for lr in self.rates]


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the epochs in `milestones`."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = list(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        factor = self.gamma ** self.milestones.count(self.last_epoch)
        return [lr * factor for lr in self.rates]


class ExponentialLR(LRScheduler):
    """The rate times `gamma` every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        factor = 1 if self._beginning or not self.last_epoch else self.gamma
        return [lr * factor for lr in self.rates]


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the initial rate down to `eta_min` in `T_max` epochs, then up again.

    Loshchilov and Hutter 2017, without restarts.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_max < 1:
            raise ArgumentError(f"CosineAnnealingLR(): T_max must be at least 1, got {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        epoch, period = self.last_epoch, self.T_max
        if self._beginning or epoch == 0:
            return self.rates
        if (epoch - 1 - period) % (2 * period) == 0:
            # At the trough the ratio of two neighbouring rates has no meaning: step up from it.
            rise = (1 - math.cos(math.pi / period)) / 2
            return [
                lr + (base - self.eta_min) * rise
                for base, lr in zip(self.base_lrs, self.rates, strict=True)
            ]
        ratio = (1 + math.cos(math.pi * epoch / period)) / (
            1 + math.cos(math.pi * (epoch - 1) / period)
        )
        return [ratio * (lr - self.eta_min) + self.eta_min for lr in self.rates]


class ConstantLR(LRScheduler):
    """The initial rate times `factor` for `total_iters` epochs, and then the initial rate."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < factor <= 1:
            raise ArgumentError(f"ConstantLR(): factor must be in (0, 1], got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        if self.last_epoch == 0:
            return [lr * self.factor for lr in self.rates]
        if self.last_epoch != self.total_iters:
            return self.rates
        return [lr * (1.0 / self.factor) for lr in self.rates]


class LinearLR(LRScheduler):
    """The initial rate times a factor that goes from one value to another in `total_iters` epochs.

    It starts at `start_factor` and ends at `end_factor`; the defaults warm up.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ArgumentError(f"LinearLR(): start_factor must be in (0, 1], got {start_factor}")
        if not 0 <= end_factor <= 1:
            raise ArgumentError(f"LinearLR(): end_factor must be in [0, 1], got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self.rates]
        if self._beginning or self.last_epoch > self.total_iters:
            return self.rates
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1 + rise / before) for lr in self.rates]


class PolynomialLR(LRScheduler):
    """The initial rate times (1 - epoch / total_iters) ** power, and then zero."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        if total_iters < 1:
            raise ArgumentError(
                f"PolynomialLR(): total_iters must be at least 1, got {total_iters}"
            )
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group in the present epoch."""
        epoch, total = self.last_epoch, self.total_iters
        if self._beginning or epoch == 0 or epoch > total:
            return self.rates
        factor = ((1 - epoch / total) / (1 - (epoch - 1) / total)) ** self.power
        return [lr * factor for lr in self.rates]
