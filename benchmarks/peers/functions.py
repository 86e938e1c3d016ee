"""Large arrays and fused functions: what their rows compute, in functions that every peer has."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.arrays import MILLION
from benchmarks.networks import drawn_weights
from benchmarks.peers.peer import Optimizer, PeerStep
from benchmarks.peers.workloads import WORKLOADS, normal, workload


def elementwise(peer: Any, name: str, arity: int, backward: bool) -> PeerStep:
    """One elementwise function."""
    inputs = [normal(MILLION, seed=n) for n in range(arity)]
    function = getattr(peer, name)
    return (
        peer.both(function, inputs, normal(MILLION, seed=9))
        if backward
        else peer.forward(function, inputs)
    )


for _name, _arity in (("add", 2), ("mul", 2), ("exp", 1), ("tanh", 1), ("relu", 1)):
    for _suffix, _backward in (("-forward", False), ("", True)):
        WORKLOADS[f"{_name}{_suffix}"] = partial(
            elementwise, name=_name, arity=_arity, backward=_backward
        )


def activation(peer: Any, name: str) -> PeerStep:
    return peer.both(getattr(peer, name), (normal(MILLION),), normal(MILLION, seed=9))


for _name in ("gelu", "silu", "sigmoid", "softplus", "leaky_relu"):
    WORKLOADS[_name] = partial(activation, name=_name)


@workload("tanh-sigmoid-chain")
def tanh_sigmoid_chain(peer: Any) -> PeerStep:
    def function(x: Any) -> Any:
        return peer.tanh(x) * peer.sigmoid(x) + x

    return peer.both(function, (normal(MILLION),), normal(MILLION, seed=9))


def classifier_loss(peer: Any, samples: int) -> PeerStep:
    labels = np.random.default_rng(4).integers(0, 1000, samples)
    return peer.both(peer.cross_entropy, (normal(samples, 1000),), None, (labels,))


WORKLOADS["cross-entropy"] = partial(classifier_loss, samples=1024)
WORKLOADS["cross-entropy-4096"] = partial(classifier_loss, samples=4096)


def layer_norm(peer: Any, samples: int) -> PeerStep:
    leaves = (normal(samples, 512), normal(512, seed=5), normal(512, seed=6))
    return peer.both(peer.layer_norm, leaves, normal(samples, 512, seed=9))


WORKLOADS["layer-norm"] = partial(layer_norm, samples=1024)
WORKLOADS["layer-norm-4096"] = partial(layer_norm, samples=4096)


def product(a: Any, b: Any) -> Any:
    return a @ b


@workload("matmul-forward")
def matmul_forward(peer: Any) -> PeerStep:
    return peer.forward(product, (normal(512, 512), normal(512, 512, seed=4)))


@workload("matmul")
def matmul(peer: Any) -> PeerStep:
    leaves = (normal(512, 512), normal(512, 512, seed=4))
    return peer.both(product, leaves, normal(512, 512, seed=9))


for _name, _axis in (("sum", None), ("sum-0", 0), ("sum-1", 1)):
    WORKLOADS[_name] = lambda peer, axis=_axis: peer.forward(
        partial(peer.sum, axis=axis), (normal(1000, 1000),)
    )


@workload("sum-backward")
def sum_backward(peer: Any) -> PeerStep:
    return peer.both(peer.sum, (normal(1000, 1000),))


@workload("embedding")
def embedding(peer: Any) -> PeerStep:
    index = np.random.default_rng(4).integers(0, 10_000, (64, 32))
    return peer.both(peer.take, (normal(10_000, 64),), normal(64, 32, 64, seed=9), (index,))


@workload("adam")
def adam_of_ten(peer: Any) -> PeerStep:
    parameters = [normal(1000, 1000, seed=n) for n in range(10)]
    gradients = [normal(1000, 1000, seed=20 + n) for n in range(10)]
    step = peer.update(parameters, gradients, Optimizer("adam", 0.001))
    whole = step.arrays
    step.arrays = lambda result: [
        array for pair in zip(whole(result), gradients, strict=True) for array in pair
    ]
    return step


# Fused functions.


def of_ten_million(peer: Any, optimizer: Optimizer) -> PeerStep:
    """An optimizer's step over one large parameter; the row compares its beginning."""
    step = peer.update([normal(10_000_000)], [normal(10_000_000, seed=4)], optimizer)
    whole = step.arrays
    step.arrays = lambda result: [array[:1000] for array in whole(result)]
    return step


for _name, _optimizer in (
    ("adam-10m", Optimizer("adam", 1e-6)),
    ("adamw-10m", Optimizer("adamw", 1e-6, decay=0.01)),
    ("sgd-10m", Optimizer("sgd", 1e-6, momentum=0.9)),
    ("rmsprop-10m", Optimizer("rmsprop", 1e-6)),
):
    WORKLOADS[_name] = partial(of_ten_million, optimizer=_optimizer)


@workload("softmax")
def softmax(peer: Any) -> PeerStep:
    return peer.both(peer.softmax, (normal(4096, 1000),), normal(4096, 1000, seed=9))


