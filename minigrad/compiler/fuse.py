"""Chains of arithmetic on large arrays, taken tile by tile so that what is between stays in cache.

A chain is a run of instructions that work element by element on arrays of one shape. Each tile
goes through all of them before the next one starts, and the tiles are shared among the threads.
The same functions of NumPy run on the same elements, so that results are equal bit for bit.
"""

from __future__ import annotations

import linecache
from contextvars import copy_context
from math import prod
from typing import Any

import numpy

from minigrad.backend import ndarray
from minigrad.backend.lanes import lanes, run, share
from minigrad.backend.wide import WIDE
from minigrad.compiler.buffers import arguments
from minigrad.compiler.lower import symbols_in
from minigrad.compiler.symbols import Instruction, Symbol
from minigrad.kernels import run_chain

TILE = 1 << 15
"""Elements of a tile: a handful of arrays of this size fit a second-level cache."""

LARGE = 1 << 18
"""Bytes of an array from which a chain is taken in tiles; one instruction alone from `WIDE`."""


class Chain:
    """Several instructions as one function of the arrays that they read and fill.

    `steps` are its calls: a function, its operands and its target, each the number of an array, or
    below zero one of the arrays `between` two calls, that are as long as a tile; or a constant in a
    tuple. `changes` says whether an array is changed that is read as well.
    """

    __name__ = "chain"

    def __init__(self, links: list[Instruction], inputs: list[Symbol], outs: list[Symbol]) -> None:
        self.links = links
        self.shape = _shape(links[0])
        self.size = prod(self.shape)
        given = [*inputs, *outs]
        self.between: list[Any] = []
        self.steps = self._steps({id(value): number for number, value in enumerate(given)})
        self.changes = any(link.into is value for link in links for value in inputs)
        self.full = [value.shape == self.shape for value in given]
        # What has made a table of it for calls without Python, and that, by dtype.
        self.tables: dict[Any, Any] = {}
        targets = [link.out if link.into is None else link.into for link in links]
        dtypes = {value.dtype for value in (*given, *targets)}
        self.is_plain = all(self.full) and len(dtypes) == 1
        by_rows = [value for value in inputs if is_row(value, self.shape)]
        width = self.shape[-1] if by_rows else 1
        count = self.size // width
        step = max(1, TILE // width)
        self.cuts = [slice(at, at + step) for at in range(0, count, step)]
        self.least = max(1, max(TILE, (WIDE // 8) // len(links)) // width)
        self.count = count
        self.layout = (-1, width) if by_rows else (-1,)
        self._tile = self._written()

    def _steps(self, places: dict[int, int]) -> list[tuple[Any, tuple[Any, ...], int]]:
        """The calls; a place between them is used again once its array is needed no more."""
        last = {}
        for number, link in enumerate(self.links):
            for value in (*arguments(link), link.into):
                last[id(value)] = number
        free: dict[Any, list[int]] = {}
        steps = []
        for number, link in enumerate(self.links):
            operands = tuple(
                places[id(value)] if type(value) is Symbol else (value,) for value in link.args
            )
            done = {id(value): value for value in arguments(link) if last[id(value)] == number}
            spare = [value for value in done.values() if places[id(value)] < 0]
            target = link.out if link.into is None else link.into
            # A compiled loop that writes where it reads takes one element at a time.
            in_place = type(link.function) is numpy.ufunc
            if in_place:
                self._release(spare, places, free)
            if id(target) not in places:
                held = free.setdefault(target.dtype, [])
                if not held:
                    self.between.append(target.dtype)
                places[id(target)] = held.pop() if held else -len(self.between)
            if not in_place:
                self._release(spare, places, free)
            steps.append((link.function, operands, places[id(target)]))
        return steps

    def _release(self, values: Any, places: dict[int, int], free: dict[Any, list[int]]) -> None:
        for value in values:
            free.setdefault(value.dtype, []).append(places[id(value)])

    def _written(self) -> Any:
        """The chain as a function of a cut and of the arrays."""
        names = [f"x{number}" for number in range(len(self.full))]
        full = [name for name, whole in zip(names, self.full, strict=True) if whole]
        held: dict[str, Any] = {"empty": numpy.empty}
        lines = [f"def tile(cut, {', '.join(names)}):"]
        lines += [f"{name} = {name}[cut]" for name in full]
        for number, dtype in enumerate(self.between, 1):
            held[f"d{number}"] = dtype
            lines.append(f"s{number} = empty({full[0]}.shape, d{number})")
        for number, (function, operands, target) in enumerate(self.steps):
            texts = []
            for position, operand in enumerate(operands):
                if type(operand) is tuple:
                    texts.append(f"k{number}_{position}")
                    (held[texts[-1]],) = operand
                else:
                    texts.append(names[operand] if operand >= 0 else f"s{-operand}")
            held[f"f{number}"] = function
            into = names[target] if target >= 0 else f"s{-target}"
            lines.append(f"f{number}({', '.join(texts)}, out={into})")
        text = "\n    ".join(lines) + "\n"
        name = f"<minigrad chain of {len(self.links)}, {id(self)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), held)
        return held["tile"]

    def __call__(self, *arrays: Any) -> None:
        if self.is_plain:
            run_chain(numpy, arrays[0], self, arrays)
        else:
            self.take_tiles(*arrays)

    def take_tiles(self, *arrays: Any) -> None:
        """Make the calls for tile after tile, from Python."""
        layout, tile = self.layout, self._tile
        arrays = tuple(
            array.reshape(layout) if full else array
            for array, full in zip(arrays, self.full, strict=True)
        )
        threads = lanes(self.count, self.least)
        # To take a piece costs some microseconds, so that each is a run of tiles.
        cuts = self.cuts
        size = -(-len(cuts) * share(self.size, threads) // self.size)
        single = len(self.links) == 1

        def piece(number: int) -> None:
            own = cuts[number * size : (number + 1) * size]
            for cut in [slice(own[0].start, own[-1].stop)] if single else own:
                tile(cut, *arrays)

        count = -(-len(cuts) // size)
        if threads == 1:
            for number in range(count):
                piece(number)
            return
        # What NumPy is to do about overflows and divisions by zero belongs to the context.
        context = copy_context()
        run(lambda number: context.copy().run(piece, number), count, threads)


def fused(instructions: list[Instruction], outputs: Any) -> list[Instruction]:
    """The instructions with chains of them in place of runs on large arrays of one shape."""
    found: list[Instruction] = []
    chain: list[Instruction] = []
    readers = _readers(instructions, outputs)
    for instruction in instructions:
        if fits(instruction) and (not chain or _shape(chain[0]) == _shape(instruction)):
            chain.append(instruction)
            continue
        found += _closed(chain, readers)
        chain = [instruction] if fits(instruction) else []
        if not chain:
            found.append(instruction)
    return found + _closed(chain, readers)


def _readers(instructions: list[Instruction], outputs: Any) -> dict[int, set[int]]:
    """Which instructions read the memory of each root, by their ids; results are read by none."""
    readers: dict[int, set[int]] = {}
    for instruction in instructions:
        for value in (*arguments(instruction), instruction.into):
            if value is not None:
                readers.setdefault(id(value.root), set()).add(id(instruction))
    for value in symbols_in(list(outputs.values())):
        readers.setdefault(id(value.root), set()).add(0)
    return readers


def _closed(chain: list[Instruction], readers: dict[int, set[int]]) -> list[Instruction]:
    """A run of instructions as one, where most of their results stay in the cache."""
    own = set(map(id, chain))
    made = [link.out for link in chain if link.out is not None]
    outs = [value for value in made if not readers.get(id(value), {0}) <= own]
    if len(chain) < 2 or 2 * len(outs) > len(chain):
        return chain
    inputs = inputs_of(chain)
    given = (*inputs, *outs)
    one = Instruction("fused", Chain(chain, inputs, outs), given, {}, None, None)
    one.step = chain[-1].step
    return [*(empty(value, chain[0].step) for value in outs), one]


def empty(value: Symbol, step: Any) -> Instruction:
    """The memory of a result, as an instruction of its own."""
    made = Instruction("empty", numpy.empty, (value.shape, value.dtype), {}, value, None)
    made.step = step
    return made


def inputs_of(chain: list[Instruction]) -> list[Any]:
    """The arrays that a chain is given, among them those that it changes."""
    made = {id(link.out) for link in chain}
    found = {}
    for link in chain:
        for value in (*arguments(link), link.into):
            if value is not None and id(value) not in made:
                found[id(value)] = value
    return list(found.values())


def alone(link: Instruction) -> tuple[Chain, list[Any]] | None:
    """An instruction that is worth several threads by itself, and the arrays that it is given."""
    if type(link.function) is not numpy.ufunc or not fits(link):
        return None
    if (link.out if link.into is None else link.into).nbytes < WIDE:
        return None
    inputs, outs = given_to(link)
    return Chain([link], inputs, outs), inputs


def given_to(link: Instruction) -> tuple[list[Symbol], list[Symbol]]:
    """What an instruction is given as a chain of its own: the arrays read, and those made."""
    return inputs_of([link]), [] if link.out is None else [link.out]


def is_wide(link: Instruction) -> bool:
    """Whether an instruction is one that a function of elements takes on all cores by itself."""
    target = link.out if link.into is None else link.into
    return target.dtype.char in "fd" and all(
        type(value) in (int, float)
        or (type(value) is Symbol and value.shape == target.shape and value.dtype is target.dtype)
        or (type(value) is ndarray and not value.ndim and value.dtype is target.dtype)
        for value in link.args
    )


def _shape(link: Instruction) -> Any:
    return (link.out if link.into is None else link.into).shape


def fits(link: Instruction) -> bool:
    """Whether an instruction works element by element on large contiguous arrays."""
    if link.kind != "ufunc" or link.function is numpy.matmul:
        return False
    target = link.out if link.into is None else link.into
    if target.nbytes < LARGE or not target.flags.c_contiguous or not target.ndim:
        return False
    if link.into is not None and not (target.root is target and target.owned):
        return False
    if any(type(value) is ndarray and value.ndim for value in link.args):
        return False
    if type(link.function) is not numpy.ufunc:
        # A compiled loop takes arrays of one shape and dtype.
        return all(
            type(value) is Symbol
            and value.shape == target.shape
            and value.flags.c_contiguous
            and value.dtype is target.dtype
            for value in link.args[: link.function.arrays]
        )
    return all(
        (value.shape == target.shape and value.flags.c_contiguous)
        or not value.ndim
        or is_row(value, target.shape)
        for value in arguments(link)
    )


def is_row(value: Symbol, shape: Any) -> bool:
    """Whether a value is one row, the same for all of an array's rows."""
    return value.shape == shape[-1:] and len(shape) > 1
