"""Comparisons, logic and bits: results that have no gradient."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, broadcasting, primitive
from minigrad.ops.operands import between, check_tensor, on_tensor
from minigrad.ops.promotion import elementwise

__all__ = [
    "allclose", "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "eq", "equal", "ge", "greater", "greater_equal", "gt",
    "isclose", "isfinite", "isinf", "isnan", "isneginf", "isposinf", "isreal", "le", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "lt", "ne",
    "not_equal", "signbit",
]  # fmt: skip


def _check_order(operation: str, input: Any) -> None:
    check_tensor(operation, "input", input)
    if input.dtype.kind == "c":
        raise DtypeError(
            f"{operation}(): complex numbers have no order; compare .abs(), .real or .imag"
        )


@on_tensor()
def eq(xp: Any, input: Any, other: Any) -> Any:
    """Where two tensors are equal, elementwise."""
    check_tensor("eq", "input", input)
    return input == other


@on_tensor()
def ne(xp: Any, input: Any, other: Any) -> Any:
    """Where two tensors differ, elementwise."""
    check_tensor("ne", "input", input)
    return input != other


@on_tensor()
def lt(xp: Any, input: Any, other: Any) -> Any:
    """Where the input is less than the other, elementwise."""
    _check_order("lt", input)
    return input < other


@on_tensor()
def le(xp: Any, input: Any, other: Any) -> Any:
    """Where the input is at most the other, elementwise."""
    _check_order("le", input)
    return input <= other


@on_tensor()
def gt(xp: Any, input: Any, other: Any) -> Any:
    """Where the input is greater than the other, elementwise."""
    _check_order("gt", input)
    return input > other


@on_tensor()
def ge(xp: Any, input: Any, other: Any) -> Any:
    """Where the input is at least the other, elementwise."""
    _check_order("ge", input)
    return input >= other


not_equal, less, less_equal, greater, greater_equal = ne, lt, le, gt, ge


@between()
def _isclose(xp: Any, input: Any, other: Any, *, rtol: float, atol: float, equal_nan: bool) -> Any:
    if input.dtype.kind not in "fc":
        # The difference of integers may not fit their dtype.
        input, other = input.astype(dtypes.float64), other.astype(dtypes.float64)
    close = xp.abs(input - other) <= atol + xp.abs(rtol * other)
    close &= xp.isfinite(other)
    close |= input == other
    if equal_nan:
        close |= (input != input) & (other != other)
    return close


def isclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Any:
    """Where |input - other| <= atol + rtol * |other|, elementwise; both must have one dtype."""
    for name, value in (("input", input), ("other", other)):
        check_tensor("isclose", name, value)
    if input.dtype != other.dtype:
        raise DtypeError(
            f"isclose(): argument 'input' is {input.dtype} and 'other' is {other.dtype}; convert "
            f"one, for example other.to(input.dtype)"
        )
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if tolerance < 0:
            raise ArgumentError(f"isclose(): argument '{name}' must not be negative: {tolerance}")
    return _isclose(input, other, rtol=rtol, atol=atol, equal_nan=equal_nan)


def allclose(
    input: Any, other: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether all elements are close, as `isclose` has it."""
    close = isclose(input, other, rtol, atol, equal_nan)
    return bool((close._array if isinstance(close, Traced) else close).all())


def equal(input: Any, other: Any) -> bool:
    """Whether two tensors have the same shape and the same elements."""
    if input.shape != other.shape:
        return False
    same = eq(input, other)
    return bool((same._array if isinstance(same, Traced) else same).all())


@primitive()
def isnan(xp: Any, input: Any) -> Any:
    """Where elements are NaN."""
    return xp.isnan(input)


@primitive()
def isinf(xp: Any, input: Any) -> Any:
    """Where elements are infinite."""
    return xp.isinf(input)


@primitive()
def isfinite(xp: Any, input: Any) -> Any:
    """Where elements are neither infinite nor NaN."""
    return xp.isfinite(input)


@primitive()
def isposinf(xp: Any, input: Any) -> Any:
    """Where elements are plus infinity."""
    _check_order("isposinf", input)
    return xp.isinf(input) & (input > 0)


@primitive()
def isneginf(xp: Any, input: Any) -> Any:
    """Where elements are minus infinity."""
    _check_order("isneginf", input)
    return xp.isinf(input) & (input < 0)


@primitive()
def isreal(xp: Any, input: Any) -> Any:
    """Where elements have no imaginary part."""
    return input.imag == 0


@primitive()
def signbit(xp: Any, input: Any) -> Any:
    """Where the sign bit is set: of negative elements and of -0.0."""
    return xp.signbit(input) if input.dtype.kind == "f" else input < 0


@primitive()
def logical_not(xp: Any, input: Any) -> Any:
    """Where elements are zero."""
    return xp.logical_not(input)


@broadcasting()
def logical_and(xp: Any, input: Any, other: Any) -> Any:
    """Where both are not zero, elementwise."""
    check_tensor("logical_and", "input", input)
    check_tensor("logical_and", "other", other)
    return xp.logical_and(input, other)


@broadcasting()
def logical_or(xp: Any, input: Any, other: Any) -> Any:
    """Where either is not zero, elementwise."""
    check_tensor("logical_or", "input", input)
    check_tensor("logical_or", "other", other)
    return xp.logical_or(input, other)


@broadcasting()
def logical_xor(xp: Any, input: Any, other: Any) -> Any:
    """Where exactly one is not zero, elementwise."""
    check_tensor("logical_xor", "input", input)
    check_tensor("logical_xor", "other", other)
    return xp.logical_xor(input, other)


@primitive()
def bitwise_not(xp: Any, input: Any) -> Any:
    """Every bit turned; of bools, the opposite."""
    return ~input


@elementwise()
def bitwise_and(xp: Any, input: Any, other: Any) -> Any:
    """The bits that both have, elementwise; of bools, where both hold."""
    return input & other


@elementwise()
def bitwise_or(xp: Any, input: Any, other: Any) -> Any:
    """The bits that either has, elementwise; of bools, where either holds."""
    return input | other


@elementwise()
def bitwise_xor(xp: Any, input: Any, other: Any) -> Any:
    """The bits that one alone has, elementwise; of bools, where they differ."""
    return input ^ other


def _check_shift(operation: str, input: Any, other: Any) -> None:
    for name, value in (("input", input), ("other", other)):
        if getattr(value, "dtype", dtypes.int64).kind not in "iu" or isinstance(value, float):
            dtype = getattr(value, "dtype", type(value).__name__)
            raise DtypeError(f"{operation}(): argument '{name}' must be integer, got {dtype}")


@elementwise()
def bitwise_left_shift(xp: Any, input: Any, other: Any) -> Any:
    """The bits moved left by so many places: the input times 2 ** other."""
    _check_shift("bitwise_left_shift", input, other)
    return input << other


@elementwise()
def bitwise_right_shift(xp: Any, input: Any, other: Any) -> Any:
    """The bits moved right by so many places: the input divided by 2 ** other, rounded down."""
    _check_shift("bitwise_right_shift", input, other)
    return input >> other
