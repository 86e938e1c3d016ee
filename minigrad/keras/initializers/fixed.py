"""Initializers that do not draw: one number everywhere, and the identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.keras.initializers.initializer import Initializer, unchanged
from minigrad.modes import no_grad
from minigrad.nn import init

__all__ = ["Constant", "Identity", "Ones", "Zeros"]


class Constant(Initializer):
    """One number everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = float(value)

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.constant_(parameter, self.value)

    def get_config(self) -> dict[str, Any]:
        """The number."""
        return {"value": self.value}


class Zeros(Initializer):
    """Zeros."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.zeros_(parameter)


class Ones(Initializer):
    """Ones."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.ones_(parameter)


class Identity(Initializer):
    """The identity matrix times `gain`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a matrix in place and return it."""
        init.eye_(parameter)
        if self.gain != 1:
            with no_grad():
                parameter.mul_(self.gain)
        return parameter

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"gain": self.gain}
