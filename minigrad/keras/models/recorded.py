"""What `minigrad.compile` must know of Keras's functions that look at the values of arrays."""

from __future__ import annotations

import functools
from typing import Any

__all__ = ["Apart", "record_keras"]


class Apart:
    """An attribute of a model that its steps do not read, and so may change between them.

    It is None until it is set. What is set lies in an object beside the model's own attributes,
    all of which are watched.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, kind: Any = None) -> Any:
        return None if instance is None else getattr(_shelf(instance), self.name, None)

    def __set__(self, instance: Any, value: Any) -> None:
        setattr(_shelf(instance), self.name, value)


class _Shelf:
    """What a model keeps apart."""


def _shelf(instance: Any) -> Any:
    return vars(instance).setdefault("_shelf", _Shelf())


@functools.cache
def record_keras() -> None:
    """Let the functions be recorded, once the first model is compiled to be replayed."""
    # The recorder is loaded only when it is asked for.
    from minigrad.compiler.special import admit
    from minigrad.keras.layers import normalization, regularization
    from minigrad.keras.losses import binary, categorical, loss, margin

    admit(
        atoms=(
            binary.check_chances, categorical.as_column, categorical.check_whole,
            loss.check_not_negative, normalization.move_statistics, regularization.drawn_mask,
        ),
        predicates=(binary.are_positive, categorical.are_classes, margin.are_answers),
    )  # fmt: skip
