"""In-place changes of shape: the tensor becomes a view of its own memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from minigrad.graph import is_recording, wrap
from minigrad.inplace import check_writable


def restride(function: Callable[..., Any]) -> Callable[..., Any]:
    """The in-place method made from an operation that gives a view: `squeeze_`, `transpose_`.

    The tensor takes the shape and the node of the view. Other views of it keep theirs, of a base
    that stays behind with the old shape.
    """
    name = function.__name__ + "_"

    @functools.wraps(function)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if is_recording():
            check_writable(self, name)
        old = wrap(self, self._array, self._node)
        old._base, old._view, old._views = self._base, self._view, self._views
        result = function(old, *args, **kwargs)
        self._array = result._array
        if is_recording():
            self._node = result._node
        if old._base is not None or old._views is not None:
            _attach(self, old, result)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"In-place version of `{function.__name__}`: no element moves in memory."
    return method


def _attach(tensor: Any, old: Any, result: Any) -> None:
    """Make the tensor the view that `result` is, and `old` the base of the views that it had."""
    for other in old._views or ():
        other._base = old if other._base is tensor else other._base
    tensor._base, tensor._view, tensor._views = result._base, result._view, None
    if tensor._base is not None and tensor._base._views is not None:
        tensor._base._views.add(tensor)
