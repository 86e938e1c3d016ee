"""autocast: there to be turned off, as operations here keep the dtype that they are given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any

from minigrad.errors import ArgumentError

__all__ = ["autocast"]


class autocast:
    """A block or function in which nothing is cast; with `enabled=True` it is refused.

    Programs write `autocast("cuda", enabled=use_amp)`; without mixed precision that runs. Raises
    ArgumentError, as the results of torch's casts could not be the same.
    """

    def __init__(
        self,
        device_type: Any = "cpu",
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if enabled:
            raise ArgumentError(
                "autocast(): nothing is cast here on its own; write enabled=False, or convert the "
                "model and its input with .half() or .double()"
            )

    def __enter__(self) -> autocast:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing was changed."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def uncast(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return uncast
