"""Keras's optimizers, found by their names, over those of minigrad.optim."""

from __future__ import annotations

from typing import Any

from minigrad import optim
from minigrad.errors import ArgumentError
from minigrad.keras.lookup import Lookup
from minigrad.keras.optimizers import schedules
from minigrad.keras.optimizers.algorithms import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Nadam,
    RMSprop,
)
from minigrad.keras.optimizers.optimizer import Optimizer

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

LOOKUP = Lookup(
    "keras.optimizers",
    "optimizer",
    {
        kind.__name__.lower(): kind
        for kind in (SGD, RMSprop, Adam, AdamW, Adagrad, Adadelta, Adamax, Nadam)
    },
    Optimizer,
)


def get(identifier: Any) -> Any:
    """The optimizer of a name, class, instance or configuration; a name means the defaults.

    Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> get("adam")
    Adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, amsgrad=False)
    """
    if isinstance(identifier, optim.Optimizer):
        name = type(identifier).__name__
        raise ArgumentError(
            f"keras.optimizers.get(): this is minigrad.optim.{name}, which already has its "
            f"parameters; a model compiled in Keras's style takes keras.optimizers.{name}"
            f"(learning_rate={identifier.param_groups[0]['lr']})"
        )
    found = LOOKUP.get(identifier)
    if found is not None and not isinstance(found, Optimizer):
        raise ArgumentError(
            f"keras.optimizers.get(): an optimizer is given by its name, such as 'adam', or as an "
            f"instance of keras.optimizers.Optimizer, got {found!r}"
        )
    return found


def serialize(optimizer: Any) -> Any:
    """A configuration that `get` turns back into the optimizer."""
    return LOOKUP.to_config(optimizer)


def deserialize(config: Any) -> Any:
    """The optimizer that `serialize` gave this for."""
    return get(config)
