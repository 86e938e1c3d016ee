"""Functions that are recorded in their own way: writes, makers, predicates, the optimizer.

Each is called when the function begins, with the recorder and the function's frame.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any

from numpy import may_share_memory

from minigrad import inplace, mutation
from minigrad.backend import as_array, generic, is_array, ndarray
from minigrad.compiler import audit
from minigrad.compiler.backward import ENDS
from minigrad.compiler.guards import PLAIN
from minigrad.compiler.steps import Slot, Step
from minigrad.graph import Traced, wrap
from minigrad.ops import index
from minigrad.ops.creation import _like
from minigrad.ops.promotion import convert
from minigrad.optim.optimizer import Optimizer


def store(recorder: Any, frame: Any) -> None:
    """Values are assigned to a region of an array."""
    held = frame.f_locals
    args = tuple(recorder.resolve(held[name]) for name in ("array", "index", "raw"))
    recorder.written.append(held["array"])

    def done(_: Any, value: Any) -> None:
        recorder.steps.append(Step("effect", inplace._store, args, {}, None))

    recorder.enter(frame, done)


def touch(recorder: Any, frame: Any) -> None:
    """A change in place is noted, so that later backwards know of it."""
    held = frame.f_locals
    array, name = recorder.resolve(held["array"]), held["name"]
    line = held["line"] or line_of(frame).removeprefix(" at ")

    def done(_: Any, value: Any) -> None:
        recorder.steps.append(Step("effect", mutation.touch, (array, name, line), {}, None))

    recorder.enter(frame, done)


def atomic(recorder: Any, frame: Any) -> None:
    """A function on raw arrays that is replayed as it is."""
    function = audit.atomic.get(frame.f_code, convert)
    args = tuple(recorder.resolve(value) for value in _arguments(frame))

    def done(_: Any, value: Any) -> None:
        if value is None:
            recorder.steps.append(Step("effect", function, args, {}, None))
            return
        slot = recorder.emit("atomic", function, args, {}, value)
        if type(value) is tuple:
            for position, part in enumerate(value):
                recorder.emit("part", part_of, (slot, position), {}, part)

    recorder.enter(frame, done)


def converted(recorder: Any, frame: Any) -> None:
    """A raw array is brought to another dtype; a Tensor is by operations of its own."""
    if is_array(frame.f_locals["value"]):
        atomic(recorder, frame)


def opaque(recorder: Any, frame: Any) -> None:
    """A function of Tensors whose results need no gradient, called again on Tensors."""
    given, named = _given(frame)
    if frame.f_locals.get("num_classes") == -1:
        recorder.refuse("the number of classes of one_hot() depends on values", frame)
        return
    args = tuple(recorder.resolve(value) for value in given)
    named = {name: recorder.resolve(value) for name, value in named.items()}
    function = _opened(audit.opaque[frame.f_code])

    def done(_: Any, value: Any) -> None:
        if value is None:
            return
        parts = value if isinstance(value, tuple) else (value,)
        if any(not isinstance(part, Traced) or part._node is not None for part in parts):
            recorder.refuse(f"{function.__name__}() gives what requires a gradient", frame)
            return
        arrays = tuple(part._array for part in parts)
        slot = recorder.emit("atomic", function, args, named, arrays)
        for position, part in enumerate(arrays):
            recorder.emit("part", part_of, (slot, position), {}, part)

    recorder.enter(frame, done)


def _opened(function: Any) -> Any:
    """A function of Tensors as one of arrays that gives a tuple of arrays."""

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        value = function(*map(_traced, args), **{n: _traced(v) for n, v in named.items()})
        return tuple(part._array for part in (value if isinstance(value, tuple) else (value,)))

    return call


def _traced(value: Any) -> Any:
    like: Any = Traced
    return wrap(like, value) if is_array(value) else value


def like(recorder: Any, frame: Any) -> None:
    """A tensor of the shape of another is made."""
    if frame.f_locals["requires_grad"]:
        recorder.refuse("a tensor that requires a gradient is made", frame)
    args = tuple(recorder.resolve(value) for value in _arguments(frame))

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("maker", _like, args, {}, value._array)

    recorder.enter(frame, done)


def maker(recorder: Any, frame: Any) -> None:
    """A tensor is made from plain arguments."""
    function, code = audit.makers[frame.f_code], frame.f_code
    given, named = _given(frame)
    if named.get("requires_grad") or not all(
        _plain(value) or _is_watched(recorder, value) for value in (*given, *named.values())
    ):
        recorder.refuse(f"{code.co_name}() is given more than plain numbers", frame)
        return
    args = tuple(map(_copied, given))

    def done(_: Any, value: Any) -> None:
        if value is not None:
            slot = recorder.emit("maker", function, args, named, value._array)
            if function not in audit.drawing:
                recorder.fixed.add(slot.number)

    recorder.enter(frame, done)


def constant(recorder: Any, frame: Any) -> None:
    """An array is made of a Python number."""

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("constant", value, (), {}, value)
            recorder.constants.add(id(value))

    recorder.enter(frame, done)


def predicate(recorder: Any, frame: Any) -> None:
    """A question about inputs: where they are known ahead, a plan is taken only if it holds."""
    function = audit.predicates[frame.f_code]
    args = tuple(recorder.resolve(value) for value in _arguments(frame))
    slots = {slot for slot in args if isinstance(slot, Slot)}
    arrays = [value for value in frame.f_locals.values() if is_array(value)]
    changed = [*recorder.written, *(array for array, _, _ in recorder.journal.arrays.values())]
    written = any(_may_overlap(a, b) for a in arrays for b in changed)
    captured = {slot for _, slot in recorder.captured.values()}
    ahead = slots <= captured.union(recorder.inputs) and not written
    known = {slot.number for slot in slots} <= recorder.fixed and not written

    def done(_: Any, value: Any) -> None:
        if value is None:
            return
        if known:
            return
        if ahead:
            test = function if value else _denied(function)
            recorder.predicates.append(Step("predicate", test, args, {}, None))
        else:
            step = Step("effect", demand, (function, value, *args), {}, None)
            recorder.steps.append(step)

    recorder.enter(frame, done)


def _may_overlap(left: Any, right: Any) -> bool:
    if type(left) is ndarray and type(right) is ndarray:
        return may_share_memory(left, right)
    return mutation.owner(left) is mutation.owner(right)


class Departed(Exception):
    """A value is not what the recorded path was for."""


def demand(function: Any, answer: bool, *args: Any) -> None:
    """Raise Departed unless a predicate answers as it did."""
    if function(*args) is not answer:
        raise Departed


@functools.cache
def _on_tensors(function: Any) -> Any:
    """A function that is given arrays in place of Tensors."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return function(*map(_traced, args))

    return call


