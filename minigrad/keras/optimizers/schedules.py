"""Learning rates that change with the step: functions of the number of steps taken so far."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, cos, floor, log, pi
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.keras.lookup import Lookup

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule:
    """A learning rate for each step; a subclass writes `__call__(step)`, and `get_config()`.

    Give it to an optimizer as its `learning_rate`. The first step is number 0.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.5 ** (step // 100)
    >>> Halving()(250)
    0.25
    """

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        raise ArgumentError(
            f"{type(self).__name__} has no __call__(self, step); write one that returns the rate"
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments that make the same schedule again: its public fields."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The schedule of these arguments."""
        return cls(**config)

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({settings})"


def _check_steps(schedule: str, **arguments: float) -> None:
    for name, value in arguments.items():
        if not value > 0:
            raise ArgumentError(f"{schedule}(): {name} must be above 0, got {value!r}")


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps), in stairs if `staircase`.

    >>> ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5, staircase=True)(19)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        _check_steps("ExponentialDecay", decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        part = step / self.decay_steps
        rate: float = self.decay_rate ** (floor(part) if self.staircase else part)
        return self.initial_learning_rate * rate


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), in stairs if `staircase`."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        _check_steps("InverseTimeDecay", decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        part = step / self.decay_steps
        return self.initial_learning_rate / (
            1 + self.decay_rate * (floor(part) if self.staircase else part)
        )


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and with the step boundaries[0], then values[1], and so on.

    Raises ArgumentError unless there is one value more than boundaries, which rise.

    >>> PiecewiseConstantDecay([100], [0.1, 0.01])(101)
    0.01
    """

    def __init__(
        self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"
    ) -> None:
        if len(values) != len(boundaries) + 1:
            raise ArgumentError(
                f"PiecewiseConstantDecay(): {len(boundaries)} boundaries divide the steps into "
                f"{len(boundaries) + 1} parts, but there are {len(values)} values"
            )
        if list(boundaries) != sorted(boundaries):
            raise ArgumentError(
                f"PiecewiseConstantDecay(): boundaries must rise, got {list(boundaries)}"
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        passed = sum(step > boundary for boundary in self.boundaries)
        return self.values[passed]


class PolynomialDecay(LearningRateSchedule):
    """From the initial rate to the end rate in `decay_steps` steps, as (1 - part) ** power.

    With `cycle` it starts again with more steps each time.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        _check_steps("PolynomialDecay", decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        whole = self.decay_steps
        if self.cycle:
            whole *= max(ceil(step / self.decay_steps), 1)
        part = min(step, whole) / whole
        span = self.initial_learning_rate - self.end_learning_rate
        rate: float = span * (1 - part) ** self.power
        return rate + self.end_learning_rate


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate to `alpha` times it (Loshchilov and Hutter 2017).

    With `warmup_target` the rate first rises to it in a line, in `warmup_steps`, and falls from
    there.

    >>> CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)(5)
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        _check_steps("CosineDecay", decay_steps=decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        highest = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return highest + (self.warmup_target - highest) * step / self.warmup_steps
            highest = self.warmup_target
            step -= self.warmup_steps
        part = min(step, self.decay_steps) / self.decay_steps
        return highest * ((1 - self.alpha) * 0.5 * (1 + cos(pi * part)) + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine again and again (Loshchilov and Hutter 2017).

    Each period is `t_mul` times as long as the one before and starts `m_mul` times as high.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        _check_steps("CosineDecayRestarts", first_decay_steps=first_decay_steps, t_mul=t_mul)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: int) -> float:
        """The rate of this step."""
        part = step / self.first_decay_steps
        if self.t_mul == 1.0:
            restarts = floor(part)
            part -= restarts
        else:
            restarts = floor(log(1 - part * (1 - self.t_mul)) / log(self.t_mul))
            before = (1 - self.t_mul**restarts) / (1 - self.t_mul)
            part = (part - before) / self.t_mul**restarts
        wave = 0.5 * self.m_mul**restarts * (1 + cos(pi * part))
        return self.initial_learning_rate * ((1 - self.alpha) * wave + self.alpha)


LOOKUP = Lookup(
    "keras.optimizers.schedules",
    "schedule",
    {
        "CosineDecay": CosineDecay,
        "CosineDecayRestarts": CosineDecayRestarts,
        "ExponentialDecay": ExponentialDecay,
        "InverseTimeDecay": InverseTimeDecay,
        "PiecewiseConstantDecay": PiecewiseConstantDecay,
        "PolynomialDecay": PolynomialDecay,
    },
    LearningRateSchedule,
)


def serialize(learning_rate_schedule: Any) -> Any:
    """A configuration that `deserialize` takes back."""
    return LOOKUP.to_config(learning_rate_schedule)


def deserialize(config: Any) -> Any:
    """The schedule that `serialize` gave this for."""
    return LOOKUP.get(config)
