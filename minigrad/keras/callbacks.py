"""Keras's callbacks: those of minigrad.training, with ModelCheckpoint writing whole models."""

from __future__ import annotations

from typing import Any

from minigrad.keras.models.saving import check_ending, save_model, save_weights
from minigrad.training import Callback, History, callbacks
from minigrad.training.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
    TerminateOnNaN,
)

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Saves the model, or its weights, after each epoch or only after the best ones.

    The files are those of `model.save`, which `keras.models.load_model` reads, or with
    `save_weights_only` those of `model.save_weights`. The arguments are those of
    `minigrad.training.callbacks.ModelCheckpoint`.
    """

    def set_trainer(self, trainer: Any) -> None:
        """Called once before a run: the time to refuse a file that cannot be written."""
        check_ending(self.filepath, "ModelCheckpoint()", self.save_weights_only)
        super().set_trainer(trainer)

    def save(self, path: str) -> None:
        """Write the file."""
        model: Any = self.model
        if self.save_weights_only:
            save_weights(model, path)
        else:
            save_model(model, path)
