"""The grad modes as context managers and decorators; they are local to a thread or task."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self, TypeVar

from minigrad.graph import grad_mode

_IS_GENERATOR = 0x20
F = TypeVar("F", bound=Callable[..., Any])

recomputing: ContextVar[bool] = ContextVar("minigrad_recomputing", default=False)
"""Whether a function runs once more for its gradient, and should leave statistics alone."""

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]


class _Mode:
    """A context manager, usable as a decorator, that sets whether operations are recorded."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._tokens: list[Token[bool]] = []

    def __enter__(self) -> Self:
        self._tokens.append(grad_mode.set(self.mode))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        grad_mode.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        """The function, run in this mode; a generator function runs each of its steps in it."""
        mode = self.mode
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & _IS_GENERATOR:
            return _in_mode(function, mode)  # type: ignore[return-value]

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            token = grad_mode.set(mode)
            try:
                return function(*args, **kwargs)
            finally:
                grad_mode.reset(token)

        return wrapped  # type: ignore[return-value]


def _in_mode(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        steps = function(*args, **kwargs)
        sent = None
        while True:
            token = grad_mode.set(mode)
            try:
                value = steps.send(sent)
            except StopIteration as stop:
                return stop.value
            finally:
                grad_mode.reset(token)
            sent = yield value

    return wrapped


class _Decorable(_Mode):
    """A mode without arguments, which may decorate with or without parentheses."""

    fixed: bool

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        self = super().__new__(cls)
        if function is None:
            return self
        self.__init__()  # type: ignore[misc]
        return self(function)

    def __init__(self) -> None:
        super().__init__(self.fixed)


class no_grad(_Decorable):
    """Nothing is recorded inside: results need no gradient.

    >>> import minigrad
    >>> x = minigrad.ones(2, requires_grad=True)
    >>> with minigrad.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    fixed = False


class enable_grad(_Decorable):
    """Operations are recorded inside, also within `no_grad`."""

    fixed = True


class set_grad_enabled(_Mode):
    """Recording is switched on or off at once, and back again when used as a context manager."""

    def __init__(self, mode: bool) -> None:
        super().__init__(bool(mode))
        self._tokens.append(grad_mode.set(self.mode))

    def __enter__(self) -> Self:
        return self

    def __call__(self, function: F) -> F:
        grad_mode.reset(self._tokens.pop())
        return super().__call__(function)


class inference_mode(_Mode):
    """As `no_grad`: without a gradient nothing is kept, so there is no more to save.

    `inference_mode(False)` records, as in torch.
    """

    def __new__(cls, mode: Any = True) -> Any:
        self = super().__new__(cls)
        if not callable(mode):
            return self
        self.__init__(True)  # type: ignore[misc]
        return self(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)


def is_grad_enabled() -> bool:
    """Whether operations are recorded here and now."""
    return bool(grad_mode.get())


def is_inference_mode_enabled() -> bool:
    """Whether operations go unrecorded here and now; inference mode is `no_grad`."""
    return not grad_mode.get()
