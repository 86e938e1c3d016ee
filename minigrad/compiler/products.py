"""Large products of matrices: on all cores, with a row added, and with a chain on their results.

A chain that reads what a product has just made is taken piece by piece with it, while the piece is
in the cache. Nothing changes in what is computed, but for where a row is added to the sums.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.backend import ndarray
from minigrad.compiler.buffers import roots
from minigrad.compiler.fuse import Chain, empty, fits, given_to, is_row
from minigrad.compiler.symbols import Instruction, Symbol
from minigrad.kernels import matrix_product, twin
from minigrad.kernels.products import LARGE_PRODUCT


def with_products(instructions: list[Instruction]) -> list[Instruction]:
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
    return type(row) is Symbol and is_row(row, out.shape)


class Epilogue:
    """A product of matrices and the chain on its result as one function of the arrays."""

    def __init__(self, product: Instruction, chain: Chain) -> None:
        self.links = [product, *chain.links]
        self._chain = chain
        self._has_row = len(product.args) > 2

    def __call__(self, out: Any, a: Any, b: Any, *arrays: Any) -> None:
        row = arrays[0] if self._has_row else None
        _product_then(numpy, a, b, out, row, self._chain, arrays[self._has_row :])


@twin("epilogues", "product_chain", least=1 << 10)
def _product_then(xp: Any, a: Any, b: Any, out: Any, row: Any, chain: Chain, arrays: Any) -> None:
    matrix_product(xp, a, b, out, row)
    chain(*arrays)


def with_epilogues(instructions: list[Instruction]) -> list[Instruction]:
    """The instructions with each chain on the result of a product made piece by piece with it.

    The product is made where the chain was, and only its memory where it was itself.
    """
    found: list[Instruction] = []
    for instruction in instructions:
        at = _product_before(instruction, found)
        if at is None:
            found.append(instruction)
            continue
        product, (chain, given, outs) = found[at], _as_chain(instruction)
        if not chain.is_plain:
            found.append(instruction)
            continue
        found[at] = empty(product.out, product.step)
        found += [empty(value, instruction.step) for value in outs]
        args = (product.out, *product.args, *given)
        one = Instruction("fused", Epilogue(product, chain), args, {}, None, None)
        one.step = instruction.step
        found.append(one)
    return found


def _as_chain(instruction: Instruction) -> tuple[Chain, Any, list[Symbol]]:
    """An instruction as a chain, what that is given, and the arrays that are yet to be made."""
    if instruction.kind == "fused":
        return instruction.function, instruction.args, []
    inputs, outs = given_to(instruction)
    return Chain([instruction], inputs, outs), (*inputs, *outs), outs


def _product_before(instruction: Instruction, found: list[Instruction]) -> int | None:
    """Where the product is whose result a chain reads, if it can be made as late as the chain."""
    if instruction.kind == "fused":
        links = instruction.function.links
    elif fits(instruction):
        links = [instruction]
    else:
        return None
    target = links[0].out if links[0].into is None else links[0].into
    read = {id(root) for root in roots(instruction)}
    changed = {id(link.into.root) for link in links if link.into is not None}
    passed: list[Instruction] = []
    for at in reversed(range(len(found))):
        other = found[at]
        if other.kind == "product" and id(other.out) in read:
            own = {id(root) for root in roots(other)}
            same = other.out.size == target.size and other.out.dtype is target.dtype
            free = all(_lets_pass(each, other.out, own) for each in passed)
            return at if same and free and not own & changed else None
        if other.kind == "step" and other.step.kind != "rule":
            return None
        passed.append(other)
    return None


def _lets_pass(instruction: Instruction, out: Symbol, own: set[int]) -> bool:
    """Whether a product may be made after an instruction: it neither reads nor changes the result,
    nor changes what the product reads.
    """
    if instruction.kind in ("view", "empty"):
        return True
    used = {id(root) for root in roots(instruction)}
    if instruction.kind == "fused":
        return not used & {id(out), *own}
    into = instruction.into
    return id(out) not in used and (into is None or id(into.root) not in own)
