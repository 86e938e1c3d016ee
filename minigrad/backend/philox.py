"""Philox4x64-10: the counter-based words that every random number is made of, on any device.

Block `i` of a seed is the generator's ten rounds over the counter `i + 1` under the key
`(seed, 0)`: four 64-bit words that depend on nothing else, so any part of a sequence can be made
anywhere. NumPy holds the same generator in C; another array library computes the words in plain
integer operations, and CuPy in one CUDA kernel. All three give the same words.

J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
SC 2011.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy

BLOCK = 4
"""Words in a block."""

_ROUNDS = 10
_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_KEY_STEPS = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_WORD = 2**64
_LOW_HALF = numpy.uint64(0xFFFFFFFF)
_HALF = numpy.uint64(32)


def words(xp: Any, seed: int, start: int, blocks: int) -> Any:
    """The words of blocks `start` to `start + blocks` as uint64 of shape (4 * blocks,)."""
    if xp.__name__ == "cupy":
        return _cuda_words(xp, seed, start, blocks)
    return plain_words(xp, seed, start, blocks)


def plain_words(xp: Any, seed: int, start: int, blocks: int) -> Any:
    """The same words by elementwise integer operations of any array library."""
    first = xp.arange(blocks, dtype=numpy.uint64) + numpy.uint64(start + 1)
    second = third = fourth = xp.zeros_like(first)
    first_key, second_key = seed, 0
    for _ in range(_ROUNDS):
        high, low = _multiply(xp, first, _MULTIPLIERS[0])
        other_high, other_low = _multiply(xp, third, _MULTIPLIERS[1])
        first = other_high ^ second ^ numpy.uint64(first_key)
        third = high ^ fourth ^ numpy.uint64(second_key)
        second, fourth = other_low, low
        first_key = (first_key + _KEY_STEPS[0]) % _WORD
        second_key = (second_key + _KEY_STEPS[1]) % _WORD
    return xp.stack((first, second, third, fourth), axis=1).reshape(-1)


def _multiply(xp: Any, a: Any, multiplier: int) -> tuple[Any, Any]:
    b = numpy.uint64(multiplier)
    return multiply_high(xp, a, b), a * b


def multiply_high(xp: Any, a: Any, b: Any) -> Any:
    """The upper 64 bits of the 128-bit product of two uint64 values."""
    a_low, a_high = a & _LOW_HALF, a >> _HALF
    b_low, b_high = b & _LOW_HALF, b >> _HALF
    # No sum overflows: (2**32 - 1)**2 + 2 * (2**32 - 1) is 2**64 - 1.
    middle = a_high * b_low + ((a_low * b_low) >> _HALF)
    crossed = a_low * b_high + (middle & _LOW_HALF)
    return a_high * b_high + (middle >> _HALF) + (crossed >> _HALF)


class HostWords:
    """The same words as NumPy arrays, from NumPy's generator in C; not thread-safe by itself."""

    def __init__(self) -> None:
        self._source: Any = None
        self._next: tuple[int, int] | None = None

    def __call__(self, seed: int, start: int, blocks: int) -> Any:
        """The words of blocks `start` to `start + blocks` as uint64 of shape (4 * blocks,)."""
        if self._source is None:
            # NumPy imports its random module, 20 ms, when the name is first used.
            self._source = numpy.random.Philox(key=0)
        if self._next != (seed, start):
            self._move(seed, start)
        # Forgotten while words are drawn: an interrupted draw leaves the source anywhere.
        self._next = None
        drawn = self._source.random_raw(BLOCK * blocks)
        self._next = (seed, start + blocks)
        return drawn

    def _move(self, seed: int, start: int) -> None:
        # NumPy counts up before it makes a block: from `start` the next is `start + 1`.
        self._source.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": numpy.array([start, 0, 0, 0], numpy.uint64),
                "key": numpy.array([seed, 0], numpy.uint64),
            },
            "buffer": numpy.zeros(BLOCK, numpy.uint64),
            "buffer_pos": BLOCK,
            "has_uint32": 0,
            "uinteger": 0,
        }


CUDA_SOURCE = r"""
typedef unsigned long long word;

extern "C" __global__ void philox_words(word* words, word seed, word start, word blocks) {
    word index = (word)blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= blocks) return;
    const word first_multiplier = 0xD2E7470EE14C6C93ULL;
    const word second_multiplier = 0xCA5A826395121157ULL;
    word first = start + index + 1, second = 0, third = 0, fourth = 0;
    word first_key = seed, second_key = 0;
    for (int round = 0; round < 10; ++round) {
        word high = __umul64hi(first, first_multiplier);
        word low = first * first_multiplier;
        word other_high = __umul64hi(third, second_multiplier);
        word other_low = third * second_multiplier;
        first = other_high ^ second ^ first_key;
        third = high ^ fourth ^ second_key;
        second = other_low;
        fourth = low;
        first_key += 0x9E3779B97F4A7C15ULL;
        second_key += 0xBB67AE8584CAA73BULL;
    }
    words[4 * index] = first;
    words[4 * index + 1] = second;
    words[4 * index + 2] = third;
    words[4 * index + 3] = fourth;
}
"""
_THREADS = 256


def _cuda_words(xp: Any, seed: int, start: int, blocks: int) -> Any:
    drawn = xp.empty(BLOCK * blocks, numpy.uint64)
    if blocks:
        arguments = (drawn, numpy.uint64(seed), numpy.uint64(start), numpy.uint64(blocks))
        _cuda_kernel(xp)((-(-blocks // _THREADS),), (_THREADS,), arguments)
    return drawn


@functools.cache
def _cuda_kernel(xp: Any) -> Any:
    return xp.RawKernel(CUDA_SOURCE, "philox_words")
