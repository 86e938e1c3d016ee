"""NumPy's functions of elements, each one line: NumPy's dtypes, minigrad's operation."""

from __future__ import annotations

import math
from typing import Any

import numpy

from minigrad.numpy.ufuncs import binary, unary
from minigrad.ops import compare, functions, select, special
from minigrad.ops import elementwise as arithmetic
from minigrad.ops import power as powers

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "ceil",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "equal",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "float_power",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gcd",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "invert",
    "isfinite",
    "isinf",
    "isnan",
    "lcm",
    "left_shift",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "nextafter",
    "not_equal",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "remainder",
    "right_shift",
    "rint",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "spacing",
    "sqrt",
    "square",
    "subtract",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
]  # fmt: skip


def _but_bools(operation: Any) -> Any:
    """The operation for numbers; bools stay as they are."""

    def function(x: Any) -> Any:
        return x if x._array.dtype.kind == "b" else operation(x)

    return function


def _sign(x: Any) -> Any:
    # Torch's sign of NaN is 0, NumPy's is NaN.
    result = arithmetic.sgn(x)
    return select.where(compare.isnan(x), math.nan, result) if x.dtype.kind in "fc" else result


# Arithmetic.

add = binary(numpy.add, arithmetic._add, weak=True)
subtract = binary(numpy.subtract, arithmetic._sub, weak=True)
multiply = binary(numpy.multiply, arithmetic.mul, weak=True)
divide = true_divide = binary(numpy.divide, arithmetic._div, weak=True)
floor_divide = binary(numpy.floor_divide, arithmetic.floor_divide)
remainder = mod = binary(numpy.remainder, arithmetic.remainder)
fmod = binary(numpy.fmod, arithmetic.fmod)
power = binary(numpy.power, powers._pow, weak=True)
float_power = binary(numpy.float_power, powers._pow)
negative = unary(numpy.negative, arithmetic.neg)
positive = unary(numpy.positive, arithmetic.positive)
absolute = unary(numpy.absolute, _but_bools(arithmetic.abs))
fabs = unary(numpy.fabs, arithmetic.abs)
sign = unary(numpy.sign, _sign)
conjugate = conj = unary(numpy.conjugate, arithmetic.conj)
square = unary(numpy.square, powers.square)
reciprocal = unary(numpy.reciprocal, functions.reciprocal)
gcd = binary(numpy.gcd)
lcm = binary(numpy.lcm)

# Functions of floats.

exp = unary(numpy.exp, functions.exp)
exp2 = unary(numpy.exp2, functions.exp2)
expm1 = unary(numpy.expm1, functions.expm1)
log = unary(numpy.log, functions.log)
log2 = unary(numpy.log2, functions.log2)
log10 = unary(numpy.log10, functions.log10)
log1p = unary(numpy.log1p, functions.log1p)
sqrt = unary(numpy.sqrt, functions.sqrt)
sin = unary(numpy.sin, functions.sin)
cos = unary(numpy.cos, functions.cos)
tan = unary(numpy.tan, functions.tan)
arcsin = asin = unary(numpy.arcsin, functions.asin)
arccos = acos = unary(numpy.arccos, functions.acos)
arctan = atan = unary(numpy.arctan, functions.atan)
sinh = unary(numpy.sinh, functions.sinh)
cosh = unary(numpy.cosh, functions.cosh)
tanh = unary(numpy.tanh, functions.tanh)
arcsinh = asinh = unary(numpy.arcsinh, functions.asinh)
arccosh = acosh = unary(numpy.arccosh, functions.acosh)
arctanh = atanh = unary(numpy.arctanh, functions.atanh)
deg2rad = unary(numpy.deg2rad, functions.deg2rad)
radians = unary(numpy.radians, functions.deg2rad)
rad2deg = unary(numpy.rad2deg, functions.rad2deg)
degrees = unary(numpy.degrees, functions.rad2deg)
arctan2 = atan2 = binary(numpy.arctan2, functions.atan2)
hypot = binary(numpy.hypot, functions.hypot)
copysign = binary(numpy.copysign, functions.copysign)
logaddexp = binary(numpy.logaddexp, special.logaddexp)
logaddexp2 = binary(numpy.logaddexp2, special.logaddexp2)
nextafter = binary(numpy.nextafter)
spacing = unary(numpy.spacing)

# Rounding.

floor = unary(numpy.floor, _but_bools(functions.floor))
ceil = unary(numpy.ceil, _but_bools(functions.ceil))
trunc = unary(numpy.trunc, _but_bools(functions.trunc))


def rounded(x: Any) -> Any:
    # Of the parts of a complex number each is rounded; integers stay as they are.
    if x.dtype.kind == "c":
        return functions.round(arithmetic.real(x)) + 1j * functions.round(arithmetic.imag(x))
    return functions.round(x)


rint = unary(numpy.rint, rounded)

# Extremes and steps.

maximum = binary(numpy.maximum, select.maximum)
minimum = binary(numpy.minimum, select.minimum)
fmax = binary(numpy.fmax, select.fmax)
fmin = binary(numpy.fmin, select.fmin)
heaviside = binary(numpy.heaviside, select.heaviside)

# Questions about elements: no gradient goes through.

equal = binary(numpy.equal, compare.eq, compares=True)
not_equal = binary(numpy.not_equal, compare.ne, compares=True)
less = binary(numpy.less, compare.lt, compares=True)
less_equal = binary(numpy.less_equal, compare.le, compares=True)
greater = binary(numpy.greater, compare.gt, compares=True)
greater_equal = binary(numpy.greater_equal, compare.ge, compares=True)
logical_and = binary(numpy.logical_and, compare.logical_and)
logical_or = binary(numpy.logical_or, compare.logical_or)
logical_xor = binary(numpy.logical_xor, compare.logical_xor)
logical_not = unary(numpy.logical_not, compare.logical_not)
isnan = unary(numpy.isnan, compare.isnan)
isinf = unary(numpy.isinf, compare.isinf)
isfinite = unary(numpy.isfinite, compare.isfinite)
signbit = unary(numpy.signbit, compare.signbit)

# Bits.

bitwise_and = binary(numpy.bitwise_and, compare.bitwise_and)
bitwise_or = binary(numpy.bitwise_or, compare.bitwise_or)
bitwise_xor = binary(numpy.bitwise_xor, compare.bitwise_xor)
invert = bitwise_not = bitwise_invert = unary(numpy.invert, compare.bitwise_not)
left_shift = bitwise_left_shift = binary(numpy.left_shift, compare.bitwise_left_shift)
right_shift = bitwise_right_shift = binary(numpy.right_shift, compare.bitwise_right_shift)
bitwise_count = unary(numpy.bitwise_count)

abs = absolute
pow = power
