"""For each family one call of every compiled loop on tiny arrays, so that all of it is compiled.

Numba compiles a loop for the kinds of arguments that it is called with: their dtypes, numbers of
dimensions and layouts. The calls here are of the kinds that operations make.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy


def _activation(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import activation

    x, g = ones(4), ones(4)
    for value in (
        activation.exp, activation.relu, activation.sigmoid, activation.silu, activation.gelu,
        activation.gelu_tanh,
    ):  # fmt: skip
        value(numpy, x)
    for slope in (
        activation.tanh_grad, activation.sigmoid_grad, activation.relu_grad, activation.silu_grad,
        activation.gelu_grad, activation.gelu_tanh_grad,
    ):  # fmt: skip
        slope(numpy, g, x)
    activation.leaky_relu(numpy, x, 0.1)
    activation.leaky_relu_grad(numpy, g, x, 0.1)
    activation.softplus(numpy, x, 1.0, 20.0)
    activation.softplus_grad(numpy, g, x, 1.0, 20.0)


def _attention(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import attention

    query, grad = ones(1, 1, 2, 3), ones(1, 1, 2, 3)
    out, logarithms = attention.attend(numpy, query, query, query, True, 1.0, 1)
    rest = (query, query, query, out, logarithms, True, 1.0, 1)
    attention.attend_grad(numpy, grad, *rest)


def _convolution(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import abreast, lines, winograd, winograd_batches

    one, size, small = (1, 1, 1), (1, 4, 4), (1, 3, 3)
    image, kernel, bias = ones(1, 2, *size), ones(5, 2, *small), ones(5)
    grad = ones(1, 5, *size)
    sizes = (one, (0, 1, 1), one, 1)
    ways: tuple[Any, ...] = (lines, abreast)
    for way in ways:
        way.convolve(image, kernel, bias, *sizes, size)
        way.input_grad(grad, kernel, None, size, *sizes)
        way.weight_grad(grad, image, small, *sizes)
    if image.dtype.char == "f":
        flat = image[:, :, 0]
        winograd.convolve(flat, kernel[:, :, 0], bias, (1, 1), size[1:])
        many = numpy.repeat(flat, 16, axis=0)
        made = winograd.convolve(many, kernel[:, :, 0], bias, (1, 1), size[1:])
        winograd_batches.weight_grad(made, many, (1, 1))


def _functions(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import functions

    x = ones(4)
    functions.fill(numpy, ones(4), numpy.add, (x, 1.0))
    for copied in (x, 1.0):
        functions.fill(numpy, ones(4), numpy.positive, (copied,))


def _chains(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import chains

    x = ones(4)
    steps = [(numpy.add, (0, (1.0,)), -1), (numpy.multiply, (-1, -1), 1)]
    chain = SimpleNamespace(steps=steps, between=[x.dtype], changes=False, tables={})
    chains.run_chain(numpy, x, chain, (x, ones(4)))


def _epilogues(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import chains, epilogues, products

    x, out = ones(16, 16), ones(16, 16)
    steps = [(numpy.add, (0, 0), 1)]
    chain = SimpleNamespace(steps=steps, between=[], changes=False, tables={})
    given = chains.calls_of(chain, (x, out))
    if given is not None:
        products.multiply(x, x, x.copy(), x[0], 2, (epilogues.multiply_and_call, given))


def _normalise(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import normalise

    x, g = ones(2, 2, 8), ones(2, 2, 8)
    for axes, affine in (((2,), (8,)), ((0, 2), (1, 2, 1))):
        weight = ones(*affine)
        out: Any = normalise.normalise(numpy, x, weight, weight, axes, affine, 1e-5, True)
        _, mean, _, inverse = out
        normalise.normalise_grads(numpy, g, x, weight, mean, inverse, axes, affine, True)


def _pooling(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import pooling

    x, pairs = ones(1, 2, 2), ((2, 2), (2, 2), (0, 0), (1, 1))
    overlapping = ((2, 2), (1, 1), (0, 0), (1, 1))
    for windows in (pairs, overlapping):
        out = pooling.max_pool(numpy, x, *windows, (1, 1))
        pooling.max_pool_grad(numpy, ones(1, 1, 1), x, out, *windows)


def _products(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import products

    products.multiply(ones(16, 1), ones(1, 16), None, ones(16), 2)


def _recurrent(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import recurrent

    def given(gates: int) -> Any:
        return ones(1, 1, 2 * gates), ones(1, 2), ones(2 * gates, 2)

    input, state, weight = given(4)
    found = recurrent.lstm_states(numpy, input, state, state, weight, None, False)
    if found is None:
        return
    states, cells, gates = found
    rest: tuple[Any, ...] = (cells, state, state, weight, None, states, None, None, False)
    recurrent.lstm_cotangents(numpy, gates, *rest)
    input, state, weight = given(3)
    states, gates, inner = recurrent.gru_states(numpy, input, state, weight, None, False)
    rest = (states, inner, state, weight, states, None, None, False)
    recurrent.gru_cotangents(numpy, gates, *rest)
    input, state, weight = given(1)
    states = recurrent.rnn_states(numpy, input, state, weight, False, False)
    recurrent.rnn_cotangents(numpy, states, state, weight, states, False, False)


def _reductions(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import reductions

    reductions.sum(numpy, ones(2, 3), None, False)
    reductions.sum(numpy, ones(2, 3), (1,), False)
    reductions.sum(numpy, ones(2, 64), (0,), False)


def _rows(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import rows

    positions = numpy.zeros(1 << 14, numpy.int64)
    rows.take_rows(numpy, ones(2, 3), positions)
    rows.sum_rows(numpy, ones(1, 3), positions[:1], 2)


def _softmax(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import softmax

    x, g = ones(2, 3), ones(2, 3)
    softmax.softmax(numpy, x, 1)
    softmax.softmax_grad(numpy, g, x, 1)
    softmax.log_softmax(numpy, x, 1)
    softmax.log_softmax_grad(numpy, g, x, 1)
    target = numpy.zeros(2, numpy.int64)
    _, saved = softmax.class_losses(numpy, x, target)
    softmax.class_losses_grad(numpy, x, target, saved, 1.0)


def _updates(ones: Callable[..., Any]) -> None:
    from minigrad.kernels.compiled import updates

    updates.adam_update(
        numpy, ones(4), ones(4), ones(4), ones(4), None, None, 0.0, (0.9, 0.99), 1e-8, 0.1
    )
    updates.sgd_update(numpy, ones(4), ones(4), ones(4), 0.1, 0.9, 1.0, 0.0, False)
    updates.rmsprop_update(
        numpy, ones(4), ones(4), ones(4), ones(4), ones(4), 0.1, 0.9, 1e-8, 0.9, 0.0
    )


_SAMPLES = {
    "activation": _activation,
    "attention": _attention,
    "chains": _chains,
    "convolution": _convolution,
    "epilogues": _epilogues,
    "functions": _functions,
    "normalise": _normalise,
    "pooling": _pooling,
    "products": _products,
    "recurrent": _recurrent,
    "reductions": _reductions,
    "rows": _rows,
    "softmax": _softmax,
    "updates": _updates,
}

FAMILIES = tuple(_SAMPLES)
"""The files of `minigrad.kernels.compiled` that kernels name."""


def run(family: str, char: str) -> None:
    """Compile a family's loops for a dtype, or load them where Numba has kept them."""

    def ones(*shape: int) -> Any:
        return numpy.ones(shape, char)

    _SAMPLES[family](ones)
