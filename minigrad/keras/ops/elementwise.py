"""keras.ops of each element alone: arithmetic, comparisons, exponentials, rounding, dtypes."""

from __future__ import annotations

from typing import Any

import minigrad
from minigrad.keras.ops.translate import binary, of_floats, operation, tensor, unary

__all__ = [
    "abs", "absolute", "add", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2",
    "arctanh", "cast", "ceil", "clip", "cos", "cosh", "divide", "divide_no_nan", "equal", "erf",
    "exp", "exp2", "expm1", "floor", "floor_divide", "greater", "greater_equal", "isclose",
    "isfinite", "isinf", "isnan", "less", "less_equal", "log", "log1p", "log2", "log10",
    "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "mod", "multiply", "nan_to_num", "negative", "not_equal", "power", "reciprocal", "round",
    "rsqrt", "sign", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "true_divide",
    "trunc", "where",
]  # fmt: skip

absolute = unary("absolute", minigrad.abs)
abs = absolute
ceil = unary("ceil", minigrad.ceil)
floor = unary("floor", minigrad.floor)
trunc = unary("trunc", minigrad.trunc)
negative = unary("negative", minigrad.neg)
sign = unary("sign", minigrad.sign)
square = unary("square", minigrad.square)
isfinite = unary("isfinite", minigrad.isfinite)
isinf = unary("isinf", minigrad.isinf)
isnan = unary("isnan", minigrad.isnan)
logical_not = unary("logical_not", minigrad.logical_not)
arccos = unary("arccos", minigrad.acos, floats=True)
arccosh = unary("arccosh", minigrad.acosh, floats=True)
arcsin = unary("arcsin", minigrad.asin, floats=True)
arcsinh = unary("arcsinh", minigrad.asinh, floats=True)
arctan = unary("arctan", minigrad.atan, floats=True)
arctanh = unary("arctanh", minigrad.atanh, floats=True)
cos = unary("cos", minigrad.cos, floats=True)
cosh = unary("cosh", minigrad.cosh, floats=True)
erf = unary("erf", minigrad.erf, floats=True)
exp = unary("exp", minigrad.exp, floats=True)
exp2 = unary("exp2", minigrad.exp2, floats=True)
expm1 = unary("expm1", minigrad.expm1, floats=True)
log = unary("log", minigrad.log, floats=True)
log10 = unary("log10", minigrad.log10, floats=True)
log1p = unary("log1p", minigrad.log1p, floats=True)
log2 = unary("log2", minigrad.log2, floats=True)
reciprocal = unary("reciprocal", minigrad.reciprocal, floats=True)
rsqrt = unary("rsqrt", minigrad.rsqrt, floats=True)
sin = unary("sin", minigrad.sin, floats=True)
sinh = unary("sinh", minigrad.sinh, floats=True)
sqrt = unary("sqrt", minigrad.sqrt, floats=True)
tan = unary("tan", minigrad.tan, floats=True)
tanh = unary("tanh", minigrad.tanh, floats=True)

add = binary("add", minigrad.add)
subtract = binary("subtract", minigrad.sub)
multiply = binary("multiply", minigrad.mul)
true_divide = binary("true_divide", minigrad.div)
divide = true_divide
floor_divide = binary("floor_divide", minigrad.floor_divide)
mod = binary("mod", minigrad.remainder)
power = binary("power", minigrad.pow)
arctan2 = binary("arctan2", minigrad.atan2, tensors=True)
logaddexp = binary("logaddexp", minigrad.logaddexp, tensors=True)
equal = binary("equal", minigrad.eq)
not_equal = binary("not_equal", minigrad.ne)
greater = binary("greater", minigrad.gt)
greater_equal = binary("greater_equal", minigrad.ge)
less = binary("less", minigrad.lt)
less_equal = binary("less_equal", minigrad.le)
logical_and = binary("logical_and", minigrad.logical_and, tensors=True)
logical_or = binary("logical_or", minigrad.logical_or, tensors=True)
logical_xor = binary("logical_xor", minigrad.logical_xor, tensors=True)
maximum = binary("maximum", minigrad.maximum, tensors=True)
minimum = binary("minimum", minigrad.minimum, tensors=True)
divide_no_nan = binary(
    "divide_no_nan",
    lambda x1, x2: minigrad.where(
        minigrad.eq(x2, 0), 0.0, x1 / minigrad.where(minigrad.eq(x2, 0), 1.0, x2)
    ),
)


@operation
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """x, limited to [x_min, x_max]."""
    return minigrad.clamp(tensor(x), x_min, x_max)


@operation
def round(x: Any, decimals: int = 0) -> Any:
    """x rounded to so many digits behind the point, halves to the even neighbour."""
    return minigrad.round(tensor(x), decimals=decimals)


@operation
def isclose(
    x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether |x1 - x2| <= atol + rtol * |x2|."""
    return minigrad.isclose(of_floats(x1), of_floats(x2), rtol, atol, equal_nan)


@operation
def nan_to_num(x: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """x with numbers in the place of NaN and the infinities."""
    return minigrad.nan_to_num(tensor(x), nan, posinf, neginf)


@operation
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """x1 where the condition holds, x2 elsewhere; the condition's places without them."""
    condition = tensor(condition)
    if condition.dtype != minigrad.bool:
        condition = minigrad.ne(condition, 0)
    if x1 is None and x2 is None:
        return tuple(minigrad.nonzero(condition).unbind(1))
    return minigrad.where(condition, _value(x1), _value(x2))


def _value(x: Any) -> Any:
    return x if isinstance(x, (bool, int, float)) else tensor(x)


@operation
def cast(x: Any, dtype: Any) -> Any:
    """x in another dtype, such as "float32", "int32" or "bool"."""
    return tensor(x, dtype)
