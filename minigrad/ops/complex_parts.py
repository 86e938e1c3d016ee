"""Complex tensors from two parts, and as pairs of real numbers."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError, DtypeError
from minigrad.graph import broadcasting, view
from minigrad.ops.dims import shape_of
from minigrad.ops.elementwise import conj, mul
from minigrad.ops.elementwise import imag as imaginary_part
from minigrad.ops.elementwise import real as real_part
from minigrad.ops.expand import broadcast_shapes
from minigrad.ops.functions import cos, sin
from minigrad.ops.operands import check_tensor

__all__ = ["complex", "polar", "resolve_neg", "view_as_complex", "view_as_real"]

_COMPLEX = {"f": dtypes.complex64, "d": dtypes.complex128}
_REAL = {"F": dtypes.float32, "D": dtypes.float64}


@broadcasting(real=lambda g: real_part(g), imag=lambda g: -imaginary_part(g))
def _joined(xp: Any, real: Any, imag: Any) -> Any:
    pairs = xp.empty((*broadcast_shapes(real.shape, imag.shape), 2), real.dtype)
    pairs[..., 0] = real
    pairs[..., 1] = imag
    return pairs.view(_COMPLEX[real.dtype.char])[..., 0]


def _two_floats(operation: str, **parts: Any) -> None:
    (one, first), (two, second) = parts.items()
    for name, part in parts.items():
        check_tensor(operation, name, part)
        if part.dtype.char not in _COMPLEX:
            raise DtypeError(
                f"{operation}(): argument '{name}' must be float32 or float64, got "
                f"{part.dtype.name}; convert it first, for example {name}.float()"
            )
    if first.dtype is not second.dtype:
        raise DtypeError(
            f"{operation}(): arguments '{one}' and '{two}' must have one dtype, got "
            f"{first.dtype.name} and {second.dtype.name}; convert one of them"
        )


def complex(real: Any, imag: Any) -> Any:
    """The complex tensor with these real and imaginary parts, both float32 or both float64.

    >>> import minigrad
    >>> minigrad.complex(minigrad.tensor([1.0]), minigrad.tensor([2.0]))
    tensor([1.+2.j])
    """
    _two_floats("complex", real=real, imag=imag)
    return _joined(real, imag)


def polar(abs: Any, angle: Any) -> Any:
    """The complex tensor with these absolute values and angles in radians."""
    _two_floats("polar", abs=abs, angle=angle)
    return _joined(mul(abs, cos(angle)), mul(abs, sin(angle)))


@view(input=lambda g: conj(_as_complex(g)))
def _as_real(xp: Any, input: Any) -> Any:
    return input[..., None].view(_REAL[input.dtype.char])


@view(input=lambda g: _as_real(conj(g)))
def _as_complex(xp: Any, input: Any) -> Any:
    if input.strides[-1] != input.itemsize or any(s % 2 for s in input.strides[:-1]):
        input = xp.ascontiguousarray(input)
    return input.view(_COMPLEX[input.dtype.char])[..., 0]


def view_as_real(input: Any) -> Any:
    """A view of a complex tensor as pairs of real numbers, in a new last dimension of size 2.

    >>> import minigrad
    >>> minigrad.view_as_real(minigrad.tensor([1 + 2j]))
    tensor([[1., 2.]])
    """
    check_tensor("view_as_real", "input", input)
    if input.dtype.char not in _REAL:
        raise DtypeError(
            f"view_as_real(): argument 'input' must be complex, got {input.dtype.name}; a real "
            f"tensor has no pairs"
        )
    return _as_real(input)


def view_as_complex(input: Any) -> Any:
    """A view of pairs of real numbers, in a last dimension of size 2, as complex numbers.

    Raises ArgumentError where the two numbers of a pair do not lie side by side.
    """
    check_tensor("view_as_complex", "input", input)
    if input.dtype.char not in _COMPLEX:
        raise DtypeError(
            f"view_as_complex(): argument 'input' must be float32 or float64, got "
            f"{input.dtype.name}"
        )
    shape = shape_of(input)
    if not shape or shape[-1] != 2:
        raise ArgumentError(
            f"view_as_complex(): argument 'input' must have pairs in its last dimension, a size of "
            f"2; it has shape {list(shape)}"
        )
    strides = input.stride() if hasattr(input, "stride") else None
    if strides is not None and (strides[-1] != 1 or any(step % 2 for step in strides[:-1])):
        raise ArgumentError(
            f"view_as_complex(): the pairs of argument 'input' do not lie side by side, its "
            f"strides are {list(strides)}; use input.contiguous()"
        )
    return _as_complex(input)


def resolve_neg(input: Any) -> Any:
    """The tensor itself: negation is never put off here."""
    return input
