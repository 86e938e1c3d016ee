"""A Trainer's steps through `minigrad.compile`, which records each kind of batch once.

What a step reads of the Trainer's own fields comes as an argument, `settings`, so that another
value is recorded anew; the counting, the schedule, the mean loss and the metrics stay in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import minigrad
from minigrad.training.nested import detached

if TYPE_CHECKING:
    from minigrad.training.batch import BatchWork

__all__ = ["Replayed"]


class Replayed:
    """The compiled steps of one Trainer."""

    def __init__(self, trainer: BatchWork) -> None:
        self.trainer = trainer
        self._train = minigrad.compile(train_step)
        self._test = minigrad.compile(test_step)

    def train(self, inputs: Any, target: Any, weight: Any, first: bool, count: int) -> Any:
        """What `learn` gives for a batch."""
        trainer = self.trainer
        return self._train(trainer, trainer.settings(), inputs, target, weight, first, count)

    def test(self, inputs: Any, target: Any, weight: Any) -> Any:
        """What `assess` gives for a batch."""
        trainer = self.trainer
        return self._test(trainer, trainer.settings(), inputs, target, weight)

    def explain(self) -> str:
        """Print, and return, the plans of both steps and what runs eagerly and why."""
        return f"{self._train.explain()}\n{self._test.explain()}"


def train_step(
    trainer: Any,
    settings: tuple[Any, ...],
    inputs: Any,
    target: Any,
    weight: Any,
    first: bool,
    count: int,
) -> Any:
    """What is recorded of a batch to train on; the results need no gradient any more."""
    return detached(trainer.learn(inputs, target, weight, first, count))


def test_step(
    trainer: Any, settings: tuple[Any, ...], inputs: Any, target: Any, weight: Any
) -> Any:
    """What is recorded of a batch to measure."""
    return detached(trainer.assess(inputs, target, weight))
