"""A plan on a device as a graph: recorded once by the device, launched as a whole in each call.

What is pure work on arrays becomes the graph, between buffers of its own: the arguments are copied
into some before each launch, results and gradients out of others after it. The rest, which has
numbers or Python state of each call (gradients, versions, schedules, the optimizer's step), is done
after the launch. What cannot be parted so, or the device does not let be recorded, stays as it is.
"""

from __future__ import annotations

import threading
from typing import Any

from minigrad.backend import as_array, backend_of, is_array, ndarray
from minigrad.compiler.gradients import freed, store
from minigrad.compiler.steps import Slot
from minigrad.graph import Traced, wrap
from minigrad.mutation import owner, touch
from minigrad.ops.creation import full, ones, zeros
from minigrad.optim.optimizer import Optimizer

WARM = 2
"""Replays of a plan before it is captured: kernels are compiled and loaded by then."""

REMADE = 8
"""Graphs made of one plan, each after tensors that it reads got other memory."""

_BOOKKEEPING = ("store", "forget", "live")
_PURE = ("sum", "add", "part", "array", "write", "constant", "list")
_MAKERS = (zeros, ones, full)

# Families of operations whose work on a device is kernels alone: nothing that waits for a result.
_KERNELS = frozenset(
    {
        "activation", "compare", "dropout", "elementwise", "error_function", "expand", "functions",
        "fused", "join", "loss", "moments", "norm", "normalise", "norms", "pad", "piecewise",
        "power", "probabilities", "promotion", "rearrange", "reduce", "select", "shape",
    }
)  # fmt: skip
_PRODUCTS = frozenset({"matmul"})


class Captured:
    """The plan of one call on a device, which is replayed as it is or as a graph.

    `why` says why it is no graph; None where it is, or is going to be one.
    """

    def __init__(self, recorder: Any, outputs: Any, plain: Any) -> None:
        self.plain = plain
        self.tree = outputs.tree
        self.inputs = list(recorder.inputs)
        self.tensors = [(tensor, slot) for tensor, slot in recorder.captured.values()]
        self.steps = list(recorder.steps)
        self.after = [step for step in self.steps if _is_bookkeeping(step)]
        self.why = self._obstacle(recorder)
        self.ready = False
        self._calls = 0
        self._made = 0
        self._lock = threading.RLock()
        self._forget()

    def __call__(self, *arguments: Any) -> Any:
        """The result of a call, given the arrays of its arguments and its tensors."""
        if self.why is not None:
            return self.plain(*arguments)
        *arrays, given = arguments
        with self._lock:
            if self._calls < WARM:
                self._calls += 1
                return self.plain(*arguments)
            held = [tensor._array for tensor, _ in self.tensors]
            if not self.ready or any(a is not b for a, b in zip(held, self._held, strict=True)):
                self._forget()
                self._made += 1
                if self._made > REMADE:
                    self.why = "parameters or captured tensors move to other memory again and again"
                    return self.plain(*arguments)
                try:
                    self._capture(arrays, held)
                except (RuntimeError, TypeError, ValueError, MemoryError) as error:
                    self._forget()
                    self.why = f"{type(error).__name__}: {error}"
                    return self.plain(*arguments)
            for static, array in zip(self._static, arrays, strict=True):
                static[...] = array
            self._launch()
            return self._finish(given)

    def summary(self) -> str:
        """One line on what became of the plan."""
        if self.why is not None:
            return f"no graph of the device: {self.why}"
        if self.ready:
            return "captured as a graph of the device"
        return f"to be captured as a graph of the device after {WARM} replays"

    # Whether it can be.

    def _obstacle(self, recorder: Any) -> str | None:
        """Why the recorded steps cannot be a graph."""
        arrays = [*recorder.given, *(tensor._array for tensor, _ in self.tensors)]
        if not arrays or any(isinstance(array, ndarray) for array in arrays):
            return "part of it is on the CPU"
        backend = backend_of(arrays[0])
        if len({backend.device_of(array) for array in arrays}) > 1:
            return "it is on several devices"
        if backend.no_graphs is not None:
            return backend.no_graphs
        if recorder.gradients:
            return "it reads gradients that were there before"
        given = {id(owner(array)) for array in recorder.given}
        if any(id(owner(array)) in given for array in recorder.written):
            return "it changes an argument in place"
        reason = self._alias(recorder, given)
        if reason is not None:
            return reason
        made_after: set[int] = set()
        stepped = None
        for step in self.steps:
            if _is_bookkeeping(step):
                if step.slot is not None:
                    made_after.add(step.slot.number)
                if step.kind == "live" and step.function is not Optimizer.zero_grad:
                    stepped = step.label()
                continue
            if stepped is not None:
                return f"it computes after {stepped}()"
            reason = _unfit(step, backend)
            if reason is not None:
                return reason
            if any(slot.number in made_after for slot in _slots((step.args, step.named))):
                return "it computes with gradients that it has stored"
        return None

    def _alias(self, recorder: Any, given: set[int]) -> str | None:
        """Whether a result shares memory with what only eager calls could share it with."""
        numbers = {slot.number for slot in _slots(self.tree)}
        stored = {step.slot.number for step in self.after if step.kind == "store" and step.slot}
        if numbers & stored:
            return "a result is a gradient"
        for value in recorder.alive:
            slot = recorder.slots.get(id(value))
            of_result = slot is not None and slot.number in numbers and is_array(value)
            if of_result and id(owner(value)) in given:
                return "a result is a view of an argument"
        return None

    # Making and using it.

    def _forget(self) -> None:
        self.ready = False
        self._values: dict[int, Any] = {}
        self._static: list[Any] = []
        self._held: list[Any] = []
        self._launch: Any = None

    def _capture(self, arrays: list[Any], held: list[Any]) -> None:
        """Let the device record the steps once; nothing of them is done yet."""
        backend = backend_of([*arrays, *held][0])

        work = [step for step in self.steps if not _is_bookkeeping(step)]
        ends = self._ends(work)

        def body() -> None:
            for position, step in enumerate(work):
                self._do(step)
                for number in ends.get(position, ()):
                    # Its memory may serve what comes after it in the graph.
                    del self._values[number]

        self._static = [array.copy(order="K") for array in arrays]
        self._held = held
        for slot, static in zip(self.inputs, self._static, strict=True):
            self._values[slot.number] = static
        for (_, slot), array in zip(self.tensors, held, strict=True):
            self._values[slot.number] = array
        self._launch = backend.capture(backend.device_of([*arrays, *held][0]), body)
        self._state = {id(owner(array)) for array in held}
        self.ready = True

    def _ends(self, work: list[Any]) -> dict[int, list[int]]:
        """After which step of the graph each value is of no more use."""
        last = {step.slot.number: at for at, step in enumerate(work) if step.slot is not None}
        for at, step in enumerate(work):
            for slot in _slots((step.args, step.named)):
                if slot.number in last:
                    last[slot.number] = at
        for slot in (*_slots(self.tree), *_slots([(s.args, s.named) for s in self.after])):
            last.pop(slot.number, None)
        ends: dict[int, list[int]] = {}
        for number, at in last.items():
            ends.setdefault(at, []).append(number)
        return ends

    def _do(self, step: Any) -> Any:
        args, named = self._tree(step.args), self._tree(step.named)
        kind, function = step.kind, step.function
        if kind == "constant":
            value = function
        elif kind in ("forward", "forwards"):
            value = function.forward(step.xp, *args, **named)
        elif kind == "maker":
            value = function(*args, **named)._array
        elif kind == "store":
            value = _keep(function, args[0])
        elif kind == "forget":
            function.grad = value = None
        elif kind == "live":
            value = function(*args, **named)
            value = value._array if isinstance(value, Traced) else value
        else:
            value = function(*args, **named)
        if step.slot is not None:
            if kind == "forward" and step.slot.scalar:
                value = as_array(value)
            self._values[step.slot.number] = value
        return value

    def _tree(self, value: Any) -> Any:
        """An argument with the values of its slots in their place."""
        if type(value) is Slot:
            return self._values[value.number]
        if type(value) is list or isinstance(value, tuple):
            return type(value)(map(self._tree, value))
        if type(value) is dict:
            return {name: self._tree(item) for name, item in value.items()}
        return value

    def _handed_out(self, array: Any) -> Any:
        """What callers may keep: a copy, unless it is a view of what was there before."""
        return array if id(owner(array)) in self._state else array.copy()

    def _finish(self, given: Any) -> Any:
        for step in self.after:
            self._do(step)
        return self._result(self.tree, given, {})

    def _result(self, tree: Any, given: Any, known: dict[int, Any]) -> Any:
        kind = tree[0]
        if kind in ("tensor", "freed"):
            if tree[-1] not in known:
                array = self._handed_out(self._values[tree[1].number])
                like: Any = Traced
                made = wrap(like, array) if kind == "tensor" else freed(array, like, tree[2])
                known[tree[-1]] = made
            return known[tree[-1]]
        if kind == "given":
            return given[tree[1]]
        if kind == "constant":
            return tree[1]
        if kind is dict:
            return {name: self._result(item, given, known) for name, item in tree[1].items()}
        items = [self._result(item, given, known) for item in tree[1]]
        if kind in (list, tuple):
            return kind(items)
        return kind(*items)


