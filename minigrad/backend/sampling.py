"""Choosing among indices: permutations and weighted draws, alike to the last bit on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy

from minigrad.backend.philox import multiply_high
from minigrad.backend.variates import DIGITS
from minigrad.errors import ArgumentError, DtypeError

if TYPE_CHECKING:
    from minigrad.backend.random import Generator


def permutation(generator: Generator, xp: Any, count: int) -> Any:
    """The integers 0 to count - 1 in random order, int64.

    They are the low bits of sorted words whose high bits are random, which sorts faster than
    indices by keys. Two equal high parts would keep their order: for a million numbers, 44 random
    bits each, that happens once in 35 draws.
    """
    index_bits = max(count - 1, 0).bit_length()
    keys = generator.bits(xp, count)
    keys >>= numpy.uint64(index_bits)
    keys <<= numpy.uint64(index_bits)
    keys |= xp.arange(count, dtype=numpy.uint64)
    keys = xp.sort(keys)
    keys &= numpy.uint64((1 << index_bits) - 1)
    return keys.view(numpy.int64)


def multinomial(generator: Generator, xp: Any, weights: Any, count: int, replacement: bool) -> Any:
    """Draw indices of each row of weights; `Generator.multinomial` says how."""
    _check_weights(xp, weights, count, replacement)
    rows = weights.reshape(-1, weights.shape[-1]).astype(numpy.float64)
    if replacement or count == 1:
        drawn = _with_replacement(generator, xp, rows, count)
    else:
        drawn = _without_replacement(generator, xp, rows, count)
    return drawn.reshape(*weights.shape[:-1], count)


def _without_replacement(generator: Generator, xp: Any, rows: Any, count: int) -> Any:
    # A race: each index arrives after an exponential time of rate `weight`, the first ones win.
    times = generator.exponential(xp, rows.shape, "float64")
    with numpy.errstate(divide="ignore", over="ignore"):
        times /= rows
    return xp.argsort(times, axis=1, kind="stable")[:, :count]


def _with_replacement(generator: Generator, xp: Any, rows: Any, count: int) -> Any:
    # Sums of floating-point numbers depend on a device's order of adding, sums of integers do
    # not: weights become integers, as large as the running sum over all rows allows.
    height, width = rows.shape
    shares = rows / rows.max(axis=1, keepdims=True)
    shares *= 2.0 ** (62 - rows.size.bit_length())
    ends = xp.cumsum(shares.reshape(-1).astype(numpy.int64)).astype(numpy.uint64)
    row_ends = ends[width - 1 :: width].reshape(-1, 1)
    row_starts = xp.zeros_like(row_ends)
    row_starts[1:] = row_ends[:-1]
    words = generator.bits(xp, height * count).reshape(height, count)
    points = multiply_high(xp, words, row_ends - row_starts)
    points += row_starts
    cells = xp.searchsorted(ends, points.reshape(-1), side="right").reshape(height, count)
    return cells - xp.arange(height).reshape(-1, 1) * width


def _check_weights(xp: Any, weights: Any, count: int, replacement: bool) -> None:
    if weights.dtype.name not in DIGITS:
        raise DtypeError(
            f"multinomial(): the weights must be floating-point, not {weights.dtype}; for example "
            "weights.float()"
        )
    if weights.ndim not in (1, 2) or weights.shape[-1] == 0:
        raise ArgumentError(
            "multinomial(): the weights must be of shape (categories,) or (rows, categories), but "
            f"their shape is {weights.shape}"
        )
    if count < 1:
        raise ArgumentError(f"multinomial(): at least 1 sample must be drawn, not {count}")
    if not bool(xp.all((weights >= 0) & (weights < math.inf))):
        raise ArgumentError("multinomial(): the weights include a negative, infinite or nan one")
    possible = (weights > 0).sum(axis=-1)
    if not bool(xp.all(possible > 0)):
        raise ArgumentError("multinomial(): a row of weights is zero throughout")
    if not replacement and not bool(xp.all(possible >= count)):
        raise ArgumentError(
            f"multinomial(): {count} samples without replacement need as many weights above zero, "
            f"but a row has {int(possible.min())}; pass replacement=True or draw fewer"
        )
