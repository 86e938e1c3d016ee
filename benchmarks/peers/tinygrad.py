"""tinygrad: every step in a TinyJit, with its own optimizers; a step ends when the device is done.

Its CPU needs clang: the one named by CC, or any that is on the path.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.peers import workloads
from benchmarks.peers.peer import (
    Batches,
    Network,
    Optimizer,
    Peer,
    PeerStep,
    interleaved,
    missing,
)

for _name in ("clang", *(f"clang-{version}" for version in range(30, 13, -1))):
    if shutil.which(_name):
        os.environ.setdefault("CC", _name)
        break

from tinygrad import Context, Device, Tensor, TinyJit, nn  # noqa: E402


def ready(*tensors: Any) -> Any:
    """Compute tensors together and wait for them."""
    Tensor.realize(*tensors)
    return tensors


def synchronised(step: Callable[..., Any]) -> Callable[..., Any]:
    """A step that ends when its device is done."""

    def whole(*given: Any) -> Any:
        result = step(*given)
        Device[Device.DEFAULT].synchronize()
        return result

    return whole


def numpys(tensors: Any) -> list[Any]:
    """NumPy's arrays of tensors."""
    return [tensor.numpy() for tensor in tensors]


class TinyGrad(Peer):
    def constant(self, values: Any) -> Any:
        return Tensor(np.array(values, order="C")).clone().realize()

    def labels(self, values: Any) -> Any:
        return self.constant(values.astype(np.int32))

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def mul(self, a: Any, b: Any) -> Any:
        return a * b

    def exp(self, x: Any) -> Any:
        return x.exp()

    def tanh(self, x: Any) -> Any:
        return x.tanh()

    def relu(self, x: Any) -> Any:
        return x.relu()

    def sigmoid(self, x: Any) -> Any:
        return x.sigmoid()

    def silu(self, x: Any) -> Any:
        return x.silu()

    def softplus(self, x: Any) -> Any:
        return x.softplus()

    def leaky_relu(self, x: Any) -> Any:
        return x.leaky_relu(0.01)

    def gelu(self, x: Any) -> Any:
        return 0.5 * x * (1 + (x * 0.7071067811865476).erf())

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return x.permute(axes)

    def parts(self, x: Any, count: int) -> list[Any]:
        return list(x.chunk(count, -1))

    def take(self, table: Any, index: Any) -> Any:
        return table[index]

    def sum(self, x: Any, axis: Any = None) -> Any:
        return x.sum(axis)

    def softmax(self, x: Any) -> Any:
        return x.softmax()

    def log_softmax(self, x: Any) -> Any:
        return x.log_softmax()

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return scores.sparse_categorical_crossentropy(labels)

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        return x.layernorm() * weight + bias

    def batch_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        mean = x.mean((0, 2, 3))
        scale = (x - mean.reshape(1, -1, 1, 1)).square().mean((0, 2, 3)).add(1e-5).rsqrt()
        return x.batchnorm(weight, bias, mean, scale)

    def group_norm(self, x: Any, groups: int, weight: Any, bias: Any) -> Any:
        scaled = x.reshape(x.shape[0], groups, -1).layernorm().reshape(x.shape)
        return scaled * weight.reshape(1, -1, 1, 1) + bias.reshape(1, -1, 1, 1)

    def conv(self, x: Any, weight: Any, bias: Any, padding: int, groups: int = 1) -> Any:
        return x.conv2d(weight, bias, groups=groups, padding=padding)

    def max_pool(self, x: Any) -> Any:
        return x.max_pool2d((2, 2))

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        return q.scaled_dot_product_attention(k, v, is_causal=True)

    def scan(self, cell: Any, carry: tuple[Any, ...], inputs: Any) -> Any:
        outputs = []
        for n in range(inputs.shape[0]):
            carry = cell(carry, inputs[n])
            outputs.append(carry[0])
        return Tensor.stack(*outputs)

    def forward(self, function: Callable[..., Any], inputs: Sequence[Any]) -> PeerStep:
        placed = [self.constant(values) for values in inputs]
        fast = TinyJit(lambda *given: ready(function(*given)))
        return PeerStep(synchronised(lambda: fast(*placed)), numpys)

    def inference(self, network: Network, batches: Batches) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        fast = TinyJit(lambda images: ready(network.scores(self, parameters, images)))
        data = batches.of(self)
        return PeerStep(synchronised(lambda: fast(next(data)[0])), numpys)

    def both(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        seed: Any = None,
        constants: Sequence[Any] = (),
    ) -> PeerStep:
        placed = [self.constant(values) for values in leaves]
        further = [self.labels(v) if v.dtype.kind == "i" else self.constant(v) for v in constants]
        cotangent = None if seed is None else self.constant(seed)

        @TinyJit
        def run() -> Any:
            out = function(*placed, *further)
            return ready(out, *out.gradient(*placed, gradient=cotangent))

        def arrays(result: Any) -> list[Any]:
            out, *gradients = result
            return numpys([out, *interleaved(placed, gradients)])

        return PeerStep(synchronised(run), arrays)

    def loss(self, network: Network, parameters: Any, images: Any, labels: Any) -> Any:
        """The loss of a batch."""
        return self.cross_entropy(network.scores(self, parameters, images), labels)

    def gradients(self, network: Network, batches: Batches) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        data = batches.of(self)

        @TinyJit
        def run(images: Any, labels: Any) -> Any:
            loss = self.loss(network, parameters, images, labels)
            return ready(loss, *loss.gradient(*parameters))

        def arrays(result: Any) -> list[Any]:
            loss, *gradients = numpys(result)
            ours, theirs = map(network.as_in_torch, (numpys(parameters), gradients))
            return [loss, *interleaved(ours, theirs)]

        return PeerStep(synchronised(lambda: run(*next(data))), arrays)

    def optimizer(self, optimizer: Optimizer, parameters: list[Any]) -> Any:
        """tinygrad's own."""
        if optimizer.kind == "sgd":
            return nn.optim.SGD(parameters, optimizer.rate, optimizer.momentum)
        if optimizer.kind == "adam":
            return nn.optim.Adam(parameters, optimizer.rate)
        if optimizer.kind == "adamw":
            return nn.optim.AdamW(parameters, optimizer.rate, weight_decay=optimizer.decay)
        return missing("no RMSprop")

    def train(self, network: Network, batches: Batches, optimizer: Optimizer) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        update = self.optimizer(optimizer, parameters)
        data = batches.of(self)

        @TinyJit
        def run(images: Any, labels: Any) -> Any:
            update.zero_grad()
            loss = self.loss(network, parameters, images, labels)
            loss.backward()
            return ready(loss, *update.schedule_step())[0]

        def step() -> Any:
            with Context(TRAINING=1):
                return run(*next(data))

        def arrays(loss: Any) -> list[Any]:
            return [loss.numpy(), *network.as_in_torch(numpys(parameters))]

        return PeerStep(synchronised(step), arrays)

    def update(
        self, parameters: Sequence[Any], gradients: Sequence[Any], optimizer: Optimizer
    ) -> PeerStep:
        placed = [self.constant(values) for values in parameters]
        given = [self.constant(values) for values in gradients]
        update = self.optimizer(optimizer, placed)

        @TinyJit
        def run() -> Any:
            for parameter, gradient in zip(placed, given, strict=True):
                parameter.grad = gradient
            return ready(*update.schedule_step())

        def step() -> Any:
            with Context(TRAINING=1):
                return run()

        return PeerStep(synchronised(step), lambda result: numpys(placed))

    def product(
        self, function: Callable[..., Any], leaves: Sequence[Any], vectors: Sequence[Any]
    ) -> PeerStep:
        placed, along = ([self.constant(v) for v in values] for values in (leaves, vectors))

        @TinyJit
        def run() -> Any:
            gradients = function(*placed).gradient(*placed)
            products = [(g * v).sum() for g, v in zip(gradients, along, strict=True)]
            return ready(*sum(products[1:], products[0]).gradient(*placed))

        return PeerStep(synchronised(run), numpys)


def prepare(row: str) -> PeerStep:
    """A row's step in tinygrad."""
    return workloads.prepare(TinyGrad(), row)
