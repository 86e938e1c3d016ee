"""Functions of elements that are made of others: parts, rounding, bounds, closeness."""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.numpy.base import common, delivered, floating, lift, like_kinds, raw
from minigrad.numpy.elementwise import (
    absolute,
    copysign,
    equal,
    exp2,
    floor_divide,
    isfinite,
    isnan,
    logical_and,
    logical_or,
    rad2deg,
    remainder,
    rounded,
    trunc,
)
from minigrad.ops import compare, functions, select, special
from minigrad.ops import elementwise as arithmetic
from minigrad.ops import power as powers
from minigrad.ops.promotion import convert

__all__ = [
    "allclose", "angle", "around", "array_equal", "array_equiv", "cbrt", "clip", "divmod", "fix",
    "frexp", "imag", "isclose", "iscomplex", "isneginf", "isposinf", "isreal", "ldexp", "modf",
    "nan_to_num", "real", "real_if_close", "round", "sinc",
]  # fmt: skip


def divmod(x1: Any, x2: Any, /) -> tuple[Any, Any]:
    """The floor of the quotient, and the remainder."""
    return floor_divide(x1, x2), remainder(x1, x2)


def modf(x: Any, /) -> tuple[Any, Any]:
    """The fraction and the whole part, both with the sign of the element."""
    x = floating(x)
    whole = functions.trunc(x)
    return copysign(x - whole, x), whole


def frexp(x: Any, /) -> tuple[Any, Any]:
    """The mantissa, between 1/2 and 1, and the exponent of 2."""
    x = floating(x)
    _, exponent = numpy.frexp(x._array)
    exponent = lift(exponent)
    return ldexp(x, -exponent), exponent


def ldexp(x1: Any, x2: Any, /) -> Any:
    """`x1` times 2 to the power of the integer `x2`, without overflow on the way."""
    x1, x2 = floating(x1), lift(x2)
    half = floor_divide(x2, 2)
    return x1 * convert(exp2(half * 1.0), x1.dtype) * convert(exp2((x2 - half) * 1.0), x1.dtype)


def cbrt(x: Any, /, out: Any = None, *, where: Any = True) -> Any:
    """The real cube root."""
    return delivered(_cbrt(x), out, where, "cbrt")


def _cbrt(x: Any) -> Any:
    x = floating(x)
    return functions.copysign(powers._pow(arithmetic.abs(x), 1 / 3), x)


def fix(x: Any, out: Any = None) -> Any:
    """The elements rounded towards zero."""
    return trunc(x, out)


def round(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """The elements rounded to so many decimals, halves to even."""
    a = lift(a)
    kind = a.dtype.kind
    if kind == "b":
        a = convert(a, numpy.dtype("float16"))
    if decimals == 0:
        result = rounded(a) if kind != "u" else a
    elif kind == "c":
        real, imag = arithmetic.real(a), arithmetic.imag(a)
        result = functions.round(real, decimals=decimals)
        result = result + 1j * functions.round(imag, decimals=decimals)
    elif kind in "iu":
        found = numpy.round(a._array, decimals)
        result = lift(found)
    else:
        result = functions.round(a, decimals=decimals)
    return delivered(result, out, True, "round")


around = round


def clip(
    a: Any, /, min: Any = None, max: Any = None, out: Any = None, *, a_min: Any = None,
    a_max: Any = None,
) -> Any:  # fmt: skip
    """The elements, but at least `min` and at most `max`; where these cross, `max`."""
    min = a_min if min is None else min
    max = a_max if max is None else max
    a = lift(a)
    bounds = [None if bound is None else _within(a, bound) for bound in (min, max)]
    given = [bound for bound in bounds if bound is not None]
    if not given:
        return delivered(a, out, True, "clip")
    if not all(type(bound) in (int, float) for bound in given):
        bounds = [None if bound is None else lift(bound) for bound in bounds]
    kind = common(a, *given)
    low, high = (convert(bound, kind) if hasattr(bound, "dtype") else bound for bound in bounds)
    return delivered(select.clamp(convert(a, kind), low, high), out, True, "clip")


def _within(a: Any, bound: Any) -> Any:
    """A Python integer as a bound of integers, moved into their range."""
    if type(bound) is int and a.dtype.kind in "iu":
        limits = numpy.iinfo(a.dtype)
        return numpy.clip(bound, int(limits.min), int(limits.max)).item()
    return bound


def real(val: Any, /) -> Any:
    """The real part; real arrays themselves."""
    val = lift(val)
    return arithmetic.real(val) if val.dtype.kind == "c" else val


def imag(val: Any, /) -> Any:
    """The imaginary part; zeros for real arrays."""
    val = lift(val)
    return arithmetic.imag(val) if val.dtype.kind == "c" else val * 0


def real_if_close(a: Any, tol: float = 100) -> Any:
    """The real part where all imaginary parts are within `tol` times the precision, else `a`."""
    a = lift(a)
    if a.dtype.kind != "c":
        return a
    limit = tol * numpy.finfo(a.dtype).eps if tol > 1 else tol
    return real(a) if bool((abs(raw(a).imag) < limit).all()) else a


def angle(z: Any, deg: bool = False) -> Any:
    """The angle of complex numbers in the plane, in radians or degrees."""
    result = arithmetic.angle(floating(z))
    return rad2deg(result) if deg else result


def sinc(x: Any, /) -> Any:
    """sin(pi x) / (pi x), 1 at zero."""
    return special.sinc(floating(x))


def nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """NaN replaced by `nan`, infinities by the largest numbers or what is given."""
    x = lift(x)
    if x.dtype.kind != "c":
        return select.nan_to_num(x, nan, posinf, neginf)
    real, imag = arithmetic.real(x), arithmetic.imag(x)
    return select.nan_to_num(real, nan, posinf, neginf) + 1j * select.nan_to_num(
        imag, nan, posinf, neginf
    )


def isposinf(x: Any, /) -> Any:
    """Which elements are positive infinity."""
    return compare.isposinf(lift(x))


def isneginf(x: Any, /) -> Any:
    """Which elements are negative infinity."""
    return compare.isneginf(lift(x))


def isreal(x: Any, /) -> Any:
    """Which elements have no imaginary part."""
    return compare.isreal(lift(x))


def iscomplex(x: Any, /) -> Any:
    """Which elements have an imaginary part."""
    return compare.logical_not(compare.isreal(lift(x)))


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Which elements are equal within `atol + rtol * abs(b)`."""
    a, b = like_kinds(a, b)
    near = absolute(a - b) <= atol + rtol * absolute(b) if a.dtype.kind != "b" else a == b
    near = logical_or(logical_and(near, isfinite(b)), equal(a, b))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are equal within `atol + rtol * abs(b)`."""
    return bool(isclose(a, b, rtol, atol, equal_nan)._array.all())


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Whether two arrays have the same shape and elements."""
    a1, a2 = lift(a1), lift(a2)
    return bool(numpy.array_equal(a1._array, a2._array, equal_nan=equal_nan))


def array_equiv(a1: Any, a2: Any) -> bool:
    """Whether two arrays have the same elements when they are broadcast."""
    return bool(numpy.array_equiv(lift(a1)._array, lift(a2)._array))
