"""Choosing between elements: where, the larger or smaller of two, bounds."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.backend import cpu, namespace, ndarray
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import Traced, broadcasting, primitive, wrap
from minigrad.ops.operands import between, check_tensor, on_tensor
from minigrad.ops.promotion import convert, elementwise, number

__all__ = [
    "clamp", "clamp_max", "clamp_min", "clip", "fmax", "fmin", "heaviside", "maximum", "minimum",
    "nan_to_num", "where",
]  # fmt: skip

_NUMBERS = frozenset({bool, int, float, complex})


@primitive()
def zero(xp: Any, input: Any) -> Any:
    """Zeros of the input's shape and dtype: the gradient of a function made of steps."""
    return xp.zeros(input.shape, input.dtype)


def plus(value: Any, other: Any) -> Any:
    """The sum of two cotangents; None stands for zero."""
    if value is None or other is None:
        return other if value is None else value
    return value + other


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """The elements of `input` where `condition` holds, of `other` elsewhere; all are broadcast.

    With the condition alone: the positions where it is not zero, one index tensor a dimension.
    Raises DtypeError when the condition is not bool (uint8 is taken too).

    >>> import minigrad
    >>> minigrad.where(minigrad.tensor([True, False]), 1.0, 0.0)
    tensor([1., 0.])
    """
    if input is None or other is None:
        if input is other:
            return _positions(condition)
        raise TypeError("where(): give 'input' and 'other', or neither: where(x > 0, x, 0.0)")
    traced = isinstance(condition, Traced)
    mask = condition._array if traced else condition
    if mask.dtype.kind != "b":
        if mask.dtype != dtypes.uint8:
            raise DtypeError(
                f"where(): argument 'condition' must be bool, got {mask.dtype}; "
                f"compare first, for example where(condition != 0, input, other)"
            )
        mask = mask.astype(bool)
    if traced and not isinstance(input, Traced) and not isinstance(other, Traced):
        input = _scalar(condition, input, other)
    return _where(input, other, condition=mask)


@elementwise(
    input=lambda g, condition: _where(g, 0, condition=condition),
    other=lambda g, condition: _where(0, g, condition=condition),
)
def _where(xp: Any, input: Any, other: Any, *, condition: Any) -> Any:
    if condition.__class__ is not ndarray or xp is not cpu.xp:
        namespace("where", condition=condition, input=input, other=other)
    if input.__class__ in _NUMBERS:
        input = other.dtype.type(input)
    elif other.__class__ in _NUMBERS:
        other = input.dtype.type(other)
    return xp.where(condition, input, other)


def _scalar(like: Traced, input: Any, other: Any) -> Any:
    """The input, when it and `other` are no Tensors, as a Tensor beside the condition."""
    if input.__class__ in _NUMBERS:
        arrays = [(other.dtype, other.ndim)] if hasattr(other, "dtype") else []
        scalars = [value for value in (input, other) if value.__class__ in _NUMBERS]
        input = number(input, dtypes.result_dtype(arrays, scalars), like._array)
    return wrap(like, input)


def _positions(condition: Any) -> tuple[Any, ...]:
    if not isinstance(condition, Traced):
        return tuple(condition.nonzero())
    array = condition._array
    found = (array.reshape(1) if array.ndim == 0 else array).nonzero()
    return tuple(wrap(condition, index) for index in found)


def ordered(operation: str, value: Any) -> Any:
    """The value, real; raises DtypeError for a complex one, since those have no order."""
    if value.dtype.kind == "c":
        raise DtypeError(
            f"{operation}(): complex numbers have no order; compare .abs(), .real or .imag"
        )
    return value


def _larger(operation: str, function: Any, input: Any, other: Any) -> Any:
    check_tensor(operation, "input", input)
    check_tensor(operation, "other", other)
    return ordered(operation, function(input, other))


# Where both are equal each gets half; beside a NaN both get all, as in torch.
@broadcasting()
def _share(xp: Any, input: Any, other: Any) -> Any:
    """The part that the first has in the gradient of the larger of two."""
    dtype = input.dtype
    weight = xp.logical_not(input < other).astype(dtype)
    weight -= (input == other) * dtype.type(0.5)
    return weight


@between(
    input=lambda g, input, other: g * _share(input, other),
    other=lambda g, input, other: g * _share(other, input),
)
def maximum(xp: Any, input: Any, other: Any) -> Any:
    """The larger of two, elementwise; NaN if either is. The gradient is halved where equal."""
    return _larger("maximum", xp.maximum, input, other)


