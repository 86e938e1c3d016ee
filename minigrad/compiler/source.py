"""Instructions written out as the source of one flat function.

An array is held in a local variable, which is used again once the array is needed no more: that
frees it as early as a recorded graph would.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy

from minigrad.backend import as_array, ndarray
from minigrad.backend.wide import WIDE, duplicate, wide
from minigrad.compiler import buffers
from minigrad.compiler.fuse import LARGE, alone, fused, is_wide
from minigrad.compiler.gradients import forget, freed, store
from minigrad.compiler.lower import Held, Lowered, symbols_in
from minigrad.compiler.products import with_epilogues, with_products
from minigrad.compiler.stepping import Stepper
from minigrad.compiler.steps import Step
from minigrad.compiler.symbols import Instruction, Symbol
from minigrad.graph import Traced, wrap
from minigrad.optim.optimizer import Optimizer

_METHODS = frozenset(value for value in vars(ndarray).values() if callable(value))
_WITHOUT_POSITIONAL_OUT = frozenset({numpy.maximum, numpy.minimum})


class Source:
    """The text of a plan's function, and the names that it refers to."""

    def __init__(self, lowered: Lowered, outputs: Any, predicates: list[Step]) -> None:
        self.names: dict[str, Any] = {
            "numpy": numpy, "ndarray": ndarray, "as_array": as_array, "asarray": numpy.asarray,
            "wrap": wrap, "Traced": Traced, "store": store, "forget": forget, "freed": freed,
            "duplicate": duplicate,
        }  # fmt: skip
        needed = buffers.needed(lowered.instructions, lowered.outputs)
        self.instructions = with_epilogues(fused(with_products(needed), lowered.outputs))
        self.into = buffers.reuse(self.instructions)
        self.lines: list[Instruction | None] = [None]
        self.made = {
            id(instruction): instruction.out.nbytes
            for position, instruction in enumerate(self.instructions)
            if type(instruction.out) is Symbol
            and instruction.kind != "view"
            and position not in self.into
        }
        self._cells = {id(self.instructions[at].out): cell for at, cell in self.into.items()}
        self._last = buffers.last_uses(self.instructions)
        results = list(symbols_in(list(lowered.outputs.values())))
        self._results = {id(value.root) for value in results}
        self._stay_scalars = self._scalars(lowered)
        self._known: dict[int, str] = {}
        self._variables: dict[int, str] = {}
        self._reductions: dict[Any, Any] = {}
        self._free: list[str] = []
        self._made = 0
        lines = self._replay(lowered, outputs)
        if predicates:
            lines += self._asks(lowered, predicates)
        self.text = "\n".join(lines) + "\n"

    # Names.

    def constant(self, value: Any) -> str:
        """The source of a value that is the same in every call."""
        if type(value) in (int, bool, type(None)) or (type(value) is str and len(value) < 40):
            return repr(value)
        if type(value) is tuple:
            return f"({''.join(self.text_of(item) + ', ' for item in value)})"
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"c{len(self._known)}"
            self.names[name] = value
        return name

    def text_of(self, value: Any) -> str:
        """The source of an argument."""
        if type(value) in (Symbol, Held):
            return self._variables[id(value)]
        if next(symbols_in(value), None) is None:
            return self.constant(value)
        if isinstance(value, tuple):
            items = "".join(self.text_of(item) + ", " for item in value)
            if type(value) is tuple:
                return f"({items})"
            return f"{self.constant(type(value))}(({items}))"
        if isinstance(value, list):
            return f"[{', '.join(map(self.text_of, value))}]"
        return "{" + ", ".join(f"{k!r}: {self.text_of(v)}" for k, v in value.items()) + "}"

    def _variable(self, value: Any) -> str:
        if self._free:
            name = self._free.pop()
        else:
            name = f"v{self._made}"
            self._made += 1
        self._variables[id(value)] = name
        return name

    # The functions.

    def _replay(self, lowered: Lowered, outputs: Any) -> list[str]:
        arguments = [self._variable(value) for value in lowered.inputs]
        lines = [f"def replay({', '.join([*arguments, 'given'])}):"]

        def add(text: str, instruction: Instruction | None = None) -> None:
            lines.append(f"    {text}")
            self.lines.append(instruction)

        for tensor, value in lowered.captured:
            add(f"{self._variable(value)} = {self.constant(tensor)}._array")
        for tensor, value in lowered.gradients:
            add(f"{self._variable(value)} = {self.constant(tensor)}.grad._array")
        ends = self._ends(lowered)
        self._release(ends.get(-1, ()))
        for position, instruction in enumerate(self.instructions):
            self._add(position, instruction, add)
            done = ends.get(position, ())
            self._release(done)
            large = [v for v in done if type(v) is Symbol and v.nbytes >= LARGE and v.root is v]
            # Memory that is given back at once is still in the cache for the next result.
            if large and position + 1 < len(self.instructions):
                add(f"{' = '.join(self._variables[id(value)] for value in large)} = None")

        def result(slot: Any) -> str:
            value = lowered.outputs[slot.number]
            text = self.text_of(value)
            return f"{text}.copy()" if type(value) is ndarray else text

        add(f"return {outputs.text(result, self.constant)}")
        return lines

    def _cell(self, value: Any) -> Any:
        """The value whose variable this one has: the first in the same memory."""
        return self._cells.get(id(value), value)

    def _ends(self, lowered: Lowered) -> dict[int, list[Any]]:
        """After which instruction each variable is free."""
        outside = [v for _, v in (*lowered.captured, *lowered.gradients)]
        found = {id(value): (value, -1) for value in (*lowered.inputs, *outside)}
        for position, instruction in enumerate(self.instructions):
            for value in (*buffers.arguments(instruction), instruction.out, instruction.into):
                if value is None:
                    continue
                # Memory that may be taken over is held as long as any view of it is in use.
                owned = type(value) is Symbol and value.root is value and value.owned
                cell, end = self._cell(value), self._last[id(value)] if owned else position
                found[id(cell)] = (cell, max(end, found.get(id(cell), (cell, -1))[1]))
        for value in symbols_in(list(lowered.outputs.values())):
            found.pop(id(self._cell(value)), None)
        ends: dict[int, list[Any]] = {}
        for value, end in found.values():
            ends.setdefault(end, []).append(value)
        return ends

    def _release(self, values: Any) -> None:
        self._free += [self._variables[id(value)] for value in values]

    def _scalars(self, lowered: Lowered) -> set[int]:
        """Results without dimensions that may stay NumPy's scalars: only arithmetic reads them."""
        found = set()
        for instruction in self.instructions:
            if type(instruction.out) is Symbol and instruction.out.scalar:
                found.add(id(instruction.out))
        for instruction in self.instructions:
            if instruction.kind != "ufunc":
                found.difference_update(map(id, buffers.arguments(instruction)))
        return found - set(map(id, symbols_in(list(lowered.outputs.values()))))

    # Instructions.

    def _add(self, position: int, instruction: Instruction, add: Any) -> None:
        kind, out, into = instruction.kind, instruction.out, instruction.into
        if kind == "step":
            self._add_step(position, instruction, add)
            return
        target = into if into is not None else self.into.get(position)
        if kind == "empty" and target is not None:
            self._variables[id(out)] = self._variables[id(target)]
            return
        shared = alone(instruction)
        if shared is not None and is_wide(instruction):
            # A number that is an array is one that `wide` would not know.
            given = [v.item() if type(v) is numpy.ndarray else v for v in instruction.args]
            texts = [self.constant(instruction.function), *map(self.text_of, given)]
            if target is not None:
                texts.append(f"out={self._variables[id(target)]}")
            text = f"{self.constant(wide)}({', '.join(texts)})"
            if out is not None and target is not None:
                self._variables[id(out)] = self._variables[id(target)]
            elif out is not None:
                text = f"{self._variable(out)} = {text}"
            add(text, instruction)
            return
        if shared is not None:
            chain, inputs = shared
            texts = [*map(self.text_of, inputs)]
            if out is not None and target is None:
                add(f"{self._variable(out)} = {self._empty(out)}", instruction)
            elif out is not None:
                self._variables[id(out)] = self._variables[id(target)]
            texts += [] if out is None else [self._variables[id(out)]]
            add(f"{self.constant(chain)}({', '.join(texts)})", instruction)
            return
        text = self._call(instruction, target)
        if out is None:
            add(text, instruction)
        elif target is not None:
            self._variables[id(out)] = self._variables[id(target)]
            add(text, instruction)
        else:
            if type(out) is Symbol and out.scalar and id(out) not in self._stay_scalars:
                text = f"asarray({text})"
            add(f"{self._variable(out)} = {text}", instruction)

    def _empty(self, value: Any) -> str:
        return f"{self.constant(numpy.empty)}({value.shape!r}, {self.constant(value.dtype)})"

    def _call(self, instruction: Instruction, target: Any) -> str:
        function, args, named = instruction.function, instruction.args, instruction.named
        texts = [*map(self.text_of, args)]
        into = None if target is None else self._variables[id(target)]
        if instruction.kind == "ufunc":
            if into is not None:
                named = function in _WITHOUT_POSITIONAL_OUT or type(function) is not numpy.ufunc
                texts.append(f"out={into}" if named else into)
            return f"{self.constant(function)}({', '.join(texts)})"
        if instruction.kind == "dot":
            return f"{texts[0]}.dot({', '.join([*texts[1:], *([into] if into else [])])})"
        if instruction.kind == "product":
            row = texts[2] if len(texts) > 2 else None
            return f"{self.constant(function)}(numpy, {texts[0]}, {texts[1]}, {into}, {row})"
        if instruction.kind == "reduce":
            axis, dtype = self.constant(named["axis"]), self.constant(named.get("dtype"))
            keep = bool(named.get("keepdims", False))
            reduce = self._reduction(function)
            return f"{reduce}({texts[0]}, {axis}, {dtype}, {into}, {keep})"
        if instruction.kind == "list":
            return "[]"
        if function is operator.setitem:
            return f"{texts[0]}[{texts[1]}] = {texts[2]}"
        if function is operator.getitem:
            return f"{texts[0]}[{texts[1]}]"
        if function is operator.pow:
            return f"{texts[0]} ** {texts[1]}"
        if type(function) is operator.attrgetter:
            return f"{texts[0]}.{function.__reduce__()[1][0]}"
        texts += [f"{name}={self.text_of(value)}" for name, value in named.items()]
        if function in _METHODS:
            return f"{texts[0]}.{function.__name__}({', '.join(texts[1:])})"
        return f"{self.constant(function)}({', '.join(texts)})"

    def _reduction(self, function: Any) -> str:
        """The name of a universal function's reduction; that method is a new object each time."""
        found = self._reductions.get(function)
        if found is None:
            found = self._reductions[function] = function.reduce
        return self.constant(found)

    def _add_step(self, position: int, instruction: Instruction, add: Any) -> None:
        step = instruction.step
        kind, out = step.kind, instruction.out
        texts = [*map(self.text_of, instruction.args)]
        texts += [f"{name}={self.text_of(v)}" for name, v in instruction.named.items()]
        function = step.function
        if kind in ("forward", "forwards"):
            function, texts = function.forward, [self._module(step.xp), *texts]
        text = f"{self.constant(function)}({', '.join(texts)})"
        if kind == "store":
            text = f"store({self.constant(function)}, {self._given(position, instruction)})"
        elif function is Optimizer.step:
            text = f"{self.constant(Stepper())}({', '.join(texts)})"
        elif kind == "forget":
            text = f"forget({self.constant(function)})"
        elif kind == "add":
            text = f"{texts[0]} + {texts[1]}"
        elif kind == "list":
            text = "[]"
        elif kind == "maker" or (kind == "live" and step.slot.size):
            text = f"{text}._array"
        if out is None:
            add(text, instruction)
            return
        name = self._variable(out)
        add(f"{name} = {text}", instruction)
        if kind == "forward" and step.slot.scalar:
            add(f"if {name}.__class__ is not ndarray: {name} = as_array({name})", instruction)

    def _module(self, xp: Any) -> str:
        return "numpy" if xp is numpy else self.constant(xp)

    def _given(self, position: int, instruction: Instruction) -> str:
        """The array that becomes, or is added to, a gradient: a copy if it is needed again."""
        value = instruction.args[0]
        text = self.text_of(value)
        if type(value) is Symbol:
            if self._last[id(value.root)] <= position and id(value.root) not in self._results:
                return text
            if value.nbytes < WIDE:
                return f"{text}.copy()"
        return f"duplicate({text})"

    def _asks(self, lowered: Lowered, predicates: list[Step]) -> list[str]:
        names = [f"v{position}" for position in range(len(lowered.inputs))]
        for value, name in zip(lowered.inputs, names, strict=True):
            self._variables[id(value)] = name
        for tensor, value in lowered.captured:
            self._variables[id(value)] = f"{self.constant(tensor)}._array"
        asked = []
        for step in predicates:
            args = map(self.text_of, lowered.tree(step.args))
            asked.append(f"{self.constant(step.function)}({', '.join(args)})")
        return [f"def asks({', '.join(names)}):", f"    return {' and '.join(asked)}"]
