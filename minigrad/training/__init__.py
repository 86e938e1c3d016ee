"""The training loop and what it calls: the Trainer, callbacks, metrics and progress."""

from minigrad.training import callbacks as callbacks
from minigrad.training import metrics as metrics
from minigrad.training.callback import Callback as Callback
from minigrad.training.callbacks import CSVLogger as CSVLogger
from minigrad.training.callbacks import EarlyStopping as EarlyStopping
from minigrad.training.callbacks import LambdaCallback as LambdaCallback
from minigrad.training.callbacks import LearningRateScheduler as LearningRateScheduler
from minigrad.training.callbacks import ModelCheckpoint as ModelCheckpoint
from minigrad.training.callbacks import ReduceLROnPlateau as ReduceLROnPlateau
from minigrad.training.callbacks import TerminateOnNaN as TerminateOnNaN
from minigrad.training.history import History as History
from minigrad.training.progress import ProgressBar as ProgressBar
from minigrad.training.progress import ProgressLine as ProgressLine
from minigrad.training.trainer import Trainer as Trainer
