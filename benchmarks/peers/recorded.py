"""What libraries share that differentiate NumPy's arrays as they go: optimizers in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers.composed import Composed
from benchmarks.peers.peer import Batches, Network, Optimizer, PeerStep, interleaved


class Update:
    """An optimizer over lists of NumPy's arrays, in place and in as few passes as NumPy allows."""

    def __init__(self, optimizer: Optimizer, parameters: list[Any]) -> None:
        self.optimizer = optimizer
        self.parameters = parameters
        self.count = 0
        self.first = [np.zeros_like(parameter) for parameter in parameters]
        self.second = [np.zeros_like(parameter) for parameter in parameters]

    def __call__(self, gradients: Any) -> None:
        rule = getattr(self, self.optimizer.kind)
        self.count += 1
        for values in zip(self.parameters, gradients, self.first, self.second, strict=True):
            rule(*values)

    def sgd(self, p: Any, g: Any, first: Any, second: Any) -> None:
        if self.optimizer.momentum:
            first *= self.optimizer.momentum
            first += g
            g = first
        p -= self.optimizer.rate * g

    def adam(self, p: Any, g: Any, first: Any, second: Any) -> None:
        rate = self.optimizer.rate
        if self.optimizer.decay:
            p *= 1 - rate * self.optimizer.decay
        first *= 0.9
        first += 0.1 * g
        second *= 0.999
        squared = g * g
        squared *= 0.001
        second += squared
        root = np.sqrt(second)
        root /= (1 - 0.999**self.count) ** 0.5
        root += 1e-8
        np.divide(first, root, out=root)
        root *= rate / (1 - 0.9**self.count)
        p -= root

    adamw = adam

    def rmsprop(self, p: Any, g: Any, first: Any, second: Any) -> None:
        second *= 0.99
        squared = g * g
        squared *= 0.01
        second += squared
        root = np.sqrt(second)
        root += 1e-8
        np.divide(g, root, out=root)
        root *= self.optimizer.rate
        p -= root


class Recorded(Composed):
    """A peer whose steps are Python functions that run as they are; `value_and_gradients` is what
    the libraries differ in.
    """

    def constant(self, values: Any) -> Any:
        return np.asarray(values)

    def number(self, value: float) -> Any:
        return np.float32(value)

    def value_and_gradients(self, network: Network, parameters: Any, batch: Any) -> Any:
        """The loss and the gradients of the parameters, as NumPy's."""
        raise NotImplementedError

    def held(self, arrays: list[Any]) -> Any:
        """Parameters as the library holds them, over the arrays themselves."""
        return arrays

    def gradients(self, network: Network, batches: Batches) -> PeerStep:
        arrays = [np.array(values) for values in network.parameters]
        parameters = self.held(arrays)
        data = batches.of(self)

        def described(result: Any) -> list[Any]:
            loss, gradients = result
            ours, theirs = map(network.as_in_torch, (arrays, gradients))
            return [np.asarray(loss), *interleaved(ours, theirs)]

        return PeerStep(
            lambda: self.value_and_gradients(network, parameters, next(data)), described
        )

    def train(self, network: Network, batches: Batches, optimizer: Optimizer) -> PeerStep:
        arrays = [np.array(values) for values in network.parameters]
        parameters = self.held(arrays)
        update = Update(optimizer, arrays)
        data = batches.of(self)

        def step() -> Any:
            loss, gradients = self.value_and_gradients(network, parameters, next(data))
            update(gradients)
            return loss

        def described(loss: Any) -> list[Any]:
            return [np.asarray(loss), *network.as_in_torch(arrays)]

        return PeerStep(step, described)

    def update(self, parameters: Any, gradients: Any, optimizer: Optimizer) -> PeerStep:
        arrays = [np.array(values) for values in parameters]
        update = Update(optimizer, arrays)
        return PeerStep(lambda: update(gradients), lambda result: arrays)
