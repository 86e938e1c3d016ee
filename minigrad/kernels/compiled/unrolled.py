"""Convolution by the reference's matrix products, a piece of the batch on each core.

For kernels whose windows do not overlap: there unrolling them copies each number once.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy

from minigrad.kernels import convolution
from minigrad.kernels.compiled.workers import in_pieces

Sizes = tuple[int, ...]


def convolve(input: Any, weight: Any, bias: Any, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve` in pieces."""
    stride, padding, dilation, groups, out = sizes
    described = (weight, bias, stride, padding, dilation, groups, out)
    result = numpy.empty((len(input), len(weight), *out), input.dtype)

    def piece(start: int, stop: int) -> Any:
        into = result[start:stop]
        convolution.convolve(numpy, input[start:stop], *described, into)

    in_pieces(piece, len(input), weight.size * prod(out))
    return result


def input_grad(grad: Any, weight: Any, bias: Any, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve_input_grad` in pieces."""
    size, stride, padding, dilation, groups = sizes
    described = (weight, bias, size, stride, padding, dilation, groups)
    result = numpy.empty((len(grad), weight.shape[1] * groups, *size), grad.dtype)

    def piece(start: int, stop: int) -> Any:
        into = result[start:stop]
        convolution.convolve_input_grad(numpy, grad[start:stop], *described, into)

    in_pieces(piece, len(grad), weight.size * grad[0, 0].size)
    return result


def weight_grad(grad: Any, input: Any, size: Sizes, *sizes: Any) -> Any:
    """`minigrad.kernels.convolution.convolve_weight_grad` in pieces."""

    def piece(start: int, stop: int) -> Any:
        both = (grad[start:stop], input[start:stop])
        return convolution.convolve_weight_grad(numpy, *both, size, *sizes)

    products = grad[0].size * input.shape[1] * prod(size) // sizes[-1]
    parts = in_pieces(piece, len(grad), products)
    return sum(parts[1:], parts[0])
