"""HIPS autograd: gradients by `value_and_grad` and `make_vjp`, optimizers on NumPy's arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.scipy import signal, special

from benchmarks.peers import workloads
from benchmarks.peers.peer import Batches, Network, PeerStep, interleaved, missing
from benchmarks.peers.recorded import Recorded


class Hips(Recorded):
    np = anp

    def erf(self, x: Any) -> Any:
        return special.erf(x)

    def conv(self, x: Any, weight: Any, bias: Any, padding: int, groups: int = 1) -> Any:
        if groups > 1:
            missing("no grouped convolution")
        edge = (padding, padding)
        padded = anp.pad(x, ((0, 0), (0, 0), edge, edge), "constant")
        flipped = anp.transpose(weight, (1, 0, 2, 3))[:, :, ::-1, ::-1]
        axes, dots = ([2, 3], [2, 3]), ([1], [0])
        out = signal.convolve(padded, flipped, axes=axes, dot_axes=dots, mode="valid")
        return out if bias is None else out + anp.reshape(bias, (1, -1, 1, 1))

    def forward(self, function: Callable[..., Any], inputs: Sequence[Any]) -> PeerStep:
        return PeerStep(lambda: function(*inputs), lambda out: [np.asarray(out)])

    def inference(self, network: Network, batches: Batches) -> PeerStep:
        data = batches.of(self)
        parameters = network.parameters
        return PeerStep(
            lambda: network.scores(self, parameters, next(data)[0]), lambda out: [np.asarray(out)]
        )

    def both(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        seed: Any = None,
        constants: Sequence[Any] = (),
    ) -> PeerStep:
        cotangent = np.float32(1) if seed is None else seed

        def applied(*given: Any) -> Any:
            return function(*given, *constants)

        derive = autograd.make_vjp(applied, tuple(range(len(leaves))))

        def step() -> Any:
            pull, out = derive(*leaves)
            return out, pull(cotangent)

        def described(result: Any) -> list[Any]:
            out, gradients = result
            return [np.asarray(array) for array in (out, *interleaved(leaves, gradients))]

        return PeerStep(step, described)

    def value_and_gradients(self, network: Network, parameters: Any, batch: Any) -> Any:
        def loss(parameters: Any) -> Any:
            images, labels = batch
            return self.cross_entropy(network.scores(self, parameters, images), labels)

        return autograd.value_and_grad(loss)(parameters)

    def product(
        self, function: Callable[..., Any], leaves: Sequence[Any], vectors: Sequence[Any]
    ) -> PeerStep:
        def directional(leaves: Any, vectors: Any) -> Any:
            gradients = autograd.grad(lambda given: function(*given))(leaves)
            return sum(anp.sum(g * v) for g, v in zip(gradients, vectors, strict=True))

        derive = autograd.grad(directional)
        given, along = tuple(leaves), tuple(vectors)
        return PeerStep(lambda: derive(given, along), lambda found: [np.asarray(f) for f in found])


def prepare(row: str) -> PeerStep:
    """A row's step in HIPS autograd."""
    return workloads.prepare(Hips(), row)
