"""Undoing a call that failed: parameters, gradients, statistics, optimizers, generators.

A `Journal` is written while a call is recorded; `Undo` is what it teaches about the replays of the
plan: what they must save first, so that one that stops midway leaves the state as it was.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from minigrad import engine, inplace
from minigrad.backend import is_array
from minigrad.backend.random import Generator
from minigrad.compiler import audit
from minigrad.compiler.steps import Slot
from minigrad.graph import Traced
from minigrad.mutation import owner
from minigrad.nn import utils as clipping
from minigrad.ops import embedding, norm
from minigrad.optim.optimizer import Optimizer

_SURE = frozenset(
    {
        "rule", "sum", "add", "part", "list", "constant", "store", "forget", "maker", "array",
        "write",
    }
)  # fmt: skip
_OF_GRADIENT = ("store", "forget", "live")


def may_fail(step: Any) -> bool:
    """Whether a step can fail, or give the plan up, for some values of its inputs."""
    if step.kind in ("forward", "forwards"):
        if step.function.kind.view:
            # Whether there is such a view is a matter of shapes, but for indices in arrays.
            return _holds_slot((*step.args[1:], *step.named.values()))
        module: str = step.function.forward.__module__
        return module.rpartition(".")[2] not in audit.SURE_OPERATIONS
    return step.kind not in _SURE and inspect.unwrap(step.function) not in audit.sure


def _holds_slot(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(_holds_slot, value))
    return isinstance(value, Slot)


class Journal:
    """What a call that is being recorded changes, each thing as it was before its first change."""

    def __init__(self) -> None:
        self.arrays: dict[int, tuple[Any, Any, int]] = {}
        self.objects: dict[int, tuple[Any, Any, int]] = {}
        self.generators: dict[int, tuple[Any, Any]] = {}
        self.accumulated: dict[int, Any] = {}
        self.settled: set[int] = set()

    def see(self, frame: Any, position: int) -> None:
        """A function that changes something begins, as step number `position`."""
        held, code = frame.f_locals, frame.f_code
        if code is Generator._draw.__code__:
            generator = held["self"]
            if id(generator) not in self.generators:
                self.generators[id(generator)] = (generator, generator.get_state())
        elif code is engine.accumulate.__code__:
            self._gradient(held["tensor"], position)
        elif code in _OF_GRADIENTS:
            for tensor in held["parameters"]:
                self._gradient(tensor, position)
        elif code in _OF_OBJECTS:
            thing = held["self"]
            self.objects.setdefault(id(thing), (thing, frozen(thing), position))
            for group in thing.param_groups if isinstance(thing, Optimizer) else ():
                for tensor in group["params"]:
                    self._array(tensor, position)
        elif code is Optimizer.zero_grad.__code__:
            if held["set_to_none"]:
                for group in held["self"].param_groups:
                    self.settled.update(map(id, group["params"]))
        else:
            self._array(held[_WRITERS[code]], position)

    def _gradient(self, tensor: Any, position: int) -> None:
        if id(tensor) not in self.settled:
            self.accumulated[id(tensor)] = tensor
        if tensor.grad is not None:
            self._array(tensor.grad, position)

    def _array(self, value: Any, position: int) -> None:
        array = value._array if isinstance(value, Traced) else value
        if is_array(array) and id(array) not in self.arrays:
            self.arrays[id(array)] = (array, array.copy(), position)

    def restore(self, before: list[tuple[Any, Any, Any]], gradients: dict[int, Any]) -> None:
        """Put everything back, the tensors' own arrays, nodes and gradients included."""
        for array, copy, _ in self.arrays.values():
            array[...] = copy
        for tensor, array, node in before:
            tensor._array = array
            tensor._node = node
            tensor.grad = gradients[id(tensor)]
        for thing, state, _ in self.objects.values():
            thaw(thing, state)
        for generator, state in self.generators.values():
            generator.set_state(state)