@between(
    input=lambda g, input, other: g * _share(other, input),
    other=lambda g, input, other: g * _share(input, other),
)
def minimum(xp: Any, input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; NaN if either is. The gradient is halved where equal."""
    return _larger("minimum", xp.minimum, input, other)


@between(
    input=lambda g, input, other: where((input >= other) | (other != other), g, 0),
    other=lambda g, input, other: where((input >= other) | (other != other), 0, g),
)
def fmax(xp: Any, input: Any, other: Any) -> Any:
    """The larger of two, elementwise; beside a NaN the other."""
    return _larger("fmax", xp.fmax, input, other)


@between(
    input=lambda g, input, other: where((input <= other) | (other != other), g, 0),
    other=lambda g, input, other: where((input <= other) | (other != other), 0, g),
)
def fmin(xp: Any, input: Any, other: Any) -> Any:
    """The smaller of two, elementwise; beside a NaN the other."""
    return _larger("fmin", xp.fmin, input, other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """The input, but at least `min` and at most `max`: numbers or tensors, one may be missing.

    The gradient goes through between the bounds and on them. Where `min` exceeds `max` the result
    is `max`.

    >>> import minigrad
    >>> minigrad.clamp(minigrad.tensor([-2.0, 0.5, 9.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise ArgumentError("clamp(): give 'min', 'max' or both, for example clamp(x, min=0)")
    if min is not None and (hasattr(min, "dtype") or hasattr(max, "dtype")):
        input = clamp_min(input, min)
        return input if max is None else clamp_max(input, max)
    if hasattr(max, "dtype"):
        return clamp_max(input, max)
    bounds = [bound for bound in (min, max) if bound is not None]
    if isinstance(input, Traced) and input._array.dtype.kind != "f":
        array = input._array
        input = convert(input, dtypes.result_dtype([(array.dtype, array.ndim)], bounds))
    return _clamp(input, low=min, high=max)


clip = clamp


@primitive(input=lambda g, input, low, high: g * _within(input, low=low, high=high))
def _clamp(xp: Any, input: Any, *, low: Any, high: Any) -> Any:
    if input.dtype.kind in "iu":
        low, high = _representable(xp, input.dtype, low), _representable(xp, input.dtype, high)
    out = input if low is None else xp.maximum(input, low)
    if high is not None:
        out = xp.minimum(out, high, out=out if out is not input and out.ndim else None)
    return ordered("clamp", out)


@primitive()
def _within(xp: Any, input: Any, *, low: Any, high: Any) -> Any:
    if low is None:
        return input <= high
    if high is None:
        return input >= low
    return (input >= low) & (input <= high)


def _representable(xp: Any, dtype: Any, bound: Any) -> Any:
    """An integer bound moved to the nearest value that the dtype has."""
    if bound is None:
        return None
    limits = xp.iinfo(dtype)
    return limits.min if bound < limits.min else limits.max if bound > limits.max else bound


@on_tensor(
    input=lambda g, input, min: where(input >= min, g, 0),
    min=lambda g, input, min: where(input < min, g, 0),
)
def clamp_min(xp: Any, input: Any, min: Any) -> Any:
    """The input, but at least `min`."""
    check_tensor("clamp_min", "input", input)
    return ordered("clamp_min", xp.maximum(input, min))


@on_tensor(
    input=lambda g, input, max: where(input <= max, g, 0),
    max=lambda g, input, max: where(input > max, g, 0),
)
def clamp_max(xp: Any, input: Any, max: Any) -> Any:
    """The input, but at most `max`."""
    check_tensor("clamp_max", "input", input)
    return ordered("clamp_max", xp.minimum(input, max))


@between(input=lambda g: zero(g), values=lambda g: zero(g))
def heaviside(xp: Any, input: Any, values: Any) -> Any:
    """A step: 0 for negative elements, 1 for positive ones, `values` at zero."""
    check_tensor("heaviside", "values", values)
    return xp.where(ordered("heaviside", input) == 0, values, (input > 0).astype(input.dtype))


def nan_to_num(
    input: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """The input with NaN, and infinities, replaced: these by the largest finite numbers."""
    return _nan_to_num(input, nan=nan or 0.0, posinf=posinf, neginf=neginf)


@primitive(input=lambda g, input: where((input - input) == 0, g, 0))
def _nan_to_num(xp: Any, input: Any, *, nan: Any, posinf: Any, neginf: Any) -> Any:
    return xp.nan_to_num(input, nan=nan, posinf=posinf, neginf=neginf)
