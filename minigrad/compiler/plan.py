"""A plan: the steps of one recorded call, written out as one flat function.

Each step is one line of source that calls what the recorded call did (a primitive's forward, a
derivative rule, a function on parameters) with arrays held in local variables. A variable is used
again once its value is needed no more, which frees the value: activations die as early as they do
in a recorded graph.
"""

from __future__ import annotations

import itertools
import linecache
import sys
from typing import Any

import numpy

from minigrad import engine
from minigrad.backend import as_array, ndarray
from minigrad.graph import Leaf, Node, Traced, explain, wrap
from minigrad.mutation import tick

_serial = itertools.count()
Fresh = list


class Slot:
    """A value of the recorded call, known by number; it holds no array."""

    __slots__ = ("number", "scalar", "size")

    def __init__(self, number: int, value: Any) -> None:
        self.number = number
        self.size = getattr(value, "nbytes", 0)
        # NumPy gives scalars, not arrays, for results without dimensions.
        self.scalar = getattr(value, "ndim", 0) == 0


class Step:
    """One thing that the recorded call did, with slots in place of arrays."""

    __slots__ = ("args", "function", "kind", "named", "op", "slot")

    def __init__(self, kind: str, function: Any, args: Any, named: Any, slot: Any) -> None:
        self.kind = kind
        self.function = function
        self.args = args
        self.named = named
        self.slot = slot
        self.op: Any = None

    def label(self) -> str:
        """What the step does, in a word or two."""
        if self.kind in ("forward", "forwards"):
            return str(self.function.name)
        if self.kind == "rule":
            return f"gradient of {self.op.name}"
        if self.kind in ("store", "forget"):
            return {"store": "add into .grad", "forget": ".grad = None"}[self.kind]
        return str(getattr(self.function, "__qualname__", self.kind)).strip("_")


def write(array: Any, value: Any) -> None:
    """Put values into an array in place."""
    array[...] = value


def store(tensor: Any, g: Any) -> Any:
    """Add a raw gradient into `tensor.grad`, as backward() does; returns the raw sum."""
    previous = tensor.grad
    node = tensor._node
    if node is None:
        return None
    if previous is not None or node.hooks or node.accumulated or g.__class__ is not ndarray:
        engine.accumulate(tensor, node, g)
        return tensor.grad._array
    if g.base is not None or sys.getrefcount(g) > _ALONE:
        g = g.copy()
    tensor.grad = wrap(tensor, g)
    return g


def _probe() -> int:
    """The reference count that `store` sees for an array that only a plan's variable holds."""

    def inner(tensor: Any, value: Any) -> int:
        return sys.getrefcount(value)

    value = object()
    return inner(None, value)


_ALONE = _probe()


def freed(array: Any, like: Any, op: Any) -> Any:
    """An output whose graph was walked and freed within the call."""
    return wrap(like, array, Node(op, None, tick()))


def forget(tensor: Any) -> None:
    """The tensor has no gradient any more."""
    tensor.grad = None


