"""Recording one call: what ran, on which arrays, in which order.

The call runs eagerly, under Python's profiling hook of this thread, which sees each function of
minigrad begin and end; the engine knows nothing of it. A value is known by the identity of the
object that holds it, so the recorder keeps all of them alive until it is done. What it cannot
account for raises no error: it is noted in `problem`, and the call goes on as it is.
"""

from __future__ import annotations

import gc
import math
import operator
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy

from minigrad import engine, inplace
from minigrad.backend import device, generic, is_array, ndarray
from minigrad.backend.wide import wide
from minigrad.compiler import audit
from minigrad.compiler.gradients import forgetting_early
from minigrad.compiler.guards import ATTRIBUTES, PLAIN, Watch
from minigrad.compiler.plan import Fresh, Slot, Step, write
from minigrad.compiler.special import SPECIAL, line_of, part_of
from minigrad.compiler.undo import CHANGERS, Journal
from minigrad.graph import Leaf, Traced
from minigrad.methods.describe import Size
from minigrad.ops.index import getitem
from minigrad.ops.join import _cat
from minigrad.ops.reduce import sum_to
from minigrad.ops.resample import Table

_WALK = engine.walk.__code__
_VARIADIC = _cat.__code__
# What large arrays are given to in place of a forward.
_WIDE = wide.__code__
_GETITEM = getitem.primitive  # type: ignore[attr-defined]
_PURE = frozenset(
    {
        "abs", "all", "any", "callable", "chr", "divmod", "format", "getattr", "hasattr",
        "isinstance", "issubclass", "iter", "len", "max", "min", "ord", "pow", "repr", "round",
        "sorted", "sum",
    }
)  # fmt: skip
_TYPES = (list, tuple, dict, str, int, float, complex, bytes, set, frozenset)
_HELD = (generic, list, tuple)
_FIXED = (
    type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, device,
    Table,
)  # fmt: skip


