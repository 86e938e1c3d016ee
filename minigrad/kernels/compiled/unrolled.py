"""Convolution by the reference's matrix products, a piece of the batch on each core.

For kernels whose windows do not overlap: there unrolling them copies each number once.
"""

from __future__ import annotations

from typing import Any

import numpy

from minigrad.kernels import convolution
from minigrad.kernels.compiled.workers import in_pieces

Sizes = tuple[int, ...]


def convolve(input: Any, weight: Any, bias: Any, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve` in pieces."""

    def piece(start: int, stop: int) -> Any:
        return convolution.convolve(numpy, input[start:stop], weight, bias, *sizes)

    out = sizes[-1]
    products = weight.size * int(numpy.prod(out))
    return numpy.concatenate(in_pieces(piece, len(input), products))


def input_grad(grad: Any, weight: Any, bias: Any, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve_input_grad` in pieces."""

    def piece(start: int, stop: int) -> Any:
        return convolution.convolve_input_grad(numpy, grad[start:stop], weight, bias, *sizes)

    products = weight.size * grad[0, 0].size
    return numpy.concatenate(in_pieces(piece, len(grad), products))


def weight_grad(grad: Any, input: Any, size: Sizes, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve_weight_grad` in pieces."""

    def piece(start: int, stop: int) -> Any:
        both = (grad[start:stop], input[start:stop])
        return convolution.convolve_weight_grad(numpy, *both, size, *sizes)

    products = grad[0].size * input.shape[1] * int(numpy.prod(size)) // sizes[-1]
    parts = in_pieces(piece, len(grad), products)
    return sum(parts[1:], parts[0])