@workload("log-softmax")
def log_softmax(peer: Any) -> PeerStep:
    return peer.both(peer.log_softmax, (normal(4096, 1000),), normal(4096, 1000, seed=9))


def channel_norm(peer: Any, function: Any) -> PeerStep:
    """A normalisation of images."""
    leaves = (normal(32, 64, 32, 32), normal(64, seed=5), normal(64, seed=6))
    return peer.both(function, leaves, normal(32, 64, 32, 32, seed=9))


@workload("batch-norm")
def batch_norm(peer: Any) -> PeerStep:
    return channel_norm(peer, peer.batch_norm)


@workload("group-norm")
def group_norm(peer: Any) -> PeerStep:
    return channel_norm(peer, lambda x, w, b: peer.group_norm(x, 8, w, b))


@workload("embedding-50k")
def embedding_50k(peer: Any) -> PeerStep:
    index = np.random.default_rng(4).integers(0, 50_000, (64, 128))
    seed = normal(64, 128, 128, seed=9)
    step = peer.both(peer.take, (normal(50_000, 128),), seed, (index,))
    whole = step.arrays

    def beginning(result: Any) -> list[Any]:
        out, _, gradient = whole(result)
        return [out, gradient[:500]]

    step.arrays = beginning
    return step


def recurrent(peer: Any, gates: int, cell: Any) -> PeerStep:
    """A recurrent layer from 64 to 128 over 40 steps of a batch of 32."""
    hidden = 128
    shapes = [(gates * hidden, 64), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,)]
    start = peer.constant(np.zeros((32, hidden), np.float32))
    carried = 2 if gates == 4 else 1

    def function(x: Any, w: Any, u: Any, b: Any, c: Any) -> Any:
        given = x @ peer.transpose(w, (1, 0)) + b
        across = peer.transpose(u, (1, 0))

        def step(carry: Any, seen: Any) -> Any:
            return cell(peer, carry, seen, carry[0] @ across + c)

        return peer.scan(step, (start,) * carried, given)

    seed = normal(40, 32, hidden, seed=9)
    return peer.both(function, (normal(40, 32, 64), *drawn_weights(shapes)), seed)


def lstm_cell(peer: Any, carry: Any, seen: Any, remembered: Any) -> Any:
    i, f, g, o = peer.parts(seen + remembered, 4)
    memory = peer.sigmoid(f) * carry[1] + peer.sigmoid(i) * peer.tanh(g)
    return peer.sigmoid(o) * peer.tanh(memory), memory


def gru_cell(peer: Any, carry: Any, seen: Any, remembered: Any) -> Any:
    r, z, n = peer.parts(seen, 3)
    r2, z2, n2 = peer.parts(remembered, 3)
    update = peer.sigmoid(z + z2)
    new = peer.tanh(n + peer.sigmoid(r + r2) * n2)
    return (new + update * (carry[0] - new),)


def rnn_cell(peer: Any, carry: Any, seen: Any, remembered: Any) -> Any:
    return (peer.tanh(seen + remembered),)


for _name, _gates, _cell in (("lstm", 4, lstm_cell), ("gru", 3, gru_cell), ("rnn", 1, rnn_cell)):
    WORKLOADS[_name] = partial(recurrent, gates=_gates, cell=_cell)


def attention(peer: Any, length: int, batch: int) -> PeerStep:
    leaves = [normal(batch, 4, length, 32, seed=n) for n in range(3)]
    return peer.both(peer.attention, leaves, normal(batch, 4, length, 32, seed=9))


for _name, _length, _batch in (
    ("attention", 128, 8),
    ("attention-512", 512, 1),
    ("attention-long", 2048, 1),
    ("attention-4096", 4096, 1),
):
    WORKLOADS[_name] = partial(attention, length=_length, batch=_batch)


@workload("gpt-block")
def gpt_block(peer: Any) -> PeerStep:
    width, heads, batch, length = 128, 4, 8, 128
    shapes: list[tuple[int, ...]] = [(width,), (width,), (3 * width, width), (3 * width,)]
    shapes += [(width, width), (width,), (width,), (width,)]
    shapes += [(4 * width, width), (4 * width,), (width, 4 * width), (width,)]

    def linear(x: Any, weight: Any, bias: Any) -> Any:
        return x @ peer.transpose(weight, (1, 0)) + bias

    def split(x: Any) -> Any:
        return peer.transpose(peer.reshape(x, (batch, length, heads, -1)), (0, 2, 1, 3))

    def function(x: Any, *p: Any) -> Any:
        q, k, v = peer.parts(linear(peer.layer_norm(x, p[0], p[1]), p[2], p[3]), 3)
        seen = peer.transpose(peer.attention(split(q), split(k), split(v)), (0, 2, 1, 3))
        hidden = x + linear(peer.reshape(seen, (batch, length, width)), p[4], p[5])
        wide = peer.gelu(linear(peer.layer_norm(hidden, p[6], p[7]), p[8], p[9]))
        return hidden + linear(wide, p[10], p[11])

    leaves = (normal(batch, length, width), *drawn_weights(shapes))
    return peer.both(function, leaves, normal(batch, length, width, seed=9))
