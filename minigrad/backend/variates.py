"""From random words to distributed numbers: the distributions, one `Variate` for each dtype.

Everything is made of operations that every device rounds alike, so that the same words give the
same numbers. A word is cut into pieces of 16, 32 or 64 bits, the low end first, which is how
little-endian memory holds it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy

from minigrad.backend.philox import BLOCK, multiply_high
from minigrad.backend.quantiles import DOUBLE, SINGLE, minus_log, normal_quantiles
from minigrad.errors import ArgumentError, DtypeError

DIGITS = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
"""The binary digits of each floating-point format."""

_PARTS = {"complex64": "float32", "complex128": "float64"}


class Floating(NamedTuple):
    """What a draw needs to know of a floating or complex dtype."""

    dtype: numpy.dtype[Any]
    name: str
    parts: str | None
    """The dtype of the two parts of a complex dtype."""
    computed: str
    """The dtype that normal and exponential numbers are computed in."""


@functools.cache
def floating(operation: str, dtype: Any) -> Floating:
    """The floating or complex dtype that a draw names; DtypeError for any other."""
    dtype = numpy.dtype(dtype)
    name = dtype.name
    if name not in DIGITS and name not in _PARTS:
        raise DtypeError(
            f"{operation}(): argument 'dtype' must be a floating or complex dtype, not {name}; "
            "for example float32"
        )
    return Floating(dtype, name, _PARTS.get(name), "float64" if name == "float64" else "float32")


class Variate(NamedTuple):
    """One distribution in one dtype: how many values a block of words gives, and which.

    `make(xp, words, count)` returns the first `count` values; it may overwrite the words.
    """

    per_block: int
    make: Callable[[Any, Any, int], Any]


def _uniform(unsigned: Any, signed: Any, computed: Any, dtype: str) -> Variate:
    digits = DIGITS[dtype]
    width = 8 * numpy.dtype(unsigned).itemsize
    unused = unsigned(width - digits)
    scale = 2.0**-digits

    def make(xp: Any, words: Any, count: int) -> Any:
        pieces = words.view(unsigned)[:count]
        pieces >>= unused
        # The sign bit is clear now, and processors convert signed integers fastest.
        values = pieces.view(signed).astype(computed)
        values *= scale
        return values.astype(dtype) if width == 16 else values

    return Variate(BLOCK * 64 // width, make)


UNIFORM = {
    "bfloat16": _uniform(numpy.uint16, numpy.int16, numpy.float32, "bfloat16"),
    "float16": _uniform(numpy.uint16, numpy.int16, numpy.float32, "float16"),
    "float32": _uniform(numpy.uint32, numpy.int32, numpy.float32, "float32"),
    "float64": _uniform(numpy.uint64, numpy.int64, numpy.float64, "float64"),
}
"""Uniform in [0, 1): as many random bits as the format has binary digits."""


def _normal32(xp: Any, words: Any, count: int) -> Any:
    return normal_quantiles(xp, words.view(numpy.int32)[:count], SINGLE)


def _normal64(xp: Any, words: Any, count: int) -> Any:
    return normal_quantiles(xp, words.view(numpy.int64)[:count], DOUBLE)


NORMAL = {"float32": Variate(2 * BLOCK, _normal32), "float64": Variate(BLOCK, _normal64)}
"""Standard normals, by the inverse of their distribution function."""


def _exponential32(xp: Any, words: Any, count: int) -> Any:
    # In float64, so that numbers near zero are as finely spaced as the 32 bits allow.
    values = words.view(numpy.uint32)[:count].astype(numpy.float64)
    values += 0.5
    values *= 2.0**-32
    return minus_log(values, DOUBLE).astype(numpy.float32)


def _exponential64(xp: Any, words: Any, count: int) -> Any:
    pieces = words[:count]
    pieces >>= numpy.uint64(12)
    values = pieces.view(numpy.int64).astype(numpy.float64)
    # With 52 bits the half is kept, so that no number is 1 and no logarithm is 0.
    values += 0.5
    values *= 2.0**-52
    return minus_log(values, DOUBLE)


EXPONENTIAL = {
    "float32": Variate(2 * BLOCK, _exponential32),
    "float64": Variate(BLOCK, _exponential64),
}
"""Exponentials of rate 1, never zero."""


def below(threshold: int) -> Variate:
    """Booleans that are true with probability threshold / 2**32."""

    def make(xp: Any, words: Any, count: int) -> Any:
        if threshold == 2**32:
            return xp.ones(count, bool)
        return words.view(numpy.uint32)[:count] < numpy.uint32(threshold)

    return Variate(2 * BLOCK, make)


# Many calls ask for one range: the checks are made once.
@functools.lru_cache(maxsize=256)
def integers(low: int, high: int, dtype: Any) -> Variate:
    """Uniform integers in [low, high).

    Raises ArgumentError where the range is empty or the dtype does not hold it.
    """
    dtype = numpy.dtype(dtype)
    if low >= high:
        raise ArgumentError(
            f"integers(): 'low' must be less than 'high', but the range is [{low}, {high})"
        )
    smallest, largest = _integer_range(dtype)
    if low < smallest or high - 1 > largest:
        raise ArgumentError(
            f"integers(): the range [{low}, {high}) does not fit {dtype}, which holds the "
            f"integers from {smallest} to {largest}"
        )
    span = high - low
    offset = numpy.uint64(low % 2**64)
    narrow = span <= 2**32

    def make(xp: Any, words: Any, count: int) -> Any:
        values = _narrow(words, span) if narrow else _wide(xp, words, span)
        values += offset
        if dtype != numpy.uint64:
            values = values.view(numpy.int64).astype(dtype, copy=False)
        return values[:count]

    return Variate(BLOCK if narrow else BLOCK // 2, make)


def _integer_range(dtype: numpy.dtype[Any]) -> tuple[int, int]:
    if dtype.kind in "iu":
        limits = numpy.iinfo(dtype)
        return int(limits.min), int(limits.max)
    if dtype.kind == "b":
        return 0, 1
    if dtype.name in DIGITS:
        # Beyond this some integers have no floating-point number of their own.
        largest = 2 ** DIGITS[dtype.name]
        return -largest, largest
    raise DtypeError(
        f"integers(): argument 'dtype' must be an integer, boolean or floating dtype, not {dtype}"
    )


# Words read as binary fractions, times the span: one word a value for spans up to 2**32 and two
# beyond, so that no value is likelier than another by more than one part in 2**32. This is
# D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29 (2019), without its
# rejection step, which would make the number of words depend on their values.
def _narrow(words: Any, span: int) -> Any:
    factor, half = numpy.uint64(span), numpy.uint64(32)
    values = words >> half
    words &= numpy.uint64(0xFFFFFFFF)
    words *= factor
    words >>= half
    values *= factor
    values += words
    values >>= half
    return values


def _wide(xp: Any, words: Any, span: int) -> Any:
    low, high = words[0::2], words[1::2]
    if span == 2**64:
        return high.copy()
    factor = numpy.uint64(span)
    carried = multiply_high(xp, low, factor)
    overflows = (high * factor + carried) < carried
    return multiply_high(xp, high, factor) + overflows.astype(numpy.uint64)
