"""Which instructions are needed, and which array's memory each result may take over.

Memory is taken over only from arrays that instructions of the plan made themselves and that
nothing else can hold: neither a function called whole nor `.grad` nor a result has seen them.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy

from minigrad.compiler.lower import symbols_in
from minigrad.compiler.symbols import Instruction, Symbol

LONG = 1 << 20
"""Bytes from which the memory of a dead array is freed at once, unless it is soon taken over."""

SOON = 8
"""Instructions for which such memory may wait."""

_MAY_RAISE = frozenset({operator.getitem, operator.setitem})


def needed(instructions: list[Instruction], outputs: Any) -> list[Instruction]:
    """The instructions without those whose results nobody reads."""
    wanted = {id(value.root) for value in symbols_in(list(outputs.values()))}
    kept = []
    for instruction in reversed(instructions):
        out, into = instruction.out, instruction.into
        target = into if out is None else out
        if (
            instruction.kind in ("step", "list")
            or id(target.root) in wanted
            or (into is not None and not into.root.owned)
            or (instruction.function in _MAY_RAISE and instruction.kind != "view")
        ):
            kept.append(instruction)
            wanted.update(id(root) for root in roots(instruction))
    return kept[::-1]


def roots(instruction: Instruction) -> list[Any]:
    """Whose memory an instruction reads or changes."""
    found = [value.root for value in arguments(instruction)]
    if instruction.into is not None:
        found.append(instruction.into.root)
    return found


def arguments(instruction: Instruction) -> Any:
    """The Symbols that an instruction is given."""
    return symbols_in((instruction.args, instruction.named))


def last_uses(instructions: list[Instruction]) -> dict[int, int]:
    """The position at which the memory of each root is used for the last time, by the root's id."""
    last: dict[int, int] = {}
    for position, instruction in enumerate(instructions):
        for root in roots(instruction):
            last[id(root)] = position
        if instruction.out is not None:
            last[id(instruction.out.root)] = position
    return last


def reuse(instructions: list[Instruction]) -> dict[int, Symbol]:
    """For the position of an instruction, the array of no further use that takes its result."""
    last = last_uses(instructions)
    taken: dict[int, Symbol] = {}
    holder: dict[int, Symbol] = {}
    pool: list[tuple[int, Symbol]] = []
    dying: dict[int, list[Symbol]] = {}
    for instruction in instructions:
        out = instruction.out
        if type(out) is Symbol and out.root is out and out.owned and out.ndim:
            dying.setdefault(last[id(out)], []).append(out)
    for position, instruction in enumerate(instructions):
        ends = dying.get(position, [])
        out = instruction.out
        if (
            instruction.kind in ("ufunc", "dot", "product", "reduce", "empty")
            and out is not None
            and out.ndim
            and out.size
        ):
            # A compiled loop that writes where it reads takes one element at a time.
            in_place = instruction.function is not numpy.matmul
            in_place = in_place and type(instruction.function) is numpy.ufunc
            own = [e for e in ends if e is not out] if in_place else []
            used = set(map(id, arguments(instruction)))
            found = next((e for e in own if id(e) in used and _alike(e, out)), None)
            if found is not None:
                ends = [e for e in ends if e is not found]
            else:
                pool = [
                    (since, e) for since, e in pool if e.nbytes < LONG or position - since < SOON
                ]
                match = next((pair for pair in reversed(pool) if _alike(pair[1], out)), None)
                if match is not None:
                    pool = [pair for pair in pool if pair is not match]
                    found = match[1]
            if found is not None:
                taken[position] = holder.get(id(found), found)
                holder[id(out)] = taken[position]
        pool += [(position, e) for e in ends]
    return taken


def _alike(left: Symbol, right: Symbol) -> bool:
    return left.dtype is right.dtype and left.shape == right.shape and left.strides == right.strides
