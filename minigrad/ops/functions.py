"""Functions of one element: exponentials, logarithms, angles, roots, powers, rounding."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration, Traced, primitive
from minigrad.ops.elementwise import sgn
from minigrad.ops.promotion import agree, convert, elementwise, transcendental
from minigrad.ops.select import where, zero

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "cos", "cosh", "deg2rad", "exp",
    "exp2", "expm1", "fix", "float_power", "floor", "frac", "hypot", "log", "log10", "log1p",
    "log2", "pow", "rad2deg", "reciprocal", "round", "rsqrt", "sin", "sinh", "sqrt", "square",
    "tan", "tanh", "trunc",
]  # fmt: skip

LN2 = math.log(2.0)
LN10 = math.log(10.0)


@transcendental(input=lambda g, out: g * out)
def exp(xp: Any, input: Any) -> Any:
    """e to the power of every element."""
    return xp.exp(input)


@transcendental(input=lambda g, out: g * (out * LN2))
def exp2(xp: Any, input: Any) -> Any:
    """2 to the power of every element."""
    return xp.exp2(input)


@transcendental(input=lambda g, out: g * (out + 1))
def expm1(xp: Any, input: Any) -> Any:
    """exp(x) - 1, exact also for small x."""
    return xp.expm1(input)


@transcendental(input=lambda g, input: g / input)
def log(xp: Any, input: Any) -> Any:
    """The natural logarithm."""
    return xp.log(input)


@transcendental(input=lambda g, input: g / (input * LN2))
def log2(xp: Any, input: Any) -> Any:
    """The logarithm to base 2."""
    return xp.log2(input)


@transcendental(input=lambda g, input: g / (input * LN10))
def log10(xp: Any, input: Any) -> Any:
    """The logarithm to base 10."""
    return xp.log10(input)


@transcendental(input=lambda g, input: g / (input + 1))
def log1p(xp: Any, input: Any) -> Any:
    """log(1 + x), exact also for small x."""
    return xp.log1p(input)


@transcendental(input=lambda g, input: g * cos(input))
def sin(xp: Any, input: Any) -> Any:
    """The sine of angles in radians."""
    return xp.sin(input)


@transcendental(input=lambda g, input: -g * sin(input))
def cos(xp: Any, input: Any) -> Any:
    """The cosine of angles in radians."""
    return xp.cos(input)


@transcendental(input=lambda g, out: g * (1 + out * out))
def tan(xp: Any, input: Any) -> Any:
    """The tangent of angles in radians."""
    return xp.tan(input)


@transcendental(input=lambda g, input: g * rsqrt(1 - input * input))
def asin(xp: Any, input: Any) -> Any:
    """The angle whose sine is x, in radians."""
    return xp.arcsin(input)


@transcendental(input=lambda g, input: -g * rsqrt(1 - input * input))
def acos(xp: Any, input: Any) -> Any:
    """The angle whose cosine is x, in radians."""
    return xp.arccos(input)


@transcendental(input=lambda g, input: g / (input * input + 1))
def atan(xp: Any, input: Any) -> Any:
    """The angle whose tangent is x, in radians."""
    return xp.arctan(input)


@transcendental(input=lambda g, input: g * cosh(input))
def sinh(xp: Any, input: Any) -> Any:
    """The hyperbolic sine."""
    return xp.sinh(input)


@transcendental(input=lambda g, input: g * sinh(input))
def cosh(xp: Any, input: Any) -> Any:
    """The hyperbolic cosine."""
    return xp.cosh(input)


@transcendental(input=lambda g, out: g * (1 - out * out))
def tanh(xp: Any, input: Any) -> Any:
    """The hyperbolic tangent."""
    return xp.tanh(input)


@transcendental(input=lambda g, input: g * rsqrt(input * input + 1))
def asinh(xp: Any, input: Any) -> Any:
    """The inverse of the hyperbolic sine."""
    return xp.arcsinh(input)


@transcendental(input=lambda g, input: g * (rsqrt(input - 1) * rsqrt(input + 1)))
def acosh(xp: Any, input: Any) -> Any:
    """The inverse of the hyperbolic cosine, for elements of at least 1."""
    return xp.arccosh(input)


@transcendental(input=lambda g, input: g / (1 - input * input))
def atanh(xp: Any, input: Any) -> Any:
    """The inverse of the hyperbolic tangent, for elements between -1 and 1."""
    return xp.arctanh(input)


arcsin, arccos, arctan = asin, acos, atan
arcsinh, arccosh, arctanh = asinh, acosh, atanh


@transcendental(input=lambda g, out: g / (out * 2))
def sqrt(xp: Any, input: Any) -> Any:
    """The square root; its gradient at 0 is infinite."""
    return xp.sqrt(input)


@transcendental(input=lambda g, out: g * (out * out * out * -0.5))
def rsqrt(xp: Any, input: Any) -> Any:
    """One over the square root."""
    return 1 / xp.sqrt(input)


@transcendental(input=lambda g, out: -g * (out * out))
def reciprocal(xp: Any, input: Any) -> Any:
    """One over every element."""
    return 1 / input


@transcendental(input=lambda g: g * (math.pi / 180))
def deg2rad(xp: Any, input: Any) -> Any:
    """Degrees as radians."""
    return input * (math.pi / 180)


@transcendental(input=lambda g: g * (180 / math.pi))
def rad2deg(xp: Any, input: Any) -> Any:
    """Radians as degrees."""
    return input * (180 / math.pi)


def floats(*values: Any) -> tuple[Any, ...]:
    """Integer operands in the default dtype, others as they are."""
    return tuple(
        value.astype(dtypes.get_default_dtype())
        if getattr(value, "dtype", dtypes.float32).kind in "biu"
        else value
        for value in values
    )


@elementwise(
    input=lambda g, input, other: g * (other / (input * input + other * other)),
    other=lambda g, input, other: -g * (input / (input * input + other * other)),
)
def atan2(xp: Any, input: Any, other: Any) -> Any:
    """The angle of the point (other, input) in radians, from -pi to pi."""
    return xp.arctan2(*floats(input, other))


arctan2 = atan2


@elementwise(
    input=lambda g, out, input: g * (input / where(out == 0, float("inf"), out)),
    other=lambda g, out, other: g * (other / where(out == 0, float("inf"), out)),
)
def hypot(xp: Any, input: Any, other: Any) -> Any:
    """The length of the hypotenuse, sqrt(input ** 2 + other ** 2), without overflow."""
    return xp.hypot(input, other)


@elementwise(
    input=lambda g, out, input: g * (sgn(out) * sgn(input)),
    other=lambda g: zero(g),
)
def copysign(xp: Any, input: Any, other: Any) -> Any:
    """The magnitudes of the input with the signs of the other."""
    return xp.copysign(*floats(input, other))


def _not_bools(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    if all(getattr(value, "dtype", None) is dtypes.bool for value in arguments.values()):
        raise DtypeError(
            f"{operation}(): both arguments are bool, for which no power is defined; "
            f"convert the first, for example input.int()"
        )
    return agree(operation, arguments)


def _pow_by_input(g: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (int, float)):
        if exponent == 2:
            return g * (input * 2)
        return zero(g) if exponent == 0 else g * (_pow(input, exponent - 1) * exponent)
    if isinstance(exponent, complex):
        return g * (_pow(input, exponent - 1) * exponent)
    flat = exponent == 0
    return where(flat, 0, g * (exponent * _pow(input, where(flat, 0, exponent - 1))))


def _pow_by_exponent(g: Any, out: Any, input: Any, exponent: Any) -> Any:
    if not hasattr(input, "dtype"):
        if input == 0:
            return where(_is_rising(exponent), 0, g * (out * -math.inf))
        return g * (out * _log_of_number(input, out))
    # At 0 ** exponent = 0 the logarithm is infinite, and the slope 0.
    flat = (input == 0) & _is_rising(exponent)
    return where(flat, 0, g * (out * log(where(flat, 1, input))))


def _is_rising(exponent: Any) -> Any:
    if not hasattr(exponent, "dtype"):
        return exponent.real >= 0
    return exponent.real >= 0 if exponent.dtype.kind == "c" else exponent >= 0


def _log_of_number(value: Any, like: Any) -> Any:
    if isinstance(value, complex) or like.dtype.kind == "c":
        from cmath import log as complex_log

        return complex_log(value)
    return math.log(value) if value > 0 else math.nan


@Declaration(agree=_not_bools, broadcasts=True)(input=_pow_by_input, exponent=_pow_by_exponent)
def _pow(xp: Any, input: Any, exponent: Any) -> Any:
    if exponent.__class__ is int or exponent.__class__ is float:
        simple = _SIMPLE_POWERS.get(exponent)
        if simple is not None:
            return simple(xp, input)
    try:
        return input**exponent
    except ValueError:
        if exponent.ndim == 0:
            raise ArgumentError(
                f"pow(): argument 'exponent' is {exponent}, and integers have no negative integer "
                f"powers; convert the input first, for example input.float() ** {exponent}"
            ) from None
    # As torch: of the negative powers of an integer only those of 1 and -1 are not 0.
    parity = xp.where(exponent % 2 == 0, xp.abs(input), input)
    negative = xp.where(xp.abs(input) == 1, parity, 0)
    return xp.where(exponent < 0, negative, input ** xp.maximum(exponent, 0)).astype(input.dtype)


# General powers take ten times as long as a product.
_SIMPLE_POWERS: dict[float, Any] = {
    2: lambda xp, x: x * x,
    3: lambda xp, x: x * x * x,
    0.5: lambda xp, x: xp.sqrt(x),
    -0.5: lambda xp, x: 1 / xp.sqrt(x),
    -1: lambda xp, x: 1 / x,
    -2: lambda xp, x: 1 / (x * x),
}


def pow(input: Any, exponent: Any) -> Any:
    """The input to the power of the exponent, elementwise; either may be a number.

    >>> import minigrad
    >>> minigrad.pow(minigrad.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    return _pow(input, exponent)


def square(input: Any) -> Any:
    """Every element times itself."""
    return _pow(input, 2)


def float_power(input: Any, exponent: Any) -> Any:
    """The input to the power of the exponent, computed in float64 or complex128."""
    values = (input, exponent)
    kinds = [v.dtype.kind if hasattr(v, "dtype") else "c" * isinstance(v, complex) for v in values]
    dtype = dtypes.complex128 if "c" in kinds else dtypes.float64
    return _pow(*(convert(v, dtype) if hasattr(v, "dtype") else v for v in values))


def _rounding(operation: str, input: Any) -> bool:
    """Whether there is anything to round; raises DtypeError for bools."""
    kind = input.dtype.kind
    if kind == "b":
        raise DtypeError(f"{operation}(): argument 'input' is bool, which is never rounded")
    return kind not in "iu"


@primitive(input=lambda g: zero(g))
def floor(xp: Any, input: Any) -> Any:
    """The largest integer that is not larger."""
    return xp.floor(input) if _rounding("floor", input) else input.copy()


@primitive(input=lambda g: zero(g))
def ceil(xp: Any, input: Any) -> Any:
    """The smallest integer that is not smaller."""
    return xp.ceil(input) if _rounding("ceil", input) else input.copy()


@primitive(input=lambda g: zero(g))
def trunc(xp: Any, input: Any) -> Any:
    """The integer part: rounded toward zero."""
    return xp.trunc(input) if _rounding("trunc", input) else input.copy()


fix = trunc


@primitive(input=lambda g: g)
def frac(xp: Any, input: Any) -> Any:
    """What `trunc` takes away; it has the element's sign."""
    if not _rounding("frac", input):
        raise DtypeError(f"frac(): argument 'input' must be floating, got {input.dtype}")
    return input - xp.trunc(input)


@primitive(input=lambda g: zero(g))
def _round(xp: Any, input: Any, *, decimals: int) -> Any:
    if not _rounding("round", input):
        return input.copy() if decimals >= 0 else xp.round(input, decimals)
    if input.dtype.kind == "c":
        raise DtypeError("round(): argument 'input' is complex; round its .real and .imag")
    if decimals == 0:
        return xp.rint(input)
    if decimals > 0:
        return xp.rint(input * 10.0**decimals) / 10.0**decimals
    return xp.rint(input / 10.0**-decimals) * 10.0**-decimals


def round(input: Any, *, decimals: int = 0) -> Any:
    """The nearest integer, or number with so many decimals; halves go to the even neighbour."""
    return _round(input, decimals=decimals)
