"""The callback that is made of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.training.callback import Callback
from minigrad.training.callbacks.monitored import unknown

__all__ = ["LambdaCallback"]

HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


class LambdaCallback(Callback):
    """Calls the given functions: `LambdaCallback(on_epoch_end=lambda epoch, logs: ...)`.

    The names are those of the hooks of Callback, and the functions take what the hooks take.
    Raises ArgumentError for another name.
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        for name, function in hooks.items():
            if name not in HOOKS:
                raise ArgumentError(f"LambdaCallback: {unknown('the hook', name, HOOKS)}")
            if function is not None and not callable(function):
                raise TypeError(
                    f"LambdaCallback: {name} must be a function, got {type(function).__name__}"
                )
            if function is not None:
                setattr(self, name, function)
