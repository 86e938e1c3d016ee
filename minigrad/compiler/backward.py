"""Recording a backward: where a walk starts, where cotangents end, gradients that accumulate.

The rules of a walk are recorded one by one (see `record`); where it makes a graph of its own they
run on Tensors, and what they do is recorded as any other work is.
"""

from __future__ import annotations

import operator
from typing import Any

from minigrad import engine, inplace
from minigrad.backend import as_array
from minigrad.compiler.steps import Slot, Step
from minigrad.graph import Leaf, Traced


def walk(recorder: Any, frame: Any) -> None:
    """A walk begins: which slots its seeds have."""
    held = frame.f_locals
    if held["like"] is not None:
        # The rules run on Tensors: what they do is recorded as any other work is.
        recorder.walks.append(None)
        return
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
    if held["gradient"] is not None:
        return

    def done(_: Any, value: Any) -> None:
        if value is not None:
            array = value._array if isinstance(value, Traced) else value
            recorder.emit("constant", array, (), {}, array)
            recorder.constants.add(id(array))

    recorder.enter(frame, done)


def accumulate(recorder: Any, frame: Any) -> None:
    """A cotangent goes into the gradient of a leaf, which is read and set live."""
    held = frame.f_locals
    tensor, node, g = held["tensor"], held["node"], held["g"]
    known = id(tensor) in recorder.expected
    if type(node) is not Leaf or node.hooks or node.accumulated:
        recorder.refuse("a gradient has a hook", frame)
        return
    if getattr(g, "dtype", None) is None or g.dtype.kind != "f":
        recorder.refuse("a gradient is complex", frame)
        return
    if isinstance(g, Traced):
        recorder.refuse("a gradient that has a graph is stored, by create_graph=True", frame)
        return
    slot = recorder.resolve(g)
    if not known:
        _accumulate_within(recorder, frame, tensor, slot)
        return
    recorder.sync(tensor)
    recorder.trained[id(tensor)] = tensor

    def done(_: Any, value: Any) -> None:
        recorder.expected[id(tensor)] = tensor.grad
        if tensor.grad is not None:
            recorder.emit("store", tensor, (slot,), {}, tensor.grad._array)

    recorder.enter(frame, done)


def _accumulate_within(recorder: Any, frame: Any, tensor: Any, slot: Slot) -> None:
    """A cotangent goes into the gradient of a leaf that was made in the call."""
    previous = tensor.grad

    def done(_: Any, value: Any) -> None:
        if previous is None:
            recorder.emit("atomic", inplace.copied, (slot,), {}, tensor.grad._array)
        else:
            total = recorder.resolve(previous)
            recorder.steps.append(Step("effect", _add_into, (total, slot), {}, None))

    recorder.enter(frame, done)


def _add_into(total: Any, value: Any) -> None:
    total += value


def finish(recorder: Any, frame: Any) -> None:
    """A cotangent becomes the result of `grad()`."""
    g = frame.f_locals["g"]
    if isinstance(g, Traced):
        recorder.enter(frame, _done)
        return
    if getattr(g, "dtype", None) is None or g.dtype.kind != "f":
        recorder.refuse("a gradient is complex", frame)
        return
    slot = recorder.resolve(g)

    def done(_: Any, value: Any) -> None:
        if value is not None:
            recorder.emit("array", as_array, (slot,), {}, value._array)

    recorder.enter(frame, done)


def _done(frame: Any, value: Any) -> None:
    """What is done at the end of a function that does nothing with values."""


ENDS = {
    engine.walk.__code__: walk,
    engine.seed.__code__: seed,
    engine.accumulate.__code__: accumulate,
    engine.finish.__code__: finish,
}