class Recorder:
    """The profiling hook of one recorded call."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.problem: str | None = watch.problem
        self.unsettled = False
        self.steps: list[Step] = []
        self.slots: dict[int, Slot] = {}
        self.alive: list[Any] = []
        self.away = False
        self.count = 0
        self.captured: dict[int, tuple[Any, Slot]] = {}
        self.gradients: dict[int, tuple[Any, Slot]] = {}
        self.predicates: list[Step] = []
        self.pending: list[tuple[Any, Any]] = []
        self.inside: tuple[Any, Callable[[Any, Any], None]] | None = None
        self.walks: list[dict[Any, Any] | None] = []
        self.journal = Journal()
        self.trained: dict[int, Any] = {}
        self.constants: set[int] = set()
        self.fixed: set[int] = set()
        self.written: list[Any] = []
        self.inputs: list[Slot] = []
        self.leaves: list[Any] = []
        self.made: list[Any] = []
        self.given: list[Any] = []
        self.frame: Any = None
        self._survey()

    def take(self, made: list[Any], leaves: list[Any]) -> None:
        """The tensors made for the call's arguments, and those that are used as they are."""
        self.made = made
        self.given = [tensor._array for tensor in made]
        self.inputs = [self.new(array) for array in self.given]
        self.leaves = leaves

    def _survey(self) -> None:
        """Remember every Tensor there is: those that the call meets are captured, not made."""
        self.tensors = [o for o in gc.get_objects() if issubclass(type(o), Traced)]
        self.owners: dict[int, Any] = {}
        self.of_gradient: dict[int, Any] = {}
        self.before: list[tuple[Any, Any, Any]] = []
        self.expected: dict[int, Any] = {}
        self.start: dict[int, Any] = {}
        for tensor in self.tensors:
            held = vars(tensor)
            array, grad = held.get("_array"), held.get("grad")
            self.owners.setdefault(id(array), tensor)
            self.before.append((tensor, array, held.get("_node")))
            self.expected[id(tensor)] = grad
            self.start[id(tensor)] = grad
            if grad is not None:
                self.of_gradient[id(grad._array)] = tensor

    # Values.

    def new(self, value: Any) -> Slot:
        """A slot for a value just met."""
        slot = Slot(self.count, value)
        self.count += 1
        if is_array(value) and type(value) is not ndarray:
            self.away = True
        held = is_array(value) or isinstance(value, _HELD)
        if held and not (type(value) is tuple and not value):
            self.slots[id(value)] = slot
        self.alive.append(value)
        return slot

    def refuse(self, reason: str, frame: Any = None) -> None:
        """Note why this call cannot be replayed; the first reason counts."""
        if self.problem is None:
            self.problem = reason + line_of(self.frame if frame is None else frame)

    def resolve(self, value: Any, fresh: bool = False) -> Any:
        """A value with its arrays replaced by slots."""
        if isinstance(value, Traced):
            value = value._array
        array = is_array(value)
        slot = self.slots.get(id(value)) if array or isinstance(value, _HELD) else None
        if slot is not None:
            return slot
        if array:
            return self._capture(value)
        if isinstance(value, generic):
            self.refuse(f"a {type(value).__name__} was made outside of recorded operations")
            return None
        if type(value) is list:
            if value or not fresh:
                return [self.resolve(item) for item in value]
            slot = self.new(value)
            self.steps.append(Step("list", Fresh, (), {}, slot))
            return slot
        if type(value) is tuple or (isinstance(value, tuple) and type(value).__name__ == "Parts"):
            items = [self.resolve(item) for item in value]
            return tuple(items) if type(value) is tuple else type(value)(items)
        if type(value) is Size:
            return tuple(value)
        if type(value) is dict:
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, (*PLAIN, *_FIXED)) or audit.is_generator(value):
            return value
        self.refuse(f"a {type(value).__name__} cannot be recorded as an argument")
        return None

    def _capture(self, array: Any) -> Any:
        owner = self.of_gradient.get(id(array))
        if owner is not None:
            slot = self.new(array)
            self.gradients[id(owner)] = (owner, slot)
            return slot
        owner = self.owners.get(id(array))
        if owner is None:
            self.refuse("an array was made outside of recorded operations")
            return None
        if owner._node is not None and type(owner._node) is not Leaf:
            self.refuse("a tensor computed outside of the call requires a gradient")
            return None
        slot = self.new(array)
        self.captured[id(owner)] = (owner, slot)
        return slot

    def initial(self) -> list[tuple[Any, Any]]:
        """The tensors whose having a gradient, or none, the function may have asked or set."""
        if not self.watch.names & (ATTRIBUTES | {"grad"}):
            return []
        asked = {id(t): t for t, _ in self.captured.values() if t._node is not None}
        asked.update(self.trained)
        asked.update((id(t), t) for t in self.watch.tensors if id(t) in self.start)
        return [(tensor, self.start[key]) for key, tensor in asked.items()]

    def emit(self, kind: str, function: Any, args: Any, named: Any, result: Any) -> Slot:
        """Add a step whose result is a value, given as it is."""
        slot = self.new(result)
        self.steps.append(Step(kind, function, args, named, slot))
        return slot

    # The hook.

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if self.problem is not None:
            return
        if event == "call" and id(frame.f_code) in CHANGERS:
            self.journal.see(frame, len(self.steps))
        if self.inside is not None:
            if event == "return" and frame is self.inside[0]:
                done, self.inside = self.inside[1], None
                done(frame, argument)
            return
        self.frame = frame
        if event == "call":
            self._called(frame)
        elif event == "return":
            self._returned(frame, argument)
        elif event == "c_call" and not audit.ours(frame.f_code):
            self._check_builtin(frame, argument)

    def enter(self, frame: Any, done: Callable[[Any, Any], None]) -> None:
        self.inside = (frame, done)

    def _called(self, frame: Any) -> None:
        code, caller = frame.f_code, frame.f_back
        above = caller.f_code if caller is not None else None
        if not audit.ours(code):
            if code in self.watch.codes:
                return
            if above is not None and audit.ours(above) and audit.serves(frame):
                self.enter(frame, _nothing)
            else:
                self.refuse(f"{code.co_qualname}() is called, whose state cannot be watched", frame)
            return
        if above is _WALK and self.walks[-1] is not None:
            self._rule(frame, caller, self.walks[-1])
            return
        if code.co_filename.startswith("<minigrad primitive") or code is _VARIADIC:
            self.pending.append((frame, None))
            return
        if self.pending and caller is self.pending[-1][0]:
            op = _operation(caller)
            if code is op.forward.__code__ or code is _WIDE:
                self._forward(frame, op)
                return
        special = SPECIAL.get(code)
        if special is not None:
            special(self, frame)
            return
        reason = audit.refusal(code, above, frame.f_locals)
        if reason is not None:
            self.refuse(reason, frame)

    def _returned(self, frame: Any, value: Any) -> None:
        code = frame.f_code
        if self.pending and frame is self.pending[-1][0]:
            _, step = self.pending.pop()
            if step is not None and value is not None:
                self._finish(step, value)
        elif code is _WALK:
            mirror = self.walks.pop() or {}
            for node, g in (value or {}).items():
                if node in mirror:
                    self.slots[id(g)] = mirror[node]
                    self.alive.append(g)
        elif code is inplace.update.__code__ and value is not None:
            held = frame.f_locals
            array, new = self.resolve(held["array"]), self.resolve(held["new"])
            self.written.append(held["array"])
            self.steps.append(Step("write", write, (array, new), {}, None))

    def _check_builtin(self, frame: Any, function: Any) -> None:
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", "?")
        if isinstance(owner, types.ModuleType):
            fine = owner in (math, operator) or owner.__name__ in ("math", "_operator")
            fine = fine or (owner.__name__ == "_functools" and name == "reduce")
            fine = fine or (owner.__name__ == "builtins" and name in _PURE)
        else:
            fine = isinstance(owner, _TYPES) or owner in _TYPES or owner is object
            fine = fine or getattr(function, "__objclass__", None) in _TYPES
        if function in (sys.setprofile, sys.getprofile):
            fine = True
        if not fine:
            self.refuse(f"{name}() is called, whose effect cannot be replayed", frame)

    def undo(self) -> None:
        """Put everything back as it was before the call."""
        self.journal.restore(self.before, self.start)

    # Operations.

    def _forward(self, frame: Any, op: Any) -> None:
        held, code = frame.f_locals, op.forward.__code__
        if frame.f_code is _WIDE:
            held = {code.co_varnames[0]: numpy, **dict(zip(op.inputs, held["operands"]))}
        if op is _GETITEM and any(_is_mask(item) for item in held["index"]):
            self.refuse("how many elements a mask takes depends on values", frame)
            return
        args = [self.resolve(held[name]) for name in op.inputs]
        if op.variadic:
            args += [self.resolve(value) for value in held[op.variadic]]
        named = {name: self.resolve(held[name], fresh=True) for name in op.constants}
        kind = "forward" if op.kind.outputs == 1 else "forwards"
        step = Step(kind, op, tuple(args), named, None)
        step.xp = held[code.co_varnames[0]]
        self.pending[-1] = (self.pending[-1][0], step)

        def done(_: Any, raw: Any) -> None:
            if kind == "forwards" and raw is not None:
                step.slot = self.new(raw)

        self.enter(frame, done)

    def _finish(self, step: Step, result: Any) -> None:
        """A primitive gave its result: a Tensor or an array, or a tuple of them."""
        self.steps.append(step)
        if step.kind == "forward":
            step.slot = self.new(result._array if isinstance(result, Traced) else result)
            return
        for position, part in enumerate(result):
            array = part._array if isinstance(part, Traced) else part
            self.emit("part", part_of, (step.slot, position), {}, array)

    def _rule(self, frame: Any, walk: Any, mirror: dict[Any, Any]) -> None:
        held = walk.f_locals
        rule = held.get("rule")
        if rule is None or getattr(rule, "__code__", None) is not frame.f_code:
            # What the walk calls besides, the sum over broadcast dimensions, is in its mirror.
            self.enter(frame, _nothing)
            return
        node, parent, shape = held["node"], held["parent"], held["shape"]
        if node.op is engine.HOOK:
            self.refuse("a tensor has a hook", frame)
        if node in mirror:
            g = mirror.pop(node)
            self.slots[id(held["g"])] = g
            self.alive.append(held["g"])
        args = tuple(self.resolve(value) for value in (held["g"], *held["kept"]))
        operation = node.op

        def done(_: Any, value: Any) -> None:
            if value is None:
                return
            slot = self.emit("rule", rule, args, {}, value)
            self.steps[-1].op = operation
            if shape is not None:
                slot = self.emit("sum", sum_to, (slot,), {"size": shape}, object())
            if parent in mirror:
                slot = self.emit("add", operator.add, (mirror[parent], slot), {}, object())
            mirror[parent] = slot

        self.enter(frame, done)

    def sync(self, tensor: Any) -> None:
        """Notice that the function itself has set `tensor.grad` to None since the last look."""
        grad = vars(tensor).get("grad")
        if grad is self.expected[id(tensor)]:
            return
        if grad is not None:
            self.refuse("the function sets a gradient")
            return
        self.expected[id(tensor)] = None
        self.trained[id(tensor)] = tensor
        self.steps.append(Step("forget", tensor, (), {}, None))

    def close(self) -> None:
        """Look for changes that no step accounts for."""
        self.frame = None
        for new, array in zip(self.made, self.given, strict=True):
            if new._array is not array or new._node is not None or new.grad is not None:
                self.refuse("the function changes whether an argument requires a gradient")
        for tensor, array, node in self.before:
            self.sync(tensor)
            if tensor._array is not array or tensor._node is not node:
                self.refuse("the function replaces the array or the graph of a tensor")
        changed = self.watch.changed() if self.problem is None else None
        if changed is not None:
            self.unsettled = True
            self.refuse(f"the function changes Python's state: {changed}")
        self.steps = forgetting_early(self.steps)


def _is_mask(item: Any) -> bool:
    return is_array(item) and item.dtype.kind == "b"


def _nothing(frame: Any, value: Any) -> None:
    """What is done at the end of a function that is part of another step."""


def _operation(frame: Any) -> Any:
    return frame.f_locals["op"] if frame.f_code is _VARIADIC else frame.f_globals["op"]
