"""Keras's layers."""

from minigrad.keras.layers.base import InputSpec as InputSpec
from minigrad.keras.layers.base import Layer as Layer
from minigrad.keras.layers.input import Input as Input
from minigrad.keras.layers.input import InputLayer as InputLayer
