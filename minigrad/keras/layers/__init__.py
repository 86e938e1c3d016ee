"""Keras's layers."""

from typing import Any as _Any

from minigrad.keras.layers.activation import *  # noqa: F403
from minigrad.keras.layers.attention import *  # noqa: F403
from minigrad.keras.layers.augmentation import *  # noqa: F403
from minigrad.keras.layers.base import InputSpec as InputSpec
from minigrad.keras.layers.base import Layer as Layer
from minigrad.keras.layers.convolution import *  # noqa: F403
from minigrad.keras.layers.dense import *  # noqa: F403
from minigrad.keras.layers.depthwise import *  # noqa: F403
from minigrad.keras.layers.input import Input as Input
from minigrad.keras.layers.input import InputLayer as InputLayer
from minigrad.keras.layers.merging import *  # noqa: F403
from minigrad.keras.layers.normalization import *  # noqa: F403
from minigrad.keras.layers.pooling import *  # noqa: F403
from minigrad.keras.layers.preprocessing import *  # noqa: F403
from minigrad.keras.layers.recurrent import *  # noqa: F403
from minigrad.keras.layers.regularization import *  # noqa: F403
from minigrad.keras.layers.reshaping import *  # noqa: F403
from minigrad.keras.layers.resizing import *  # noqa: F403
from minigrad.keras.layers.transposed import *  # noqa: F403
from minigrad.keras.layers.wrappers import *  # noqa: F403
from minigrad.keras.lookup import no_attribute as _no_attribute


def __getattr__(name: str) -> _Any:
    """Say what a misspelt name most likely means."""
    known = [one for one, found in globals().items() if callable(found)]
    raise _no_attribute("keras.layers", name, known)
