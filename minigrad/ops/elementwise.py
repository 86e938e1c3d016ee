"""Arithmetic on elements: sums, differences, products, quotients, magnitudes, complex parts."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Declaration, Traced, primitive, view
from minigrad.ops.operands import check_tensor, on_tensor
from minigrad.ops.promotion import agree, cast, convert, elementwise, quotient
from minigrad.ops.select import where, zero

__all__ = [
    "abs", "absolute", "add", "addcdiv", "addcmul", "angle", "conj", "conj_physical", "div",
    "divide", "floor_divide", "fmod", "imag", "lerp", "mul", "multiply", "neg", "negative",
    "positive", "real", "remainder", "resolve_conj", "rsub", "sgn", "sign", "sub", "subtract",
    "true_divide",
]  # fmt: skip

FLOAT64 = dtypes.float64


@elementwise.wide(input=lambda g: g, other=lambda g: g)
def _add(xp: Any, input: Any, other: Any) -> Any:
    return input + other


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """The sum of the input and `alpha` times the other, elementwise.

    >>> import minigrad
    >>> minigrad.add(minigrad.tensor([1, 2]), 10)
    tensor([11, 12])
    """
    return _add(input, other) if alpha == 1 else _add(*_scaled("add", input, other, alpha))


def _not_bool(operation: str, arguments: dict[str, Any]) -> tuple[Any, ...]:
    for name, value in arguments.items():
        if isinstance(value, bool) or getattr(value, "dtype", None) == dtypes.bool:
            raise DtypeError(
                f"{operation}(): argument '{name}' is bool, and subtraction of bools is not "
                f"defined; invert a mask with ~mask, or convert it first, for example mask.int()"
            )
    return agree(operation, arguments)


@Declaration(agree=_not_bool, broadcasts=True).wide(input=lambda g: g, other=lambda g: -g)
def _sub(xp: Any, input: Any, other: Any) -> Any:
    return input - other


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """The input less `alpha` times the other, elementwise. Bools are refused: use ^ or ~."""
    return _sub(input, other) if alpha == 1 else _sub(*_scaled("sub", input, other, alpha))


subtract = sub


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """The other less `alpha` times the input: `sub` with its operands exchanged."""
    check_tensor("rsub", "input", input)
    return sub(other, input, alpha=alpha)


def _scaled(
    operation: str, input: Any, other: Any, alpha: Any, name: str = "alpha"
) -> tuple[Any, Any]:
    """The operands in their common dtype, the second multiplied by the number alpha."""
    if not isinstance(alpha, (bool, int, float, complex)):
        raise TypeError(
            f"{operation}(): argument '{name}' must be a number, not {type(alpha).__name__}"
        )
    if isinstance(input, Traced) or isinstance(other, Traced):
        input, other = agree(operation, {"input": input, "other": other})
    dtype = getattr(other if hasattr(other, "dtype") else input, "dtype", None)
    if dtype is not None and dtypes.category(dtype) < dtypes.category(dtypes.scalar_dtype(alpha)):
        raise DtypeError(
            f"{operation}(): argument '{name}' is {alpha!r}, which does not fit the result's dtype "
            f"{dtype}; convert an operand first"
        )
    if isinstance(alpha, bool) and dtype != dtypes.bool:
        raise DtypeError(f"{operation}(): argument '{name}' is a bool, but the result is {dtype}")
    return input, (mul(other, alpha) if hasattr(other, "dtype") else other * alpha)


@elementwise.wide(input=lambda g, other: g * other, other=lambda g, input: g * input)
def mul(xp: Any, input: Any, other: Any) -> Any:
    """The product of two tensors, elementwise."""
    return input * other


multiply = mul


@quotient.wide(
    input=lambda g, other: g / other,
    other=lambda g, out, other: -g * out / other,
)
def _div(xp: Any, input: Any, other: Any) -> Any:
    out = input / other
    # NumPy divides integers in float64, torch in the default dtype.
    if out.dtype is FLOAT64 and _is_integral(input) and _is_integral(other):
        return out.astype(dtypes.get_default_dtype())
    return out


def _is_integral(value: Any) -> bool:
    return getattr(value, "dtype", FLOAT64).kind in "biu"


def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """The quotient of two tensors, elementwise.

    `rounding_mode` "floor" rounds it down, "trunc" toward zero; without one it is true division,
    and integers become the default dtype.

    >>> import minigrad
    >>> minigrad.div(minigrad.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode is None:
        return _div(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    if rounding_mode == "trunc":
        return _truncate_divide(input, other)
    raise ArgumentError(
        f"div(): argument 'rounding_mode' must be None, 'floor' or 'trunc', got {rounding_mode!r}"
    )


divide = div


def true_divide(input: Any, other: Any) -> Any:
    """The quotient of two tensors, elementwise; integers become the default dtype."""
    return _div(input, other)


def _check_divisor(operation: str, other: Any) -> None:
    """Refuse a complex divisor, and an integer one with a zero in it, for which no answer is."""
    kind = other.dtype.kind if hasattr(other, "dtype") else "f"
    if kind == "c" or other.__class__ is complex:
        raise DtypeError(f"{operation}(): complex numbers have no floor and no remainder")
    if kind in "iub" and (other == 0).any():
        raise ArgumentError(
            f"{operation}(): argument 'other' has a zero in it (ZeroDivisionError); divide "
            f"floating tensors, for which the result is infinite or NaN, or mask the zeros"
        )


@elementwise(input=lambda g: zero(g), other=lambda g: zero(g))
def floor_divide(xp: Any, input: Any, other: Any) -> Any:
    """The quotient rounded down, elementwise; an integer division by zero is refused."""
    _check_divisor("floor_divide", other)
    return xp.floor_divide(input, other)


@elementwise(input=lambda g: zero(g), other=lambda g: zero(g))
def _truncate_divide(xp: Any, input: Any, other: Any) -> Any:
    _check_divisor("div", other)
    if not _is_integral(other):
        return xp.trunc(input / other)
    quotient = xp.floor_divide(input, other)
    return quotient + ((quotient < 0) & (quotient * other != input)).astype(quotient.dtype)


@elementwise(input=lambda g: g, other=lambda g, input, other: -g * floor_divide(input, other))
def remainder(xp: Any, input: Any, other: Any) -> Any:
    """What a division rounded down leaves, elementwise; it has the divisor's sign, as `%` has."""
    _check_divisor("remainder", other)
    return xp.remainder(input, other)


@on_tensor(input=lambda g: g, other=lambda g, input, other: -g * _truncate_divide(input, other))
def fmod(xp: Any, input: Any, other: Any) -> Any:
    """What a division rounded toward zero leaves, elementwise; it has the dividend's sign."""
    check_tensor("fmod", "input", input)
    _check_divisor("fmod", other)
    return xp.fmod(input, other)


@primitive(input=lambda g: -g)
def neg(xp: Any, input: Any) -> Any:
    """The tensor with every sign turned. Bools are refused: use ~."""
    return -input


negative = neg


def positive(input: Any) -> Any:
    """The tensor itself. Bools are refused."""
    if input.dtype.kind == "b":
        raise DtypeError("positive(): argument 'input' is bool, which has no sign")
    return input


@primitive(input=lambda g, input: g * conj(sgn(input)))
def abs(xp: Any, input: Any) -> Any:
    """The magnitude of every element: real for complex ones. Its gradient at 0 is 0."""
    if input.dtype.kind == "b":
        raise DtypeError("abs(): argument 'input' is bool, which has no magnitude")
    return xp.abs(input)


absolute = abs


def _real_abs(input: Any) -> Any:
    """The magnitude where it has the input's dtype, for use in place."""
    if input.dtype.kind == "c":
        raise DtypeError("abs_(): a magnitude is real and cannot be stored in a complex tensor")
    return abs(input)


@primitive(input=lambda g: zero(g))
def sign(xp: Any, input: Any) -> Any:
    """Minus 1 for negative elements, 1 for positive ones, else 0; for complex ones see `sgn`."""
    if input.dtype.kind == "c":
        raise DtypeError("sign(): argument 'input' is complex, which has no sign; use sgn()")
    return _sign(xp, input)


def _sign(xp: Any, input: Any) -> Any:
    if input.dtype.kind == "b":
        return input.copy()
    return ((input > 0).astype(dtypes.int8) - (input < 0)).astype(input.dtype)


def _sgn_rule(g: Any, input: Any, out: Any) -> Any:
    if out.dtype.kind != "c":
        return zero(g)
    size = abs(input)
    across = g - real(g * out) * conj(out)
    return across / where(size == 0, float("inf"), size)


@primitive(input=_sgn_rule)
def sgn(xp: Any, input: Any) -> Any:
    """The sign of real elements; z / |z| of complex ones, and 0 at 0."""
    if input.dtype.kind != "c":
        return _sign(xp, input)
    size = xp.abs(input)
    return input / xp.where(size == 0, size.dtype.type(1), size)


@primitive(input=lambda g: conj(g))
def _conj(xp: Any, input: Any) -> Any:
    return xp.conjugate(input)


def conj(input: Any) -> Any:
    """The complex conjugate; a real tensor itself."""
    return _conj(input) if input.dtype.kind == "c" else input


conj_physical = conj


def resolve_conj(input: Any) -> Any:
    """The tensor itself: conjugates are never put off here."""
    return input


@view(input=lambda g, dtype: cast(g, to=dtype))
def _real(xp: Any, input: Any) -> Any:
    return input.real


def real(input: Any) -> Any:
    """The real part of a complex tensor, as a view; a real tensor itself."""
    return _real(input) if input.dtype.kind == "c" else input


@view(input=lambda g: g * -1j)
def _imag(xp: Any, input: Any) -> Any:
    return input.imag


def imag(input: Any) -> Any:
    """The imaginary part of a complex tensor, as a view. Raises DtypeError for a real one."""
    if input.dtype.kind != "c":
        raise DtypeError(
            f"imag(): argument 'input' must be complex, got {input.dtype}; a real tensor has no "
            f"imaginary part"
        )
    return _imag(input)


def _angle_rule(g: Any, input: Any) -> Any:
    if input.dtype.kind != "c":
        return zero(g)
    return where(input == 0, 0, g * -1j / where(input == 0, 1, input))


@primitive(input=_angle_rule)
def angle(xp: Any, input: Any) -> Any:
    """The angle of complex elements in radians; of real ones pi where they are negative, else 0."""
    if input.dtype.kind == "c":
        return xp.angle(input)
    array = input if input.dtype.kind == "f" else input.astype(dtypes.get_default_dtype())
    pi = array.dtype.type(3.141592653589793)
    return xp.where(array != array, array, (array < 0) * pi)


@elementwise(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
)
def lerp(xp: Any, input: Any, end: Any, weight: Any) -> Any:
    """The point between `input` and `end` that `weight` (a number or a tensor) says: 0 to 1."""
    dtype = input.dtype
    if dtype.itemsize == 2:
        wide = (v.astype(xp.float32) if hasattr(v, "dtype") else v for v in (input, end, weight))
        return _lerp(xp, *wide).astype(dtype)
    return _lerp(xp, input, end, weight)


def _lerp(xp: Any, input: Any, end: Any, weight: Any) -> Any:
    # From whichever end is nearer, so that a weight of 1 gives the end exactly.
    step = end - input
    if not hasattr(weight, "dtype"):
        nearer = weight.real**2 + weight.imag**2 < 0.25
        return input + weight * step if nearer else end - step * (1 - weight)
    return xp.where(xp.abs(weight) < 0.5, input + weight * step, end - step * (1 - weight))


def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """The sum of the input and value * tensor1 * tensor2, elementwise."""
    return _add_scaled("addcmul", input, mul, tensor1, tensor2, value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> Any:
    """The sum of the input and value * tensor1 / tensor2, elementwise; integers are refused."""
    if tensor1.dtype.kind in "iub" and tensor2.dtype.kind in "iub":
        raise DtypeError(
            "addcdiv(): arguments 'tensor1' and 'tensor2' are integers; divide floating tensors, "
            "or write input + value * (tensor1 // tensor2)"
        )
    return _add_scaled("addcdiv", input, _div, tensor1, tensor2, value)


def _add_scaled(
    operation: str, input: Any, combine: Any, tensor1: Any, tensor2: Any, value: Any
) -> Any:
    if input.dtype == dtypes.float16:
        # Half precision would round three times.
        wide = (convert(tensor, dtypes.float32) for tensor in (input, tensor1, tensor2))
        result = _add_scaled(operation, next(wide), combine, next(wide), next(wide), value)
        half = tensor1.dtype == tensor2.dtype == dtypes.float16
        return convert(result, dtypes.float16) if half else result
    product = combine(tensor1, tensor2)
    if value == 1:
        return _add(input, product)
    return _add(*_scaled(operation, input, product, value, "value"))
