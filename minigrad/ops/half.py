"""Half precision computed in single: inputs are widened, and only the result is rounded."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad.dtypes import float16, float32
from minigrad.ops.promotion import convert


def in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, made to compute float16 tensors in float32 and to round the result."""

    @functools.wraps(function)
    def wrapped(input: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(input, "dtype", None) != float16:
            return function(input, *args, **kwargs)
        given = {name: widened(value) for name, value in kwargs.items()}
        return convert(function(widened(input), *map(widened, args), **given), float16)

    return wrapped


def widened(value: Any) -> Any:
    """A float16 tensor or array as float32; anything else itself."""
    return convert(value, float32) if getattr(value, "dtype", None) == float16 else value