@functools.cache
def _denied(function: Any) -> Any:
    return lambda *args: not function(*args)


def constant_part(recorder: Any, frame: Any) -> None:
    """An item of an index: a list is a constant, a tensor of one element would be looked at."""
    item = frame.f_locals["item"]
    item = item._array if isinstance(item, Traced) else item
    if is_array(item) and not item.ndim:
        recorder.refuse("an index of one element is looked at", frame)
    if isinstance(item, (list, tuple)) and _holds_array(item):
        recorder.refuse("a list of tensors is used as an index", frame)


def _holds_array(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_array, value))
    return is_array(value) or isinstance(value, (Traced, generic))


def live(recorder: Any, frame: Any) -> None:
    """A function on parameters or an optimizer, called again with the same objects."""
    function, given = audit.live[frame.f_code], _arguments(frame)
    if function is Optimizer.step and given[1] is not None:
        # The closure is recorded as it runs, and the rest, from the first group on, after it.
        return
    if any(isinstance(value, FunctionType) for value in given):
        recorder.refuse(f"{function.__qualname__}() is given a closure", frame)
        return
    for tensor in recorder.tensors:
        recorder.sync(tensor)
    args = tuple(list(value) if isinstance(value, list) else value for value in given)
    if function in audit.steps:
        args = tuple(recorder.resolve(v) if isinstance(v, Traced) else v for v in args)
        function = _on_tensors(function)
    _call_again(recorder, frame, function, args)


