"""The training loop and what it calls: the Trainer, callbacks, metrics and progress."""

from minigrad.training.callback import Callback as Callback
from minigrad.training.history import History as History
from minigrad.training.trainer import Trainer as Trainer
