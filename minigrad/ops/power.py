"""Powers, of numbers and tensors on either side."""

from __future__ import annotations

import math
from cmath import log as complex_log
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration
from minigrad.ops.functions import log
from minigrad.ops.promotion import agree, convert
from minigrad.ops.select import where, zero

__all__ = ["float_power", "pow", "square"]


def _not_bools(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    if all(getattr(value, "dtype", None) == dtypes.bool for value in arguments.values()):
        raise DtypeError(
            f"{operation}(): both arguments are bool, for which no power is defined; "
            f"convert the first, for example input.int()"
        )
    base, exponent = arguments.values()
    if exponent.__class__ is int and exponent < 0 and getattr(base, "dtype", None) is dtypes.uint8:
        raise ArgumentError(
            f"{operation}(): argument 'exponent' is {exponent}, and integers have no negative "
            f"integer powers; convert the input first, for example input.float() ** {exponent}"
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


def _float_power_in_place(input: Any, exponent: Any) -> Any:
    """`float_power` where its result has the input's dtype, for use in place."""
    result = float_power(input, exponent)
    if result.dtype != input.dtype:
        raise DtypeError(
            f"float_power_(): the result has dtype {result.dtype} and cannot be stored in a "
            f"tensor of dtype {input.dtype}; convert it first, or use float_power()"
        )
    return result
