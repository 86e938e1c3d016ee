"""Numbers taken apart: mantissa and exponent, the next number, common divisors and multiples."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad import dtypes
from minigrad.errors import DtypeError
from minigrad.graph import Declaration
from minigrad.ops.elementwise import mul
from minigrad.ops.functions import trunc
from minigrad.ops.operands import between, check_tensor
from minigrad.ops.power import _pow
from minigrad.ops.promotion import convert
from minigrad.ops.select import where, zero

__all__ = ["frexp", "gcd", "lcm", "ldexp", "nextafter"]


class Frexp(NamedTuple):
    """A mantissa from 0.5 to 1 in size, and the exponent of 2 that it is multiplied by."""

    mantissa: Any
    exponent: Any


@Declaration(outputs=2)(input=lambda g, out: ldexp(g[0], -out[1]))
def _frexp(xp: Any, input: Any) -> Any:
    if input.dtype.kind != "f":
        raise DtypeError(
            f"frexp(): argument 'input' must be a real floating tensor, got {input.dtype}; "
            f"convert it first, for example input.float()"
        )
    return xp.frexp(input)


def frexp(input: Any) -> Frexp:
    """The mantissa and the int32 exponent of every element: mantissa * 2 ** exponent.

    >>> import minigrad
    >>> minigrad.frexp(minigrad.tensor([6.0])).exponent
    tensor([3], dtype=minigrad.int32)
    """
    return Frexp(*_frexp(input))


def ldexp(input: Any, other: Any) -> Any:
    """The input times 2 ** other, elementwise; the result is floating."""
    for name, value in (("input", input), ("other", other)):
        check_tensor("ldexp", name, value)
    if other.dtype.kind not in "fc":
        other = convert(other, dtypes.get_default_dtype())
    common = dtypes.result_dtype([(input.dtype, input.ndim), (other.dtype, other.ndim)], [])
    other = convert(other, common)
    if common.kind == "c":
        return mul(input, _pow(2.0, other))
    # In two steps, since 2 ** other may be beyond the dtype's range where the product is not.
    half = trunc(mul(other, 0.5))
    return mul(mul(input, _pow(2.0, half)), _pow(2.0, other - half))


@between(
    input=lambda g, input, other: where(input != other, g, 0),
    other=lambda g: zero(g),
)
def nextafter(xp: Any, input: Any, other: Any) -> Any:
    """The next number that the dtype has after the input, towards the other.

    The gradient is the input's, as if the step were a constant.
    """
    for name, value in (("input", input), ("other", other)):
        check_tensor("nextafter", name, value)
    if input.dtype.kind != "f":
        raise DtypeError(
            f"nextafter(): argument 'input' must be a real floating tensor, got {input.dtype}"
        )
    return xp.nextafter(input, other)


def _check_integers(operation: str, input: Any, other: Any) -> None:
    for name, value in (("input", input), ("other", other)):
        check_tensor(operation, name, value)
        if value.dtype.kind not in "iu":
            raise DtypeError(
                f"{operation}(): argument '{name}' must be an integer tensor, got {value.dtype}"
            )


@between()
def gcd(xp: Any, input: Any, other: Any) -> Any:
    """The greatest common divisor of two integer tensors, elementwise; 0 of two zeros."""
    _check_integers("gcd", input, other)
    return xp.gcd(input, other)


@between()
def lcm(xp: Any, input: Any, other: Any) -> Any:
    """The least common multiple of two integer tensors, elementwise; 0 beside a zero."""
    _check_integers("lcm", input, other)
    return xp.lcm(input, other)
