"""What in-place work must remember: which buffers changed and when, and who views whom.

Every node and every change takes a tick of one clock. A backward that meets a kept array whose
buffer changed after the node was made refuses, naming the operation and the line that changed it.
"""

from __future__ import annotations

import itertools
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.errors import GraphError

tick = itertools.count(-1, -1).__next__
"""The next time stamp; stamps fall, so that the newest is the smallest."""


class Clock:
    """The stamp of the newest change to any buffer; 0 before the first."""

    latest = 0


class Change:
    """One buffer's newest change: when, by which operation, at which line of whose file."""

    __slots__ = ("buffer", "count", "line", "name", "stamp")

    def __init__(self, buffer: Any, forget: Callable[[Any], None]) -> None:
        self.buffer = weakref.ref(buffer, forget)
        self.count = 0
        self.stamp = 0
        self.name = ""
        self.line = ""


_changes: dict[int, Change] = {}


def owner(array: Any) -> Any:
    """The array at the bottom of a chain of views: the one that owns the buffer."""
    kind = type(array)
    while type(array.base) is kind:
        array = array.base
    return array


def touch(array: Any, name: str, line: str | None = None) -> None:
    """Note that an array's buffer was changed in place by the operation `name`, called at `line`.

    Whoever changes many arrays asks for the line once, by `caller()`.
    """
    renew((change_of(array),), name, caller() if line is None else line)


def renew(changes: Iterable[Change], name: str, line: str) -> None:
    """Note that the buffers of several changes were changed again, by one operation."""
    stamp = Clock.latest = tick()
    for change in changes:
        change.count += 1
        change.stamp = stamp
        change.name = name
        change.line = line


def change_of(array: Any) -> Change:
    """The newest change to an array's buffer, made if there was none; it lives with the buffer."""
    buffer = owner(array)
    key = id(buffer)
    change = _changes.get(key)
    if change is None or change.buffer() is not buffer:
        change = _changes[key] = Change(buffer, _forget(key))
    return change


def move(array: Any, place: Any) -> None:
    """Note that what was in one array lives in another from now on: the versions count on."""
    count = version(array)
    if count:
        change_of(place).count = count


def _forget(key: int) -> Callable[[Any], None]:
    """What to do when the buffer of a change is freed."""

    def forget(reference: Any) -> None:
        _changes.pop(key, None)

    return forget


def version(array: Any) -> int:
    """How often the array's buffer has been changed in place."""
    buffer = owner(array)
    change = _changes.get(id(buffer))
    return change.count if change is not None and change.buffer() is buffer else 0


def caller() -> str:
    """The line outside of minigrad that led here."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("minigrad") and "op" not in frame.f_globals:
            break
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def check(node: Any) -> None:
    """Raise GraphError if an array that the node keeps was changed after the node was made."""
    for _, _, kept, _ in node.edges:
        for value in kept:
            # An index is a tuple that may hold arrays.
            for part in value if type(value) is tuple else (value,):
                if hasattr(part, "base") and hasattr(part, "dtype"):
                    _check_array(node, part)


def _check_array(node: Any, array: Any) -> None:
    buffer = owner(array)
    change = _changes.get(id(buffer))
    if change is None or change.buffer() is not buffer or change.stamp > node.order:
        return
    raise GraphError(
        f"backward through {node.op.name}(): a value of shape {list(array.shape)} that it keeps "
        f"for its gradient was changed in place afterwards, by {change.name}() at {change.line}; "
        f"use the out-of-place operation there, or clone() the tensor before changing it"
    )


def link(
    result: Any, source: Any, call: Callable[..., Any], rest: Any, constants: dict[str, Any]
) -> None:
    """Note that `result` is a view of `source`, made by `call(source, *rest, **constants)`."""
    out, array = result._array, source._array
    if out.base is not array and (out.base is None or out.base is not array.base):
        return
    base = source._base
    if base is None:
        base = source
        chain: Any = ((call, rest, constants),)
    elif source._view is None:
        chain = None
    else:
        chain = (*source._view, (call, rest, constants))
    if result._node is None and base._node is not None:
        chain = None
    result._base = base
    result._view = chain
    if chain is None:
        return
    views = base._views
    if views is None:
        views = base._views = Views()
    views.add(result)


class Views:
    """The live views of a base, held weakly; dead ones are dropped as the list grows."""

    __slots__ = ("limit", "references")

    def __init__(self) -> None:
        self.references: list[weakref.ref[Any]] = []
        self.limit = 16

    def add(self, tensor: Any) -> None:
        """Hold one more view."""
        self.references.append(weakref.ref(tensor))
        if len(self.references) > self.limit:
            self.references = [r for r in self.references if r() is not None]
            self.limit = 2 * len(self.references) + 16

    def __iter__(self) -> Any:
        return (tensor for r in self.references if (tensor := r()) is not None)
