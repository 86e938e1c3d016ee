"""Whether a plan may stand for a call: all that it took for granted, asked as cheaply as can be.

The question is written out as one expression of identities, compiled once; only where one of them
fails are values compared, since equal ones will do.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from minigrad.graph import Leaf

FEW = 32
"""Entries of a container that are compared one by one; the identities of more in one go."""

REWRITTEN = 4
"""How often the expression is written anew, after values were replaced by equal ones."""


class Check:
    """Whether the path that a plan recorded is the one that its function would take now."""

    def __init__(self, plan: Any) -> None:
        self.watch = plan.watch
        self.layouts = plan.layouts
        self.trained = plan.trained
        self.gradients = plan.gradients
        self._written = 0
        self.terms: list[str] = []
        self.names: dict[str, Any] = {}
        self.entry: Any = None
        self._write()

    def __call__(self) -> bool:
        try:
            if self._quick():
                return True
        except (KeyError, ValueError, IndexError, AttributeError):
            # A container has lost an entry, or a closure its variable.
            pass
        if not self.holds():
            return False
        if self._written < REWRITTEN:
            self._written += 1
            self._write()
        return True

    def holds(self) -> bool:
        """The same question, answered by comparing values."""
        for tensor, node, kind, dtype, shape, strides in self.layouts:
            array = tensor._array
            if (
                tensor._node is not node
                or array.__class__ is not kind
                or array.dtype != dtype
                or array.shape != shape
                or array.strides != strides
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
        return self.watch.changed() is None

    # Writing the expression.

    def _write(self) -> None:
        names: dict[str, Any] = {}
        terms: list[str] = []
        # The same thing is reached in several ways, and named once.
        by_id: dict[int, str] = {}

        def name(value: Any) -> str:
            if value is None or type(value) is bool:
                return repr(value)
            if id(value) not in by_id:
                by_id[id(value)] = f"x{len(names)}"
                names[by_id[id(value)]] = value
            return by_id[id(value)]

        for tensor, node, *_ in self.layouts:
            held = name(tensor)
            terms.append(f"{held}._node is {name(node)}")
            # Held weakly: whoever moves or frees the array must not find it in use here.
            terms.append(f"{held}._array is {name(weakref.ref(tensor._array))}()")
            if node.__class__ is Leaf:
                leaf = name(node)
                terms.append(f"not {leaf}.hooks and not {leaf}.accumulated")
        for tensor, present in self.trained:
            terms.append(f"{name(tensor)}.grad is {'not ' if present else ''}None")
        for tensor, _ in self.gradients:
            held = name(tensor)
            terms.append(f"{held}.grad is not None and {held}.grad._node is None")
        watch = self.watch
        for values, key, _ in watch.places:
            terms.append(f"{name(values)}[{key!r}] is {name(values[key])}")
        for attributes, keys in watch.keys:
            terms.append(f"[*{name(attributes)}] == {name(keys)}")
        for cell, expected in watch.cells:
            if expected is not watch.ABSENT:
                terms.append(f"{name(cell)}.cell_contents is {name(cell.cell_contents)}")
        for function, code, defaults in watch.functions:
            held = name(function)
            terms.append(f"{held}.__code__ is {name(code)}")
            terms.append(f"{held}.__defaults__ is {name(defaults)}")
        for mapping, _ in watch.mappings:
            terms += _entries(mapping, name)
        for sequence, _ in watch.sequences:
            terms.append(f"[*map(id, {name(sequence)})] == {name([*map(id, sequence)])}")
            name(list(sequence))
        for array, held in watch.arrays:
            known = name(array)
            terms.append(f"{known}.tobytes() == {name(held.tobytes())}")
            terms.append(f"{known}.shape == {name(held.shape)}")
        self.terms = list(dict.fromkeys(terms))
        self.names = names
        # An entry that was written with the terms before is of no more use.
        self.entry = None
        source = "def quick():\n    return " + ("\\\n    and ".join(self.terms) or "True") + "\n"
        written = dict(names)
        exec(compile(source, "<minigrad check>", "exec"), written)
        self._quick: Callable[[], bool] = written["quick"]


def _entries(mapping: Any, name: Callable[[Any], str]) -> list[str]:
    """Terms that say that a mapping has these keys in this order, and these very values."""
    held = name(mapping)
    if len(mapping) > FEW or not all(type(key) is str for key in mapping):
        # The objects are held, so that no other can have the identity of one of them.
        name([*mapping, *mapping.values()])
        return [
            f"[*map(id, {held})] == {name([*map(id, mapping)])}",
            f"[*map(id, {held}.values())] == {name([*map(id, mapping.values())])}",
        ]
    terms = [f"[*{held}] == {name([*mapping])}"]
    terms += [f"{held}[{key!r}] is {name(value)}" for key, value in mapping.items()]
    return terms
