"""minigrad.keras: Keras's names over minigrad's nn, optim and data.

It holds no mathematics: a layer is an `nn.Module` of modules of `minigrad.nn`, a model is trained
by a `minigrad.training.Trainer`, and the same seed and numbers give, bit for bit, the weights that
the same network in PyTorch's style gets. Shapes, arguments and defaults are Keras's.

>>> from minigrad import keras
>>> model = keras.Sequential([keras.Input(shape=(1,)), keras.layers.Dense(1)])
>>> model.compile(optimizer="sgd", loss="mse")
>>> history = model.fit([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], epochs=2, verbose=0)
>>> len(history.history["loss"])
2
"""

from typing import Any as _Any

from minigrad import __version__ as __version__
from minigrad.keras import activations as activations
from minigrad.keras import backend as backend
from minigrad.keras import callbacks as callbacks
from minigrad.keras import config as config
from minigrad.keras import constraints as constraints
from minigrad.keras import datasets as datasets
from minigrad.keras import initializers as initializers
from minigrad.keras import layers as layers
from minigrad.keras import losses as losses
from minigrad.keras import metrics as metrics
from minigrad.keras import models as models
from minigrad.keras import ops as ops
from minigrad.keras import optimizers as optimizers
from minigrad.keras import preprocessing as preprocessing
from minigrad.keras import random as random
from minigrad.keras import regularizers as regularizers
from minigrad.keras import saving as saving
from minigrad.keras import utils as utils
from minigrad.keras.layers import Input as Input
from minigrad.keras.layers import InputSpec as InputSpec
from minigrad.keras.layers import Layer as Layer
from minigrad.keras.lookup import no_attribute as _no_attribute
from minigrad.keras.models import Model as Model
from minigrad.keras.models import Sequential as Sequential
from minigrad.keras.symbolic import KerasTensor as KerasTensor


def __getattr__(name: str) -> _Any:
    """Say what a misspelt name most likely means."""
    raise _no_attribute("keras", name, list(globals()))
