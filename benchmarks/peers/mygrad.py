"""MyGrad: tensors with `backward`, its own fused losses and layers, optimizers on their arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet import activations, layers, losses

from benchmarks.peers import workloads
from benchmarks.peers.peer import Batches, Network, PeerStep, interleaved, missing
from benchmarks.peers.recorded import Recorded


def array_of(value: Any) -> Any:
    """NumPy's array of a tensor or of an array."""
    return value.data if isinstance(value, mg.Tensor) else np.asarray(value)


class MyGrad(Recorded):
    np = mg

    def held(self, arrays: list[Any]) -> Any:
        return [mg.tensor(array, copy=False) for array in arrays]

    def relu(self, x: Any) -> Any:
        return activations.relu(x)

    def sigmoid(self, x: Any) -> Any:
        return activations.sigmoid(x)

    def leaky_relu(self, x: Any) -> Any:
        return mg.where(x.data > 0, x, self.number(0.01) * x)

    def softmax(self, x: Any) -> Any:
        return activations.softmax(x)

    def log_softmax(self, x: Any) -> Any:
        return activations.logsoftmax(x)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        return losses.softmax_crossentropy(scores, labels)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return mg.transpose(x, *axes)

    def conv(self, x: Any, weight: Any, bias: Any, padding: int, groups: int = 1) -> Any:
        if groups > 1:
            missing("no grouped convolution")
        out = layers.conv_nd(x, weight, stride=1, padding=padding)
        return out if bias is None else out + bias.reshape(1, -1, 1, 1)

    def max_pool(self, x: Any) -> Any:
        return layers.max_pool(x, pool=(2, 2), stride=2)

    def forward(self, function: Callable[..., Any], inputs: Sequence[Any]) -> PeerStep:
        tensors = [mg.tensor(values, constant=True) for values in inputs]

        def step() -> Any:
            with mg.no_autodiff:
                return function(*tensors)

        return PeerStep(step, lambda out: [array_of(out)])

    def inference(self, network: Network, batches: Batches) -> PeerStep:
        parameters = self.held([np.array(values) for values in network.parameters])
        data = batches.of(self)

        def step() -> Any:
            with mg.no_autodiff:
                return network.scores(self, parameters, next(data)[0])

        return PeerStep(step, lambda out: [array_of(out)])

    def both(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        seed: Any = None,
        constants: Sequence[Any] = (),
    ) -> PeerStep:
        tensors = [mg.tensor(values) for values in leaves]

        def step() -> Any:
            out = function(*tensors, *constants)
            out.backward(seed)
            return out

        def described(out: Any) -> list[Any]:
            gradients = [tensor.grad for tensor in tensors]
            arrays = (out, *interleaved(tensors, gradients))
            return [array_of(array) for array in arrays]

        return PeerStep(step, described)

    def value_and_gradients(self, network: Network, parameters: Any, batch: Any) -> Any:
        images, labels = batch
        loss = self.cross_entropy(network.scores(self, parameters, images), labels)
        loss.backward()
        return loss.data, [parameter.grad for parameter in parameters]


def prepare(row: str) -> PeerStep:
    """A row's step in MyGrad."""
    return workloads.prepare(MyGrad(), row)
