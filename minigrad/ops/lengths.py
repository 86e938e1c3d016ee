"""The p-norm of vectors along a dimension, with a gradient of zero at the zero vector."""

from __future__ import annotations

from typing import Any

from minigrad.dtypes import real_of
from minigrad.graph import primitive
from minigrad.ops.dims import wrap_dim
from minigrad.ops.elementwise import abs, conj, sgn
from minigrad.ops.extremes import amax, amin
from minigrad.ops.power import pow
from minigrad.ops.promotion import convert
from minigrad.ops.reduce import sum
from minigrad.ops.shape import squeeze

__all__: list[str] = []


@primitive(input=lambda g, input, out: conj(input) * (g / (out + (out == 0))))
def _euclidean(xp: Any, input: Any, *, dim: int) -> Any:
    squares = input * input if input.dtype.kind == "f" else (input * input.conj()).real
    return xp.sqrt(squares.sum(dim, keepdims=True))


@primitive(
    input=lambda g, input, out, p: (
        conj(sgn(input)) * pow(abs(input), p - 1) * (g / pow(out + (out == 0), p - 1))
    )
)
def _powered(xp: Any, input: Any, *, p: float, dim: int) -> Any:
    return (xp.abs(input) ** p).sum(dim, keepdims=True) ** (1 / p)


def vector_norm(input: Any, p: float, dim: int, keepdim: bool = False) -> Any:
    """The p-norm along one dimension, for any p: 0 counts what is not zero, inf is the largest."""
    dim = wrap_dim("norm", dim, input.ndim)
    if p == 2:
        out = _euclidean(input, dim=dim)
    elif p == 1:
        out = sum(abs(input), dim, True)
    elif p in (float("inf"), float("-inf")):
        out = (amax if p > 0 else amin)(abs(input), dim, True)
    elif p == 0:
        out = convert(sum(input != 0, dim, True), real_of(input.dtype))
    else:
        out = _powered(input, p=float(p), dim=dim)
    return out if keepdim else squeeze(out, dim)
