"""What holds for all of minigrad.keras: the floating dtype, the epsilon, the image data format."""

from __future__ import annotations

import minigrad
from minigrad.errors import ArgumentError

__all__ = [
    "backend",
    "epsilon",
    "floatx",
    "image_data_format",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standard_data_format",
]

_epsilon = 1e-7
_image_data_format = "channels_last"


def backend() -> str:
    """The name of the library that computes.

    >>> backend()
    'minigrad'
    """
    return "minigrad"


def floatx() -> str:
    """The dtype of weights and of numbers without one: minigrad's default dtype.

    >>> floatx()
    'float32'
    """
    return str(minigrad.get_default_dtype())


def set_floatx(value: str) -> None:
    """Set it: "float32" or "float64", for all of minigrad. Raises ArgumentError."""
    if value not in ("float16", "float32", "float64"):
        raise ArgumentError(
            f"keras.config.set_floatx(): value must be 'float16', 'float32' or 'float64', got "
            f"{value!r}"
        )
    minigrad.set_default_dtype(getattr(minigrad, value))


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite; 1e-7 at the start."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set it. Raises ArgumentError unless it is above 0 and below 0.5."""
    global _epsilon
    if not 0 < value < 0.5:
        raise ArgumentError(
            f"keras.config.set_epsilon(): value must be above 0 and below 0.5, got {value!r}"
        )
    _epsilon = float(value)


def image_data_format() -> str:
    """Where images have their channels: "channels_last" (n, h, w, c), or "channels_first"."""
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set it for layers that are made from now on. Raises ArgumentError."""
    global _image_data_format
    _image_data_format = standard_data_format(data_format)


def standard_data_format(data_format: str | None) -> str:
    """A layer's data format: the one of the configuration where it is None.

    Raises ArgumentError unless it is "channels_last" or "channels_first".

    >>> standard_data_format(None)
    'channels_last'
    """
    if data_format is None:
        return _image_data_format
    if data_format not in ("channels_last", "channels_first"):
        raise ArgumentError(
            f"data_format must be 'channels_last' or 'channels_first', got {data_format!r}"
        )
    return data_format
