"""Functions that are recorded in their own way: the walk's ends, writes, makers, the optimizer.

Each is called when the function begins, with the recorder and the function's frame.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import FunctionType
from typing import Any

from numpy import may_share_memory

from minigrad import engine, inplace, mutation
from minigrad.backend import as_array, ndarray
from minigrad.compiler import audit
from minigrad.compiler.guards import PLAIN
from minigrad.compiler.plan import Slot, Step
from minigrad.graph import Leaf, Traced
from minigrad.ops.creation import _like


def walk(recorder: Any, frame: Any) -> None:
    """A walk begins: which slots its seeds have."""
    held = frame.f_locals
    if held["like"] is not None:
        recorder.refuse("derivatives of derivatives are taken", frame)
    mirror: dict[Any, Any] = {}
    for node, g in held["seeds"]:
        slot = recorder.resolve(g)
        if node in mirror:
            slot = recorder.emit("add", operator.add, (mirror[node], slot), {}, object())
        mirror[node] = slot
    recorder.walks.append(mirror)


def seed(recorder: Any, frame: Any) -> None:
    """The cotangent that a walk starts with; a one is a constant."""
    held = frame.f_locals
    if held["create_graph"]:
        recorder.refuse("derivatives of derivatives are taken", frame)
    if held["gradient"] is not None:
        return

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("constant", value, (), {}, value)
            recorder.constants.add(id(value))

    recorder.enter(frame, done)


def accumulate(recorder: Any, frame: Any) -> None:
    """A cotangent goes into the gradient of a leaf, which is read and set live."""
    held = frame.f_locals
    tensor, node, g = held["tensor"], held["node"], held["g"]
    known = id(tensor) in recorder.expected
    if type(node) is not Leaf or not known or node.hooks or node.accumulated:
        recorder.refuse("a gradient has a hook, or goes to a tensor made in the call", frame)
        return
    if getattr(g, "dtype", None) is None or g.dtype.kind != "f":
        recorder.refuse("a gradient is complex", frame)
        return
    recorder.sync(tensor)
    recorder.trained[id(tensor)] = tensor
    slot = recorder.resolve(g)

    def done(_: Any, value: Any) -> None:
        recorder.expected[id(tensor)] = tensor.grad
        if tensor.grad is not None:
            recorder.emit("store", tensor, (slot,), {}, tensor.grad._array)

    recorder.enter(frame, done)


def finish(recorder: Any, frame: Any) -> None:
    """A cotangent becomes the result of `grad()`."""
    g = frame.f_locals["g"]
    if getattr(g, "dtype", None) is None or g.dtype.kind != "f":
        recorder.refuse("a gradient is complex", frame)
        return
    slot = recorder.resolve(g)

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("array", as_array, (slot,), {}, value._array)

    recorder.enter(frame, done)


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
    function = audit.atomic[frame.f_code]
    args = tuple(recorder.resolve(value) for value in _arguments(frame))

    def done(_: Any, value: Any) -> None:
        slot = recorder.emit("atomic", function, args, {}, value)
        if type(value) is tuple:
            for position, part in enumerate(value):
                recorder.emit("part", part_of, (slot, position), {}, part)

    recorder.enter(frame, done)


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
    function, code, held = audit.makers[frame.f_code], frame.f_code, frame.f_locals
    given: list[Any] = [held[n] for n in code.co_varnames[: code.co_argcount]]
    first = code.co_argcount
    named = {n: held[n] for n in code.co_varnames[first : first + code.co_kwonlyargcount]}
    rest = first + code.co_kwonlyargcount
    if code.co_flags & 0x04:
        given += held[code.co_varnames[rest]]
        rest += 1
    if code.co_flags & 0x08:
        named.update(held[code.co_varnames[rest]])
    if named.get("requires_grad") or not all(map(_plain, (*given, *named.values()))):
        recorder.refuse(f"{code.co_name}() is given more than plain numbers", frame)
        return
    args = tuple(map(_copied, given))

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("maker", function, args, named, value._array)

    recorder.enter(frame, done)


def constant(recorder: Any, frame: Any) -> None:
    """An array is made of a Python number."""

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("constant", value, (), {}, value)
            recorder.constants.add(id(value))

    recorder.enter(frame, done)


def predicate(recorder: Any, frame: Any) -> None:
    """A question about the inputs: a replay asks it first, and goes on only if it holds."""
    function = audit.predicates[frame.f_code]
    args = tuple(recorder.resolve(value) for value in _arguments(frame))
    fixed = {slot for slot in args if isinstance(slot, Slot)} <= set(recorder.inputs)
    arrays = [value for value in frame.f_locals.values() if isinstance(value, ndarray)]
    if not fixed or any(may_share_memory(a, b) for a in arrays for b in recorder.written):
        recorder.refuse(f"{function.__name__}() is asked of a value computed in the call", frame)
        return

    def done(_: Any, value: Any) -> None:
        if not value:
            recorder.refuse(f"{function.__name__}() says no")
        recorder.predicates.append(Step("predicate", function, args, {}, None))

    recorder.enter(frame, done)


def live(recorder: Any, frame: Any) -> None:
    """A function on parameters or an optimizer, called again with the same objects."""
    function, given = audit.live[frame.f_code], _arguments(frame)
    if any(isinstance(value, FunctionType) for value in given):
        recorder.refuse(f"{function.__qualname__}() is given a closure", frame)
        return
    for tensor in recorder.tensors:
        recorder.sync(tensor)
    args = tuple(list(value) if isinstance(value, list) else value for value in given)

    def done(_: Any, value: Any) -> None:
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


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return isinstance(value, (*PLAIN, type)) or audit.is_generator(value)


def _copied(value: Any) -> Any:
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _arguments(frame: Any) -> list[Any]:
    code, held = frame.f_code, frame.f_locals
    return [held[name] for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]


def line_of(frame: Any) -> str:
    """Where in the user's code a frame was called from."""
    while frame is not None and audit.ours(frame.f_code):
        frame = frame.f_back
    return "" if frame is None else f" at {frame.f_code.co_filename}:{frame.f_lineno}"


SPECIAL: dict[Any, Callable[[Any, Any], None]] = {
    engine.walk.__code__: walk,
    engine.seed.__code__: seed,
    engine.accumulate.__code__: accumulate,
    engine.finish.__code__: finish,
    inplace._store.__code__: store,
    mutation.touch.__code__: touch,
    _like.__code__: like,
    **dict.fromkeys(audit.atomic, atomic),
    **dict.fromkeys(audit.live, live),
    **dict.fromkeys(audit.makers, maker),
    **dict.fromkeys(audit.predicates, predicate),
    **dict.fromkeys(audit.constants, constant),
}
