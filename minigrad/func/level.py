"""A transform that runs: how it takes a primitive's call, and where the work below it is done."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

from minigrad import specialise
from minigrad.backend import as_array, is_array, levels
from minigrad.errors import GraphError
from minigrad.func.lifted import Array
from minigrad.graph import Traced, grad_mode, variadic, wrap

__all__ = ["Level", "as_tensor", "lifted_to_innermost", "lowered"]


class Level:
    """One transform that is on. Its subclasses say what a primitive does to their arrays."""

    name = "transform"

    def __init__(self) -> None:
        self.below = levels.stack.get()
        self.depth = len(self.below) + 1
        self.mode = bool(grad_mode.get())
        self.ended = False

    @contextlib.contextmanager
    def running(self) -> Iterator[Any]:
        """The level is the innermost one inside, and over afterwards."""
        token = levels.stack.set((*self.below, self))
        levels.LEVELS.append(self)
        try:
            yield self
        finally:
            levels.LEVELS.remove(self)
            levels.stack.reset(token)
            self.ended = True

    @contextlib.contextmanager
    def underneath(self) -> Iterator[None]:
        """Inside, work is done as it would be outside of this level.

        It is recorded as it was when the level began, unless recording was switched off since: a
        walk back through a graph of this level does not hide its work from the graphs below.
        """
        mode = grad_mode.get()
        token = levels.stack.set(self.below)
        token_of_mode = grad_mode.set(self.mode and mode is not False)
        try:
            yield
        finally:
            grad_mode.reset(token_of_mode)
            levels.stack.reset(token)

    # What a level has to say.

    def constant(self, value: Traced) -> Array:
        """A tensor of a level below as an array of this one."""
        raise NotImplementedError

    def run(self, op: Any, call: Any, arrays: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """The result of a primitive on arrays of this level, numbers and None."""
        raise NotImplementedError

    # A primitive's call.

    def apply(self, op: Any, call: Any, inputs: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """What the primitive gives, recorded on this level where one of its inputs is."""
        if self.ended:
            raise GraphError(
                f"{op.name}(): a tensor that was made inside of {self.name}() is used after it "
                f"ended; return it from the transformed function"
            )
        lifted = tuple(self.lift(value) for value in inputs)
        function = _raised.get(op)
        if function is None:

            def forward(xp: Any, *arrays: Any, **constants: Any) -> Any:
                level = levels.highest((arrays, constants))
                return level.run(op, call, tuple(level.lift(a) for a in arrays), constants)

            function = _raised[op] = _raise(op, call, forward)
        return function(*lifted, **constants)

    def lift(self, value: Any) -> Any:
        """A tensor or array as one of this level; numbers and the like stay as they are."""
        if isinstance(value, Traced):
            array = value._array
            if isinstance(array, Array) and array.level is self:
                return value
            return wrap(value, self.constant(value))
        if isinstance(value, Array):
            return value if value.level is self else self.constant(as_tensor(value))
        return self.constant(as_tensor(value)) if is_array(value) else value


def _raise(op: Any, call: Any, forward: Callable[..., Any]) -> Callable[..., Any]:
    """The public function of an operation inside a transform, whose `forward` takes `Lifted`s.

    It records on the transform's own level what `call` records outside of it.
    """
    if op.variadic:
        return variadic(op, forward)
    names = {"LEVELS": (), "WIDE": math.inf, "forward": forward, "namespace": _none}
    return specialise.raised(op, call, names)


def _none(*args: Any, **kwargs: Any) -> None:
    """What stands for the array module inside a transform, whose forward needs none."""


_raised: dict[Any, Any] = {}


def as_tensor(value: Any) -> Any:
    """A Tensor itself; a raw array in a Tensor."""
    if isinstance(value, Traced):
        return value
    tensor = object.__new__(Traced._tensor)
    tensor._array = as_array(value)
    tensor._node = None
    return tensor


def lifted_to_innermost(tensor: Any) -> Any:
    """A tensor as one of the innermost level: what it was made of below stays there."""
    level = levels.innermost()
    return tensor if level is None else level.lift(tensor)


def lowered(value: Any, level: Level) -> Any:
    """Raw arrays of a level, alone or in tuples, lists and dicts, as those of the level below."""
    if isinstance(value, Array):
        return value.value._array if value.level is level else value
    if isinstance(value, (tuple, list)):
        return type(value)([lowered(part, level) for part in value])
    if isinstance(value, dict):
        return {key: lowered(part, level) for key, part in value.items()}
    return value