_WRITERS = {
    inplace.update.__code__: "tensor",
    inplace._store.__code__: "array",
    norm.move_statistic.__code__: "running",
    embedding._limit_norms.__code__: "table",
}
_OF_GRADIENTS = {clipping.clip_norm.__code__, clipping.clip_values.__code__}
_OF_OBJECTS = {step.__code__ for step in (Optimizer.step, *audit.steps)}
# By identity: a code object's hash takes longer than most functions that are called.
CHANGERS = frozenset(
    map(
        id,
        {
            *_WRITERS, *_OF_GRADIENTS, *_OF_OBJECTS, Generator._draw.__code__,
            engine.accumulate.__code__, Optimizer.zero_grad.__code__,
        },
    )
)  # fmt: skip


_NOTHING: Any = ((), (), (), ())


class Undo:
    """What the replays of one plan save before they run."""

    def __init__(self, recorder: Any) -> None:
        journal = recorder.journal
        last = max((n for n, step in enumerate(recorder.steps) if may_fail(step)), default=-1)
        # To hold a gradient is to keep the next one from its memory.
        moved = any(step.kind in _OF_GRADIENT for step in recorder.steps[: last + 1])
        self.trained = list(recorder.trained.values()) if moved else []
        self.accumulated = [t for t in journal.accumulated.values() if moved]
        self.generators = [g for g, _ in journal.generators.values() if last >= 0]
        self.objects = [thing for thing, _, at in journal.objects.values() if at < last]
        written = {id(owner(array)) for array, _, at in journal.arrays.values() if at < last}
        self.inputs = [
            number for number, array in enumerate(recorder.given) if id(owner(array)) in written
        ]
        reached = {id(t): t for t in (*recorder.watch.tensors, *recorder.leaves)}
        reached.update((id(t), t) for t, _ in recorder.captured.values())
        self.tensors = [t for t in reached.values() if id(owner(t._array)) in written]
        self.little = not (self.accumulated or self.generators or self.objects
                           or self.inputs or self.tensors)  # fmt: skip
        self.nothing = self.little and not self.trained

    def save(self, arrays: Sequence[Any]) -> Any:
        """What `restore` needs."""
        if self.nothing:
            return _NOTHING
        gradients = [tensor.grad for tensor in self.trained]
        if self.little:
            return gradients, (), (), ()
        changed = [tensor._array for tensor in self.tensors]
        changed += [arrays[number] for number in self.inputs]
        changed += [t.grad._array for t in self.accumulated if t.grad is not None]
        return (
            gradients,
            [(array, array.copy()) for array in changed],
            [(generator, generator.get_state()) for generator in self.generators],
            [(thing, frozen(thing)) for thing in self.objects],
        )

    def restore(self, saved: Any) -> None:
        """Put back what was saved."""
        gradients, copies, states, objects = saved
        for tensor, gradient in zip(self.trained, gradients, strict=True):
            tensor.grad = gradient
        for array, copy in copies:
            array[...] = copy
        for generator, state in states:
            generator.set_state(state)
        for thing, state in objects:
            thaw(thing, state)


def frozen(thing: Any) -> Any:
    """The state of an optimizer or a schedule, and its groups' options."""
    optimizer = thing if isinstance(thing, Optimizer) else thing.optimizer
    fields = {
        name: value.copy() if type(value) in (list, dict) else value
        for name, value in vars(thing).items()
        if name not in ("state", "param_groups", "optimizer", "_families")
    }
    groups = [dict(group) for group in optimizer.param_groups]
    if thing is not optimizer:
        return fields, groups, None
    state = {
        parameter: {name: value.copy() if is_array(value) else value for name, value in own.items()}
        for parameter, own in optimizer.state.items()
    }
    return fields, groups, state


def thaw(thing: Any, saved: Any) -> None:
    """Give an optimizer or a schedule the state that `frozen` took."""
    fields, groups, state = saved
    optimizer = thing if isinstance(thing, Optimizer) else thing.optimizer
    for name in set(vars(thing)) - set(fields):
        if name not in ("state", "param_groups", "optimizer", "_families"):
            delattr(thing, name)
    vars(thing).update(fields)
    for group, options in zip(optimizer.param_groups, groups, strict=False):
        group.clear()
        group.update(options)
    if state is not None:
        optimizer.state.clear()
        optimizer.state.update(state)
        optimizer._families.clear()
