"""Overhead and networks: what their rows compute, in functions that every peer has."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from benchmarks.networks import drawn_batches, drawn_weights
from benchmarks.overhead import LENGTH
from benchmarks.peers.peer import Batches, Network, Optimizer, PeerStep
from benchmarks.peers.workloads import WORKLOADS, workload

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


@workload("hvp")
def hessian_vector(peer: Any) -> PeerStep:
    shapes: list[tuple[int, ...]] = [(32, 8), (32,), (32, 32), (32,), (1, 32), (1,)]
    rng = np.random.default_rng(4)
    vectors = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    given = (rng.normal(size=(16, n)).astype(np.float32) for n in (8, 1))
    inputs, targets = map(peer.constant, given)

    def loss(w: Any, b: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
        hidden = peer.tanh(inputs @ peer.transpose(w, (1, 0)) + b)
        hidden = peer.tanh(hidden @ peer.transpose(w2, (1, 0)) + b2)
        error = hidden @ peer.transpose(w3, (1, 0)) + b3 - targets
        return peer.sum(error * error) * peer.number(1 / 16)

    return peer.product(loss, drawn_weights(shapes), vectors)
