"""Functions of one element: exponentials, logarithms, angles, roots, rounding."""

from __future__ import annotations

import math
from typing import Any

from minigrad import dtypes
from minigrad.backend.wide import wide
from minigrad.errors import DtypeError
from minigrad.graph import primitive
from minigrad.kernels import twin
from minigrad.ops.blocks import LARGE, is_small
from minigrad.ops.elementwise import mul, sgn
from minigrad.ops.operands import between, check_tensor, on_tensor
from minigrad.ops.promotion import transcendental
from minigrad.ops.select import where, zero

__all__ = [
    "acos", "acosh", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh",
    "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "cos", "cosh", "deg2rad", "exp",
    "exp2", "expm1", "fix", "floor", "frac", "hypot", "log", "log1p", "log2",
    "log10", "rad2deg", "reciprocal", "round", "rsqrt", "sin", "sinh", "sqrt",
    "tan", "tanh", "trunc",
]  # fmt: skip

LN2 = math.log(2.0)
LN10 = math.log(10.0)


@transcendental(input=lambda g, out: g * out if is_small(out) else mul(g, out))
def exp(xp: Any, input: Any) -> Any:
    """The exponential, e to the power of every element."""
    return xp.exp(input) if input.nbytes < LARGE else _exp_values(xp, input)


@twin("activation", "exp", least=1 << 15)
def _exp_values(xp: Any, input: Any) -> Any:
    return wide(xp.exp, input)


@transcendental(input=lambda g, out: g * (out * LN2))
def exp2(xp: Any, input: Any) -> Any:
    """The power of 2 whose exponent is the element."""
    return xp.exp2(input)


@transcendental(input=lambda g, out: g * (out + 1))
def expm1(xp: Any, input: Any) -> Any:
    """The exponential less 1, exact also for small x."""
    return xp.expm1(input)


@transcendental.wide(input=lambda g, input: g / input)
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
    """The natural logarithm of 1 + x, exact also for small x."""
    return xp.log1p(input)


@transcendental.wide(input=lambda g, input: g * cos(input))
def sin(xp: Any, input: Any) -> Any:
    """The sine of angles in radians."""
    return xp.sin(input)


@transcendental.wide(input=lambda g, input: -g * sin(input))
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


@transcendental.wide(
    input=lambda g, out: g * (1 - out * out) if is_small(out) else _tanh_grad(g, out)
)
def tanh(xp: Any, input: Any) -> Any:
    """The hyperbolic tangent."""
    return xp.tanh(input)


@primitive(
    grad=lambda g, value: g * (1 - value * value) if is_small(value) else _tanh_grad(g, value),
    value=lambda g, grad, value: g * (grad * (value * -2)),
)
def _tanh_grad(xp: Any, grad: Any, value: Any) -> Any:
    return _tanh_grad_values(xp, grad, value)


@twin("activation", "tanh_grad", least=1 << 15)
def _tanh_grad_values(xp: Any, grad: Any, value: Any) -> Any:
    return grad * (1 - value * value)


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


@transcendental.wide(input=lambda g, out: g / (out * 2))
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


def floats(operation: str, input: Any, other: Any) -> tuple[Any, Any]:
    """Two tensors, integers in the default dtype; raises TypeError for a number."""
    check_tensor(operation, "input", input)
    check_tensor(operation, "other", other)
    if input.dtype.kind in "biu":
        dtype = dtypes.get_default_dtype()
        return input.astype(dtype), other.astype(dtype)
    return input, other


def _square_distance(input: Any, other: Any) -> Any:
    """The square of the distance from the origin; infinite at it, where there is no direction."""
    square = input * input + other * other
    return where(square == 0, math.inf, square)


@between(
    input=lambda g, input, other: g * (other / _square_distance(input, other)),
    other=lambda g, input, other: -g * (input / _square_distance(input, other)),
)
def atan2(xp: Any, input: Any, other: Any) -> Any:
    """The angle of the point (other, input) in radians, from -pi to pi."""
    return xp.arctan2(*floats("atan2", input, other))


arctan2 = atan2


@between(
    input=lambda g, out, input: g * (input / where(out == 0, float("inf"), out)),
    other=lambda g, out, other: g * (other / where(out == 0, float("inf"), out)),
)
def hypot(xp: Any, input: Any, other: Any) -> Any:
    """The length of the hypotenuse, sqrt(input ** 2 + other ** 2), without overflow."""
    return xp.hypot(*floats("hypot", input, other))


@on_tensor(
    input=lambda g, out, input: g * (sgn(out) * sgn(input)),
    other=lambda g: zero(g),
)
def copysign(xp: Any, input: Any, other: Any) -> Any:
    """The magnitudes of the input with the signs of the other."""
    check_tensor("copysign", "input", input)
    if input.dtype.kind in "biu":
        dtype = dtypes.get_default_dtype()
        input, other = input.astype(dtype), other.astype(dtype)
    return xp.copysign(input, other)


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
