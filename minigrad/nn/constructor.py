"""Constructors that layers inherit, made to name the layer in Python's own errors."""

from __future__ import annotations

import types
from typing import Any


def name_constructor(cls: type[Any]) -> None:
    """Give a class of the package a copy of the `__init__` it inherits, under its own name.

    A missing argument is then told as one of `Conv2d.__init__()`, not of a base that nobody knows.
    """
    inherited = cls.__init__
    if "__init__" in vars(cls) or not isinstance(inherited, types.FunctionType):
        return
    copy = types.FunctionType(
        inherited.__code__,
        inherited.__globals__,
        inherited.__name__,
        inherited.__defaults__,
        inherited.__closure__,
    )
    copy.__kwdefaults__ = inherited.__kwdefaults__
    copy.__annotations__ = inherited.__annotations__
    copy.__doc__ = inherited.__doc__
    copy.__module__ = inherited.__module__
    copy.__qualname__ = f"{cls.__name__}.__init__"
    cls.__init__ = copy