class Plan:
    """What a recorded call did, ready to be done again on other inputs."""

    def __init__(self, recorder: Any, outputs: Any, names: dict[str, Any]) -> None:
        self.watch = recorder.watch
        self.steps: list[Step] = recorder.steps
        self.predicates: list[Step] = recorder.predicates
        self.inputs: list[Slot] = recorder.inputs
        self.names = names
        self.captured = list(recorder.captured.values())
        self.gradients = list(recorder.gradients.values())
        self.trained = [(tensor, before is not None) for tensor, before in recorder.initial()]
        tensors = {id(t): t for t in (*recorder.watch.tensors, *recorder.leaves)}
        tensors.update((id(t), t) for t, _ in self.captured)
        self.layouts = [
            (tensor, tensor._node, array.dtype, array.shape, array.strides)
            for tensor, array in ((t, t._array) for t in tensors.values())
        ]
        self.replays = 0
        self.lines: list[Step | None] = []
        self.source = self._write(outputs)
        filename = f"<minigrad plan {next(_serial)}>"
        self.filename = filename
        linecache.cache[filename] = (
            len(self.source), None, self.source.splitlines(True), filename,
        )  # fmt: skip
        written: dict[str, Any] = {}
        exec(compile(self.source, filename, "exec"), self.names, written)
        self.run = written["replay"]
        self.asks = written.get("asks")

    def fits(self, arrays: list[Any]) -> bool:
        """Whether the recorded path is the one that the function would take now."""
        for tensor, node, dtype, shape, strides in self.layouts:
            array = tensor._array
            if (
                tensor._node is not node
                or array.dtype is not dtype
                or array.shape != shape
                or array.strides != strides
                or array.__class__ is not ndarray
            ):
                return False
            if node.__class__ is Leaf and (node.hooks or node.accumulated):
                return False
        for tensor, present in self.trained:
            if (tensor.grad is not None) is not present:
                return False
        for tensor, _ in self.gradients:
            if tensor.grad is None or tensor.grad._node is not None:
                return False
        return bool(self.watch.holds())

    # Writing the source.

    def _constant(self, value: Any) -> str:
        if type(value) in (int, bool, type(None)) or (type(value) is str and len(value) < 40):
            return repr(value)
        if type(value) is tuple:
            return f"({''.join(self._text(item) + ', ' for item in value)})"
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"c{len(self._known)}"
            self.names[name] = value
        return name

    def _text(self, value: Any) -> str:
        if isinstance(value, Slot):
            return self._variables[value.number]
        if not _holds_slot(value):
            return self._constant(value)
        if isinstance(value, tuple):
            items = "".join(self._text(item) + ", " for item in value)
            return (
                f"({items})"
                if type(value) is tuple
                else f"{self._constant(type(value))}(({items}))"
            )
        if isinstance(value, list):
            return f"[{', '.join(map(self._text, value))}]"
        return "{" + ", ".join(f"{k!r}: {self._text(v)}" for k, v in value.items()) + "}"

    def _call(self, function: Any, step: Step, first: tuple[str, ...] = ()) -> str:
        parts = [*first, *map(self._text, step.args)]
        parts += [f"{name}={self._text(value)}" for name, value in step.named.items()]
        return f"{self._constant(function)}({', '.join(parts)})"

    def _write(self, outputs: Any) -> str:
        self._known: dict[int, str] = {}
        self._variables: dict[int, str] = {}
        self.names.update(
            __name__=__name__, numpy=numpy, ndarray=ndarray, as_array=as_array, store=store,
            forget=forget, wrap=wrap, freed=freed, Traced=Traced,
        )  # fmt: skip
        last: dict[int, int] = {}
        for position, step in enumerate(self.steps):
            for slot in _slots((step.args, step.named)):
                last[slot.number] = position
            if step.slot is not None:
                last.setdefault(step.slot.number, position)
        for slot in outputs.slots():
            last[slot.number] = len(self.steps)
        free: list[str] = []
        made = itertools.count()

        def variable(slot: Slot) -> str:
            name = free.pop() if free else f"v{next(made)}"
            self._variables[slot.number] = name
            return name

        arguments = [variable(slot) for slot in self.inputs]
        lines = [f"def replay({', '.join([*arguments, 'given'])}):"]
        self.lines = [None]
        ends: dict[int, list[int]] = {}

        def add(text: str, step: Step | None) -> None:
            lines.append(f"    {text}")
            self.lines.append(step)

        for tensor, slot in self.captured:
            add(f"{variable(slot)} = {self._constant(tensor)}._array", None)
        for tensor, slot in self.gradients:
            add(f"{variable(slot)} = {self._constant(tensor)}.grad._array", None)
        for number, position in last.items():
            ends.setdefault(position, []).append(number)
        for position, step in enumerate(self.steps):
            if step.kind == "constant":
                self._variables[step.slot.number] = self._constant(step.function)
            else:
                self._add_step(step, add, variable)
            for number in ends.get(position, ()):
                name = self._variables[number]
                if name.startswith("v"):
                    free.append(name)
        add(f"return {outputs.text(self._text, self._constant)}", None)
        if self.predicates:
            for slot, name in zip(self.inputs, arguments, strict=True):
                self._variables[slot.number] = name
            lines.append(f"def asks({', '.join(arguments)}):")
            asked = " and ".join(self._call(step.function, step) for step in self.predicates)
            lines.append(f"    return {asked}")
        return "\n".join(lines) + "\n"

    def _add_step(self, step: Step, add: Any, variable: Any) -> None:
        kind = step.kind
        if kind in ("forward", "forwards"):
            text = self._call(step.function.forward, step, ("numpy",))
        elif kind == "store":
            text = f"store({self._constant(step.function)}, {self._text(step.args[0])})"
        elif kind == "forget":
            text = f"forget({self._constant(step.function)})"
        elif kind == "add":
            text = f"{self._text(step.args[0])} + {self._text(step.args[1])}"
        elif kind == "list":
            text = "[]"
        elif kind == "maker" or (kind == "live" and step.slot.size):
            text = f"{self._call(step.function, step)}._array"
        else:
            text = self._call(step.function, step)
        if step.slot is None:
            add(text, step)
            return
        name = variable(step.slot)
        add(f"{name} = {text}", step)
        if kind == "forward" and step.slot.scalar:
            add(f"if {name}.__class__ is not ndarray: {name} = as_array({name})", step)

    # Failing.

    def explain(self, error: BaseException) -> BaseException:
        """The error that the eager call would raise for a step that failed."""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self.filename:
                step: Any = self.lines[trace.tb_lineno - 1]
                forward = step is not None and step.kind in ("forward", "forwards")
                if forward and isinstance(error, _EXPLAINED):
                    return explain(step.function, error, self._arguments(step, trace))
                return error
            trace = trace.tb_next
        return error

    def _arguments(self, step: Step, trace: Any) -> dict[str, Any]:
        held = trace.tb_frame.f_locals

        def value(item: Any) -> Any:
            if isinstance(item, Slot):
                return held.get(self._variables[item.number])
            return item

        given = dict(zip(step.function.inputs, map(value, step.args), strict=False))
        return {**given, **{name: value(item) for name, item in step.named.items()}}

    # Telling.

    def summary(self) -> str:
        """The plan in lines: its steps in order, and the bytes that each makes."""
        total = sum(step.slot.size for step in self.steps if step.slot is not None)
        count = sum(step.kind != "constant" for step in self.steps)
        lines = [f"{count} operations, {total} bytes made, {self.replays} replays"]
        for number, step in enumerate(s for s in self.steps if s.kind != "constant"):
            size = step.slot.size if step.slot is not None else 0
            lines.append(f"  {number:4d}  {step.label():<40}{size:>12}")
        return "\n".join(lines)


_EXPLAINED = (ValueError, TypeError, IndexError, ArithmeticError, MemoryError)


def _slots(value: Any) -> Any:
    if isinstance(value, Slot):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _slots(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _slots(item)


def _holds_slot(value: Any) -> bool:
    return next(iter(_slots(value)), None) is not None
