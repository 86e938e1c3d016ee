"""Callbacks that are ready to use; their names, arguments and semantics are Keras's."""

from minigrad.training.callbacks.checkpoint import ModelCheckpoint
from minigrad.training.callbacks.csv_logger import CSVLogger
from minigrad.training.callbacks.lambda_callback import LambdaCallback
from minigrad.training.callbacks.learning_rate import (
    LearningRateScheduler,
    ReduceLROnPlateau,
    learning_rate,
    set_learning_rate,
)
from minigrad.training.callbacks.monitored import Monitored
from minigrad.training.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "CSVLogger",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Monitored",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
    "learning_rate",
    "set_learning_rate",
]
