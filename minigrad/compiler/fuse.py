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
from minigrad.kernels import matrix_product
from minigrad.kernels.products import LARGE_PRODUCT

TILE = 1 << 15
"""Elements of a tile: a handful of arrays of this size fit a second-level cache."""

LARGE = 1 << 18
"""Bytes of an array from which a chain is taken in tiles; one instruction alone from `WIDE`."""


class Chain:
    """Several instructions as one function of the arrays that they read and fill."""

    __name__ = "chain"

    def __init__(self, links: list[Instruction], inputs: list[Symbol], outs: list[Symbol]) -> None:
        self.links = links
        self.shape = _shape(links[0])
        self.size = prod(self.shape)
        by_rows = [value for value in inputs if _is_row(value, self.shape)]
        width = self.shape[-1] if by_rows else 1
        count = self.size // width
        step = max(1, TILE // width)
        self.cuts = [slice(at, at + step) for at in range(0, count, step)]
        self.least = max(1, max(TILE, (WIDE // 8) // len(links)) // width)
        self.count = count
        self.layout = (-1, width) if by_rows else (-1,)
        names = {id(value): f"x{n}" for n, value in enumerate([*inputs, *outs])}
        full = [value for value in (*inputs, *outs) if value.shape == self.shape]
        self.full = [value.shape == self.shape for value in (*inputs, *outs)]
        lines = [f"def tile(cut, {', '.join(names.values())}):"]
        lines += [f"{names[id(value)]} = {names[id(value)]}[cut]" for value in full]
        lines += [f"shape = {names[id(full[0])]}.shape"]
        held: dict[str, Any] = {"empty": numpy.empty}
        last = {id(v): n for n, link in enumerate(links) for v in (*arguments(link), link.into)}
        free: dict[Any, list[str]] = {}
        for number, link in enumerate(links):
            texts = []
            for position, value in enumerate(link.args):
                if type(value) is Symbol:
                    texts.append(names[id(value)])
                else:
                    texts.append(f"k{number}_{position}")
                    held[texts[-1]] = value
            held[f"f{number}"] = link.function
            target = link.out if link.into is None else link.into
            for value in {id(v): v for v in arguments(link)}.values():
                if names[id(value)].startswith("s") and last[id(value)] == number:
                    free.setdefault(value.dtype, []).append(names[id(value)])
            if id(target) not in names:
                spare = free.setdefault(target.dtype, [])
                if spare:
                    names[id(target)] = spare.pop()
                else:
                    names[id(target)] = f"s{number}"
                    held[f"d{number}"] = target.dtype
                    lines.append(f"s{number} = empty(shape, d{number})")
            lines.append(f"f{number}({', '.join(texts)}, out={names[id(target)]})")
        text = "\n    ".join(lines) + "\n"
        name = f"<minigrad chain of {len(links)}, {id(self)}>"
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), held)
        self._tile: Any = held["tile"]

    def __call__(self, *arrays: Any) -> None:
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
    instructions = _with_products(instructions)
    readers = _readers(instructions, outputs)
    for instruction in instructions:
        if _fits(instruction) and (not chain or _shape(chain[0]) == _shape(instruction)):
            chain.append(instruction)
            continue
        found += _closed(chain, readers)
        chain = [instruction] if _fits(instruction) else []
        if not chain:
            found.append(instruction)
    return found + _closed(chain, readers)


def _with_products(instructions: list[Instruction]) -> list[Instruction]:
    """The instructions with large products of matrices on all cores, each with its row added."""
    found: list[Instruction] = []
    for instruction in instructions:
        last = found[-1] if found else None
        if _is_large_product(instruction):
            a, b = instruction.args
            product = Instruction("product", matrix_product, (a, b), {}, instruction.out, None)
            product.step = instruction.step
            found.append(product)
        elif last is not None and _adds_row(last, instruction):
            last.args = (*last.args, instruction.args[1])
        else:
            found.append(instruction)
    return found


def _is_large_product(instruction: Instruction) -> bool:
    if instruction.function not in (numpy.matmul, ndarray.dot) or instruction.out is None:
        return False
    if not all(type(value) is Symbol for value in instruction.args):
        return False
    a, b = instruction.args
    return bool(a.ndim == 2 == b.ndim and a.size * b.shape[1] >= LARGE_PRODUCT)


def _adds_row(product: Instruction, instruction: Instruction) -> bool:
    """Whether an instruction adds a row to all rows of the product that was just made."""
    if product.kind != "product" or len(product.args) > 2 or instruction.function is not numpy.add:
        return False
    into, out = instruction.into, product.out
    if into is None or into is not out or instruction.args[0] is not out:
        return False
    row = instruction.args[1]
    return type(row) is Symbol and _is_row(row, out.shape)


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
    inputs = _inputs(chain)
    allocated = []
    for value in outs:
        empty = Instruction("empty", numpy.empty, (value.shape, value.dtype), {}, value, None)
        empty.step = chain[0].step
        allocated.append(empty)
    given = (*inputs, *outs)
    one = Instruction("fused", Chain(chain, inputs, outs), given, {}, None, None)
    one.step = chain[-1].step
    return [*allocated, one]


def _inputs(chain: list[Instruction]) -> list[Any]:
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
    if not _fits(link) or (link.out if link.into is None else link.into).nbytes < WIDE:
        return None
    inputs = _inputs([link])
    outs = [] if link.out is None else [link.out]
    return Chain([link], inputs, outs), inputs


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


def _fits(link: Instruction) -> bool:
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
    return all(
        (value.shape == target.shape and value.flags.c_contiguous)
        or not value.ndim
        or _is_row(value, target.shape)
        for value in arguments(link)
    )


def _is_row(value: Symbol, shape: Any) -> bool:
    """Whether a value is one row, the same for all of an array's rows."""
    return value.shape == shape[-1:] and len(shape) > 1
