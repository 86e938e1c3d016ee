"""What each row computes, in functions that every peer has: the same as in the rows' own files."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.arrays import MILLION
from benchmarks.contenders import RowFailed
from benchmarks.networks import drawn_batches, drawn_weights
from benchmarks.overhead import LENGTH
from benchmarks.peers.peer import Batches, Network, Optimizer, PeerStep

Workload = Callable[[Any], PeerStep]
WORKLOADS: dict[str, Workload] = {}


def workload(name: str) -> Callable[[Workload], Workload]:
    """Register what a row computes."""

    def register(build: Workload) -> Workload:
        WORKLOADS[name] = build
        return build

    return register


def prepare(peer: Any, row: str) -> PeerStep:
    """A row's step for a peer."""
    if row not in WORKLOADS:
        raise RowFailed("the row is written for libraries of torch's interface alone")
    return WORKLOADS[row](peer)


def normal(*shape: int, seed: int = 3) -> Any:
    """What `arrays.random` draws."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# Overhead.


def chain_inputs(shape: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """What `overhead.chain_inputs` draws."""
    start, factor, term = np.random.default_rng(0).uniform(0.4, 0.6, (3, *shape))
    return np.float32(start), np.float32(factor), np.float32(term)


def chain(start: Any, factor: Any, term: Any) -> Any:
    """Forty operations."""
    for _ in range(LENGTH):
        start = start * factor + term
    return start


for _name, _shape in (("chain-0d", ()), ("chain-8", (8,))):
    WORKLOADS[f"{_name}-forward"] = lambda peer, s=_shape: peer.forward(chain, chain_inputs(s))
    WORKLOADS[_name] = lambda peer, s=_shape: peer.both(
        chain, chain_inputs(s), np.ones(s, np.float32)
    )


@workload("chain-8-constants")
def chain_8_constants(peer: Any) -> PeerStep:
    start, *constants = chain_inputs((8,))
    return peer.both(chain, (start,), np.ones(8, np.float32), constants)


@workload("micrograd")
def micrograd(peer: Any) -> PeerStep:
    relu, c = peer.relu, peer.number

    def expression(a: Any, b: Any) -> Any:
        p = a * b + c(4.0)
        q = p + a ** c(2) + c(1)
        r = relu(q - b) + c(0.5) * p
        s = r * c(2) + relu(b - a) - q / c(3)
        t = s + c(3) * r + relu(a + b) + c(1) + s
        u = t - p + (-q) + t * c(0.25)
        v = u ** c(2)
        w = v / c(2.0) + c(10.0) / v
        return w + relu(u - t) + w / c(5) + b ** c(3)

    return peer.both(expression, (np.float32(-1.5), np.float32(2.5)))


# Networks.


def perceptron(sizes: tuple[int, int, int]) -> Network:
    """One hidden layer; weights are kept as they are multiplied, transposed from torch's."""
    inputs, hidden, outputs = sizes
    weights = drawn_weights([(hidden, inputs), (hidden,), (outputs, hidden), (outputs,)])

    def scores(peer: Any, parameters: Any, images: Any) -> Any:
        first, first_bias, second, second_bias = parameters
        return peer.relu(images @ first + first_bias) @ second + second_bias

    turned = [np.ascontiguousarray(w.T) for w in weights]
    return Network(scores, turned, turned=(0, 2))


def adam() -> Optimizer:
    return Optimizer("adam", 0.001)


for _name, _sizes, _batch in (
    ("mlp-forward", (32, 64, 10), 16),
    ("mnist-1", (784, 128, 10), 1),
):
    WORKLOADS[_name] = lambda peer, s=_sizes, n=_batch: peer.inference(
        perceptron(s), Batches(drawn_batches((n, s[0])))
    )

for _name, _sizes, _batch, _optimizer in (
    ("mlp-sgd", (32, 64, 10), 16, Optimizer("sgd", 0.01)),
    ("mlp-adam", (32, 64, 10), 16, adam()),
    ("mnist-32", (784, 128, 10), 32, adam()),
    ("mnist-128", (784, 128, 10), 128, adam()),
):
    WORKLOADS[_name] = lambda peer, s=_sizes, n=_batch, o=_optimizer: peer.train(
        perceptron(s), Batches(drawn_batches((n, s[0]))), o
    )


@workload("mlp-backward")
def mlp_backward(peer: Any) -> PeerStep:
    return peer.gradients(perceptron((32, 64, 10)), Batches(drawn_batches((16, 32))))


