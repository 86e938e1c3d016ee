"""What `minigrad.compile` must know of Keras's functions that look at the values of arrays."""

from __future__ import annotations

import functools

__all__ = ["record_keras"]


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