def _keep(tensor: Any, g: Any) -> Any:
    """Add a gradient in the graph's memory into `tensor.grad`, which has memory of its own."""
    if tensor.grad is None and tensor._node is not None:
        tensor.grad = wrap(tensor, g.copy())
        return tensor.grad._array
    return store(tensor, g)


def _is_bookkeeping(step: Any) -> bool:
    return step.kind in _BOOKKEEPING or (step.kind == "effect" and step.function is touch)


def _unfit(step: Any, backend: Any) -> str | None:
    """Why a step cannot be part of a graph."""
    if step.kind in _PURE or (step.kind == "maker" and step.function in _MAKERS):
        return None
    if step.kind in ("forward", "forwards", "rule"):
        forward = (step.op if step.kind == "rule" else step.function).forward
        family = forward.__module__.rpartition(".")[2]
        if family in _KERNELS or (family == "index" and _is_fixed(step.args, step.named)):
            return None
        if family in _PRODUCTS:
            return None if backend.captures_products else _NO_PRODUCTS.format(step.label())
        return f"{step.label()} may wait for the device"
    return f"{step.label()}() is called, whose numbers are those of one call"


_NO_PRODUCTS = "{} is a product of matrices, which the device's library does not let be captured"


def _is_fixed(args: Any, named: Any) -> bool:
    """Whether an index holds no arrays, whose elements would be looked at."""
    index = (args[1:], named)
    return not any(True for _ in _slots(index)) and not _holds_list(index)


def _holds_list(tree: Any) -> bool:
    if isinstance(tree, tuple):
        return any(map(_holds_list, tree))
    return type(tree) is list or (type(tree) is dict and _holds_list(tuple(tree.values())))


def _slots(tree: Any) -> Any:
    if type(tree) is Slot:
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from _slots(item)
    elif type(tree) is dict:
        for item in tree.values():
            yield from _slots(item)