def convolutional(layers: list[tuple[tuple[int, ...], int]], linear: list[int]) -> Network:
    """Convolutions with biases (their weights' shape and padding), each with relu and pooling, and
    linear layers with relu between them.
    """
    shapes: list[tuple[int, ...]] = []
    for shape, _ in layers:
        shapes += [shape, shape[:1]]
    for inputs, outputs in itertools.pairwise(linear):
        shapes += [(outputs, inputs), (outputs,)]
    weights = drawn_weights(shapes)
    turned = tuple(place for place, shape in enumerate(shapes) if len(shape) == 2)

    def scores(peer: Any, parameters: Any, images: Any) -> Any:
        hidden = images
        for place, (_, padding) in enumerate(layers):
            weight, bias = parameters[2 * place : 2 * place + 2]
            hidden = peer.max_pool(peer.relu(peer.conv(hidden, weight, bias, padding)))
        hidden = peer.reshape(hidden, (hidden.shape[0], linear[0]))
        for place in range(2 * len(layers), len(parameters), 2):
            hidden = hidden @ parameters[place] + parameters[place + 1]
            hidden = hidden if place == len(parameters) - 2 else peer.relu(hidden)
        return hidden

    return Network(scores, [w.T if w.ndim == 2 else w for w in weights], turned)


def small() -> Network:
    """The network of the row `cnn`."""
    return convolutional([((8, 1, 3, 3), 1), ((16, 8, 3, 3), 1)], [16 * 7 * 7, 10])


@workload("cnn-forward")
def cnn_forward(peer: Any) -> PeerStep:
    return peer.inference(small(), Batches(drawn_batches((32, 1, 28, 28))))


@workload("cnn")
def cnn(peer: Any) -> PeerStep:
    return peer.train(small(), Batches(drawn_batches((32, 1, 28, 28))), adam())


@workload("lenet")
def lenet(peer: Any) -> PeerStep:
    network = convolutional([((6, 1, 5, 5), 2), ((16, 6, 5, 5), 0)], [400, 120, 84, 10])
    return peer.train(network, Batches(drawn_batches((32, 1, 28, 28))), adam())


@workload("cifar10")
def cifar10(peer: Any) -> PeerStep:
    shapes: list[tuple[int, ...]] = []
    for inputs, outputs in ((3, 16), (16, 32), (32, 64)):
        shapes += [(outputs, inputs, 3, 3), (outputs,), (outputs,)]
    weights = drawn_weights([*shapes, (10, 1024), (10,)])
    weights[9] = weights[9].T

    def scores(peer: Any, parameters: Any, images: Any) -> Any:
        hidden = images
        for place in (0, 3, 6):
            weight, scale, shift = parameters[place : place + 3]
            hidden = peer.batch_norm(peer.conv(hidden, weight, None, 1), scale, shift)
            hidden = peer.max_pool(peer.relu(hidden))
        hidden = peer.reshape(hidden, (hidden.shape[0], 1024))
        return hidden @ parameters[9] + parameters[10]

    network = Network(scores, weights, turned=(9,))
    return peer.train(network, Batches(drawn_batches((32, 3, 32, 32))), adam())


def block(peer: Any, shapes: list[tuple[int, ...]], function: Any) -> PeerStep:
    """Both ways through a block of convolutions with batch normalisation."""
    rng = np.random.default_rng(3)
    inputs, seed = (rng.normal(size=(32, 64, 32, 32)).astype(np.float32) for _ in range(2))
    return peer.both(function, (inputs, *drawn_weights(shapes)), seed)


@workload("residual")
def residual(peer: Any) -> PeerStep:
    def function(x: Any, w: Any, s: Any, b: Any, w2: Any, s2: Any, b2: Any) -> Any:
        hidden = peer.relu(peer.batch_norm(peer.conv(x, w, None, 1), s, b))
        return peer.relu(peer.batch_norm(peer.conv(hidden, w2, None, 1), s2, b2) + x)

    return block(peer, [(64, 64, 3, 3), (64,), (64,)] * 2, function)


@workload("separable")
def separable(peer: Any) -> PeerStep:
    def function(x: Any, w: Any, s: Any, b: Any, w2: Any, s2: Any, b2: Any) -> Any:
        hidden = peer.relu(peer.batch_norm(peer.conv(x, w, None, 1, groups=64), s, b))
        return peer.relu(peer.batch_norm(peer.conv(hidden, w2, None, 0), s2, b2))

    shapes = [(64, 1, 3, 3), (64,), (64,), (64, 64, 1, 1), (64,), (64,)]
    return block(peer, shapes, function)


# Large arrays.


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
    step = peer.update(parameters, gradients, adam())
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


WORKLOADS["attention"] = partial(attention, length=128, batch=8)
WORKLOADS["attention-long"] = partial(attention, length=2048, batch=1)


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
