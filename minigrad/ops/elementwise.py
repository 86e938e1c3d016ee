"""Arithmetic and functions on single elements."""

from __future__ import annotations

from typing import Any

from minigrad.graph import primitive
from minigrad.ops.promotion import elementwise, transcendental


@elementwise(input=lambda g: g, other=lambda g: g)
def add(xp: Any, input: Any, other: Any) -> Any:
    """The sum of two tensors, elementwise."""
    return input + other


@elementwise(input=lambda g: g, other=lambda g: -g)
def sub(xp: Any, input: Any, other: Any) -> Any:
    """The difference of two tensors, elementwise."""
    return input - other


@elementwise(input=lambda g, other: g * other, other=lambda g, input: g * input)
def mul(xp: Any, input: Any, other: Any) -> Any:
    """The product of two tensors, elementwise."""
    return input * other


@elementwise(
    input=lambda g, other: g / other,
    other=lambda g, out, other: -g * out / other,
)
def div(xp: Any, input: Any, other: Any) -> Any:
    """The quotient of two tensors, elementwise."""
    return input / other


@primitive(input=lambda g: -g)
def neg(xp: Any, input: Any) -> Any:
    """The tensor with every sign turned."""
    return -input


@transcendental(input=lambda g, out: g * (1 - out * out))
def tanh(xp: Any, input: Any) -> Any:
    """The hyperbolic tangent."""
    return xp.tanh(input)


@primitive(input=lambda g, out: g * (out > 0))
def relu(xp: Any, input: Any) -> Any:
    """max(input, 0)."""
    return xp.maximum(input, 0)


@primitive(input=lambda g: conj(g))
def conj(xp: Any, input: Any) -> Any:
    """The complex conjugate; a real tensor itself."""
    return xp.conjugate(input)