def group(recorder: Any, frame: Any) -> None:
    """The step of an optimizer after its closure: as one without, which returns its loss."""
    step = frame.f_back
    for tensor in recorder.tensors:
        recorder.sync(tensor)
    _call_again(recorder, step, Optimizer.step, (step.f_locals["self"],), step.f_locals["loss"])


def _call_again(
    recorder: Any, frame: Any, function: Any, args: tuple[Any, ...], known: Any = None
) -> None:
    def done(_: Any, value: Any) -> None:
        value = None if value is known else value
        result = value._array if isinstance(value, Traced) else None
        recorder.emit("live", function, args, {}, object() if result is None else result)
        if value is not None and result is None:
            recorder.refuse(f"{function.__qualname__}() returned a {type(value).__name__}")
        for tensor in recorder.tensors:
            grad = vars(tensor).get("grad")
            before, recorder.expected[id(tensor)] = recorder.expected[id(tensor)], grad
            if grad is not before:
                recorder.trained[id(tensor)] = tensor

    recorder.enter(frame, done)


def part_of(value: Any, position: int) -> Any:
    """One array of a tuple of results."""
    return as_array(value[position])


def _given(frame: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a function as it was called."""
    code, held = frame.f_code, frame.f_locals
    given: list[Any] = [held[n] for n in code.co_varnames[: code.co_argcount]]
    first = code.co_argcount
    named = {n: held[n] for n in code.co_varnames[first : first + code.co_kwonlyargcount]}
    rest = first + code.co_kwonlyargcount
    if code.co_flags & 0x04:
        given += held[code.co_varnames[rest]]
        rest += 1
    if code.co_flags & 0x08:
        named.update(held[code.co_varnames[rest]])
    return given, named


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return isinstance(value, (*PLAIN, type)) or audit.is_generator(value)


def _is_watched(recorder: Any, value: Any) -> bool:
    return any(value is array for array, _ in recorder.watch.arrays)


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _arguments(frame: Any) -> list[Any]:
    code, held = frame.f_code, frame.f_locals
    return [held[name] for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]


def line_of(frame: Any) -> str:
    """Where in the user's code a frame was called from."""
    while frame is not None and (audit.ours(frame.f_code) or audit.serves(frame)):
        frame = frame.f_back
    return "" if frame is None else f" at {frame.f_code.co_filename}:{frame.f_lineno}"


SPECIAL: dict[Any, Callable[[Any, Any], None]] = {
    **ENDS,
    inplace._store.__code__: store,
    mutation.touch.__code__: touch,
    _like.__code__: like,
    convert.__code__: converted,
    index._item.__code__: constant_part,
    index._positions.__code__: constant_part,
    **dict.fromkeys(audit.atomic, atomic),
    **dict.fromkeys(audit.opaque, opaque),
    **dict.fromkeys(audit.live, live),
    Optimizer._step_group.__code__: group,
    **dict.fromkeys(audit.makers, maker),
    **dict.fromkeys(audit.predicates, predicate),
    **dict.fromkeys(audit.constants, constant),
}


def admit(atoms: Iterable[Any] = (), predicates: Iterable[Any] = ()) -> None:
    """Let functions of a face be recorded as those that are listed in `audit`."""
    for functions, listed, begin in (
        (atoms, audit.atomic, atomic),
        (predicates, audit.predicates, predicate),
    ):
        for function in functions:
            listed[function.__code__] = function
            SPECIAL[function.__code__] = begin
