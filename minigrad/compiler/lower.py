"""Steps become instructions: the forward or rule of each step is run once on Symbols.

What can be traced is then a list of single calls on arrays, in which constants are computed once
and work that changes nothing is gone. Each traced step is compared with the function itself, on
the same numbers and bit for bit. A step that cannot be traced, or differs, is called whole.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import as_array, ndarray
from minigrad.backend.threads import blas_alone
from minigrad.compiler.audit import is_generator
from minigrad.compiler.steps import Slot
from minigrad.compiler.symbols import MARK, Instruction, Symbol, Tape, Untraceable, values_of
from minigrad.kernels import ready

LARGEST_CHECK = 1 << 26
"""Bytes of a result beyond which a step is neither traced nor checked, but called whole."""

_TRACED = ("forward", "forwards", "rule", "sum", "add", "array", "part", "write")
_FAILURES = (
    Untraceable, TypeError, ValueError, IndexError, AttributeError, ArithmeticError, KeyError,
    NotImplementedError,
)  # fmt: skip


class Held:
    """A value of the plan that is no array, such as a tuple of results."""

    __slots__ = ("owned", "root")

    def __init__(self) -> None:
        self.owned = False
        self.root = self


class Lowered:
    """The instructions of a recorded call, and which Symbol or constant each slot has become."""

    def __init__(self, recorder: Any, outputs: Any, trace: bool = True) -> None:
        self.tape = Tape()
        self._away = recorder.away
        self.values: dict[int, Any] = {}
        self.inputs = [self._outside(slot) for slot in recorder.inputs]
        self.captured = [(t, self._outside(slot)) for t, slot in recorder.captured.values()]
        self.gradients = [(t, self._outside(slot)) for t, slot in recorder.gradients.values()]
        self.whole = 0
        for step in recorder.steps:
            if step.kind == "constant":
                self.values[step.slot.number] = step.function
            elif step.kind == "list" and trace:
                self.values[step.slot.number] = []
            elif not (trace and step.kind in _TRACED and self._trace(step)):
                self._call_whole(step)
        self.outputs = {slot.number: self.values[slot.number] for slot in outputs.slots()}
        for value in symbols_in(list(self.outputs.values())):
            value.root.owned = False

    @property
    def instructions(self) -> list[Instruction]:
        return self.tape.instructions

    def _outside(self, slot: Any) -> Any:
        """What stands for a value that no traced instruction makes."""
        made: Any = Held()
        if slot.shape is not None and not self._away:
            made = self.tape.symbol(slot.shape, slot.dtype, slot.strides)
        self.values[slot.number] = made
        return made

    def tree(self, value: Any) -> Any:
        """An argument of a step with the Symbols of its slots in their place."""
        if type(value) is Slot:
            return self.values[value.number]
        if type(value) is list or isinstance(value, tuple):
            return type(value)(map(self.tree, value))
        if type(value) is dict:
            return {name: self.tree(item) for name, item in value.items()}
        return value

    # Tracing.

    def _trace(self, step: Any) -> bool:
        """Whether the step was written as instructions."""
        function, args = step.function, self.tree(step.args)
        named = self.tree(step.named)
        if step.kind in ("forward", "forwards"):
            function, args = function.forward, (numpy, *args)
        if _untraceable((args, named)) or (step.slot is not None and _is_large(step.slot)):
            return False
        real_args, real_named = values_of(args), values_of(named)
        mark = len(self.instructions)
        lists = [(held, len(held)) for held in _lists(args, named)]
        fine, result, missed = True, None, ready.missed()
        try:
            # Products are made in pieces, each on one thread, to the bits of one thread.
            with numpy.errstate(**MARK, call=_ignore), blas_alone():
                result = function(*args, **named)
                if step.kind != "write":
                    expected = function(*real_args, **real_named)
                    left = [result, *_lists(args, named)]
                    fine = _equal(values_of(left), [expected, *_lists(real_args, real_named)])
        except _FAILURES:
            fine = False
        # A compiled kernel that comes later is to be used by the plan too.
        fine = fine and ready.missed() == missed
        if fine and step.kind == "write":
            fine = type(args[0]) is Symbol
        if fine and step.kind.startswith("forward"):
            fine = not _holds_constant(result)
        if not fine:
            del self.instructions[mark:]
            for held, length in lists:
                del held[length:]
            return False
        for instruction in self.instructions[mark:]:
            instruction.step = step
        if step.slot is not None:
            self.values[step.slot.number] = result
        return True

    def _call_whole(self, step: Any) -> None:
        args, named = self.tree(step.args), self.tree(step.named)
        for value, slot in zip((*args, *named.values()), (*step.args, *step.named.values())):
            if type(value) is list and not value and type(slot) is not list:
                # An empty list in which the function may leave something.
                self.values[slot.number] = Held()
                made = Instruction("list", list, (), {}, self.values[slot.number], None)
                self.instructions.append(made)
        args, named = self.tree(step.args), self.tree(step.named)
        for value in symbols_in((args, named)):
            # The function may keep it, or give it back.
            value.root.owned = False
        made = Instruction("step", step.function, args, named, None, None)
        made.step = step
        self.whole += 1
        if step.slot is not None:
            made.out = self._outside(step.slot)
        self.instructions.append(made)


def symbols_in(tree: Any) -> Any:
    """The Symbols and held values in the arguments of an instruction."""
    if type(tree) in (Symbol, Held):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for item in tree:
            yield from symbols_in(item)
    elif type(tree) is dict:
        for item in tree.values():
            yield from symbols_in(item)


def _lists(args: Any, named: Any) -> list[Any]:
    return [value for value in (*args, *named.values()) if type(value) is list]


def _untraceable(tree: Any) -> bool:
    if isinstance(tree, (tuple, list)):
        return any(map(_untraceable, tree))
    if type(tree) is dict:
        return any(map(_untraceable, tree.values()))
    return type(tree) is Held or is_generator(tree)


def _holds_constant(tree: Any) -> bool:
    if isinstance(tree, tuple):
        return any(map(_holds_constant, tree))
    return type(tree) is ndarray


def _is_large(slot: Slot) -> bool:
    return bool(slot.size > LARGEST_CHECK)


def _ignore(*_: Any) -> None:
    """Floating errors of the stand-ins' numbers mean nothing."""


def _equal(left: Any, right: Any) -> bool:
    """Whether two results are the same: types, dtypes, layouts and bits."""
    if isinstance(left, (tuple, list)):
        if type(left) is not type(right) or len(left) != len(right):
            return False
        return all(map(_equal, left, right))
    if left is None or right is None:
        return left is right
    left, right = as_array(left), as_array(right)
    return bool(
        left.dtype is right.dtype
        and left.shape == right.shape
        and (left.size < 2 or left.strides == right.strides)
        and left.tobytes() == right.tobytes()
    )
