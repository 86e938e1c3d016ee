"""Reading a pickle without running it: a machine for the instructions that describe data.

A pickle is a program. This machine knows those of its instructions that build numbers, strings
and containers; a name of a class or function is looked up in a table of what is admitted and is
never imported, and only functions of that table are called. What else a pickle asks for is an
error that names it.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

__all__ = ["Admitted", "Unreadable", "checked_key", "unpickle"]


class Unreadable(ValueError):
    """A file is damaged, is of another kind, or asks for something that is no data."""


class Admitted:
    """What a name that a pickle may use stands for: how it is called, what it is as a value."""

    __slots__ = ("call", "value")

    def __init__(self, call: Callable[..., Any] | None = None, *, value: Any = None) -> None:
        self.call = call
        self.value = value


class _Mark:
    """Where a container's elements begin on the stack."""


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_SET": set, "EMPTY_TUPLE": tuple,
}  # fmt: skip
_VALUES = frozenset(
    {
        "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE",
        "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    }
)  # fmt: skip
_IGNORED = frozenset({"PROTO", "FRAME"})
_FIXED_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
# Python hashes nested tuples by recursion, without a check of its own.
_DEEPEST_KEY = 8
_KEYS = (str, int, float, complex, bytes, type(None))


def unpickle(
    source: BinaryIO,
    admitted: Mapping[str, Admitted],
    builders: Mapping[type, Callable[[Any, Any], None]],
    persistent: Callable[[Any], Any],
    reason: Callable[[str], str],
) -> Any:
    """The object that the pickle at the file's position describes.

    `admitted` holds the names that it may use, as `"module name"`; `builders` gives the objects of
    a class their state; `persistent` gives the object for a reference to something outside the
    pickle; `reason` says why a name is refused. Raises Unreadable.
    """
    machine = _Machine(admitted, builders, persistent, reason)
    instructions = pickletools.genops(source)
    while True:
        try:
            instruction, argument, _ = next(instructions)
        except (StopIteration, ValueError, MemoryError, OverflowError, EOFError) as error:
            raise Unreadable(f"its pickle is damaged or cut short ({error})") from error
        if instruction.name == "STOP":
            return machine.result()
        try:
            machine.execute(instruction.name, argument)
        except Unreadable:
            raise
        except (IndexError, KeyError, TypeError, ValueError, OverflowError) as error:
            raise Unreadable(
                f"its pickle is damaged: {instruction.name} does not fit what came before ({error})"
            ) from error


class _Machine:
    """The stack and the memo of a pickle that is being read."""

    def __init__(
        self,
        admitted: Mapping[str, Admitted],
        builders: Mapping[type, Callable[[Any, Any], None]],
        persistent: Callable[[Any], Any],
        reason: Callable[[str], str],
    ) -> None:
        self.admitted = admitted
        self.builders = builders
        self.persistent = persistent
        self.reason = reason
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        if len(self.stack) != 1:
            raise Unreadable("its pickle is damaged: it does not end with one object")
        return self.plain(self.stack[0])

    def execute(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self.stack.append(_EMPTY[name]())
        elif name in _FIXED_TUPLES:
            count = _FIXED_TUPLES[name]
            if len(self.stack) < count:
                raise IndexError("the stack is too short")
            self.stack[-count:] = [tuple(map(self.plain, self.stack[-count:]))]
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name not in _IGNORED:
            step = _STEPS.get(name)
            if step is None:
                raise Unreadable(f"its pickle uses the instruction {name}, which is not for data")
            step(self, argument)

    def plain(self, value: Any) -> Any:
        """The value itself; for an admitted name, the value that it stands for."""
        if value is _Mark:
            raise IndexError("a mark stands where a value should")
        if isinstance(value, Admitted):
            if value.value is None:
                raise TypeError("a class or function stands where a value should")
            return value.value
        return value

    def pop(self) -> Any:
        return self.plain(self.stack.pop())

    def since_mark(self) -> list[Any]:
        found: list[Any] = []
        while (value := self.stack.pop()) is not _Mark:
            found.append(self.plain(value))
        found.reverse()
        return found

    def mark(self, _: Any) -> None:
        self.stack.append(_Mark)

    def tuple(self, _: Any) -> None:
        self.stack.append(tuple(self.since_mark()))

    def append(self, _: Any) -> None:
        value = self.pop()
        self.list().append(value)

    def appends(self, _: Any) -> None:
        values = self.since_mark()
        self.list().extend(values)

    def list(self) -> Any:
        if type(self.stack[-1]) is not list:
            raise TypeError("the target is no list")
        return self.stack[-1]

    def set_item(self, _: Any) -> None:
        value = self.pop()
        key = self.pop()
        self.mapping()[checked_key(key)] = value

    def set_items(self, _: Any) -> None:
        values = self.since_mark()
        target = self.mapping()
        if len(values) % 2:
            raise TypeError("a key has no value")
        target.update(zip(map(checked_key, values[::2]), values[1::2]))

    def mapping(self) -> Any:
        if not isinstance(self.stack[-1], dict):
            raise TypeError("the target is no dict")
        return self.stack[-1]

    def add_items(self, _: Any) -> None:
        values = self.since_mark()
        if type(self.stack[-1]) is not set:
            raise TypeError("the target is no set")
        self.stack[-1].update(map(checked_key, values))

    def global_name(self, argument: Any) -> None:
        self.stack.append(self.look_up(argument))

    def stack_global(self, _: Any) -> None:
        name = self.pop()
        self.stack.append(self.look_up(f"{self.pop()} {name}"))

    def look_up(self, spelled: str) -> Admitted:
        found = self.admitted.get(spelled)
        if found is None:
            raise Unreadable(self.reason(spelled))
        return found

    def call(self, _: Any) -> None:
        arguments = self.pop()
        function = self.stack.pop()
        if type(function) is not Admitted or function.call is None or type(arguments) is not tuple:
            raise TypeError("what is called is no function")
        self.stack.append(function.call(*arguments))

    def build(self, _: Any) -> None:
        state = self.pop()
        target = self.plain(self.stack[-1])
        for kind, builder in self.builders.items():
            if isinstance(target, kind):
                builder(target, state)
                return
        raise TypeError(f"a {type(target).__name__} has no state")

    def reference(self, _: Any) -> None:
        self.stack.append(self.persistent(self.pop()))

    def drop(self, _: Any) -> None:
        self.stack.pop()


def checked_key(key: Any, depth: int = 0) -> Any:
    """The key of a dict or element of a set, where it is a number, a string or a tuple of them."""
    if type(key) is tuple and depth < _DEEPEST_KEY:
        for element in key:
            checked_key(element, depth + 1)
    elif not isinstance(key, _KEYS):
        raise TypeError(f"a {type(key).__name__} is no key")
    return key


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "ADDITEMS": _Machine.add_items,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "BINPERSID": _Machine.reference,
    "BUILD": _Machine.build,
    "GLOBAL": _Machine.global_name,
    "MARK": _Machine.mark,
    "NEWOBJ": _Machine.call,
    "POP": _Machine.drop,
    "REDUCE": _Machine.call,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "STACK_GLOBAL": _Machine.stack_global,
    "TUPLE": _Machine.tuple,
}
