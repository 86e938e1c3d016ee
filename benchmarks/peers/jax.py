"""JAX: every step is one jitted function, parameters and optimizer state are donated to it, and a
step ends when its results are there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.peers import workloads
from benchmarks.peers.composed import Composed
from benchmarks.peers.peer import Batches, Network, Optimizer, PeerStep, interleaved

ready = jax.block_until_ready
IMAGES = ("NCHW", "OIHW", "NCHW")


def numpys(values: Any) -> list[Any]:
    """The arrays of a tree, as NumPy's."""
    return [np.asarray(value) for value in jax.tree.leaves(values)]


def updated(optimizer: Optimizer, state: Any, parameters: Any, gradients: Any) -> Any:
    """The state and the parameters after a step of an optimizer, as torch defines it."""
    rate, tree_map = optimizer.rate, jax.tree.map
    if optimizer.kind == "sgd":
        if not optimizer.momentum:
            return state, tree_map(lambda p, g: p - rate * g, parameters, gradients)
        state = tree_map(lambda m, g: optimizer.momentum * m + g, state, gradients)
        return state, tree_map(lambda p, m: p - rate * m, parameters, state)
    if optimizer.kind == "rmsprop":
        state = tree_map(lambda v, g: 0.99 * v + 0.01 * g * g, state, gradients)

        def step(p, g, v):
            return p - rate * g / (jnp.sqrt(v) + 1e-8)

        return state, tree_map(step, parameters, gradients, state)
    count, first, second = state
    count = count + 1
    first = tree_map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = tree_map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    scale, root = rate / (1 - 0.9**count), jnp.sqrt(1 - 0.999**count)

    def step(p: Any, m: Any, v: Any) -> Any:
        kept = p * (1 - rate * optimizer.decay) if optimizer.decay else p
        return kept - scale * m / (jnp.sqrt(v) / root + 1e-8)

    return (count, first, second), tree_map(step, parameters, first, second)


def initial(optimizer: Optimizer, parameters: list[Any]) -> Any:
    """An optimizer's state before its first step."""

    def zeros():
        return [jnp.zeros_like(parameter) for parameter in parameters]

    if optimizer.kind in ("adam", "adamw"):
        return jnp.zeros((), jnp.float32), zeros(), zeros()
    return zeros()


class Jax(Composed):
    np = jnp

    def constant(self, values: Any) -> Any:
        return jnp.asarray(values)

    def relu(self, x: Any) -> Any:
        return jax.nn.relu(x)

    def sigmoid(self, x: Any) -> Any:
        return jax.nn.sigmoid(x)

    def silu(self, x: Any) -> Any:
        return jax.nn.silu(x)

    def softplus(self, x: Any) -> Any:
        return jax.nn.softplus(x)

    def leaky_relu(self, x: Any) -> Any:
        return jax.nn.leaky_relu(x)

    def gelu(self, x: Any) -> Any:
        return jax.nn.gelu(x, approximate=False)

    def softmax(self, x: Any) -> Any:
        return jax.nn.softmax(x)

    def log_softmax(self, x: Any) -> Any:
        return jax.nn.log_softmax(x)

    def conv(self, x: Any, weight: Any, bias: Any, padding: int, groups: int = 1) -> Any:
        out = lax.conv_general_dilated(
            x,
            weight,
            (1, 1),
            [(padding, padding)] * 2,
            dimension_numbers=IMAGES,
            feature_group_count=groups,
        )
        return out if bias is None else out + bias.reshape(1, -1, 1, 1)

    def max_pool(self, x: Any) -> Any:
        window = (1, 1, 2, 2)
        return lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")

    def scan(self, cell: Any, carry: tuple[Any, ...], inputs: Any) -> Any:
        def step(carry: Any, seen: Any) -> Any:
            carry = cell(carry, seen)
            return carry, carry[0]

        return lax.scan(step, carry, inputs)[1]

    def forward(self, function: Callable[..., Any], inputs: Sequence[Any]) -> PeerStep:
        placed = [self.constant(values) for values in inputs]
        fast = jax.jit(function)
        return PeerStep(lambda: ready(fast(*placed)), numpys)

    def inference(self, network: Network, batches: Batches) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        fast = jax.jit(lambda parameters, images: network.scores(self, parameters, images))
        data = batches.of(self)
        return PeerStep(lambda: ready(fast(parameters, next(data)[0])), numpys)

    def both(
        self,
        function: Callable[..., Any],
        leaves: Sequence[Any],
        seed: Any = None,
        constants: Sequence[Any] = (),
    ) -> PeerStep:
        placed = [self.constant(values) for values in leaves]
        further = [self.constant(values) for values in constants]
        cotangent = self.constant(np.ones((), np.float32) if seed is None else seed)

        @jax.jit
        def run(leaves: Any, constants: Any, cotangent: Any) -> Any:
            out, pull = jax.vjp(lambda *given: function(*given, *constants), *leaves)
            return out, pull(cotangent)

        def arrays(result: Any) -> list[Any]:
            out, gradients = result
            return numpys([out, *interleaved(placed, gradients)])

        return PeerStep(lambda: ready(run(placed, further, cotangent)), arrays)

    def loss(self, network: Network) -> Callable[..., Any]:
        """The loss as a function of the parameters and a batch."""

        def loss(parameters: Any, images: Any, labels: Any) -> Any:
            return self.cross_entropy(network.scores(self, parameters, images), labels)

        return loss

    def gradients(self, network: Network, batches: Batches) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        fast = jax.jit(jax.value_and_grad(self.loss(network)))
        data = batches.of(self)

        def arrays(result: Any) -> list[Any]:
            loss, gradients = result
            ours, theirs = map(network.as_in_torch, (parameters, gradients))
            return numpys([loss, *interleaved(ours, theirs)])

        return PeerStep(lambda: ready(fast(parameters, *next(data))), arrays)

    def train(self, network: Network, batches: Batches, optimizer: Optimizer) -> PeerStep:
        parameters = [self.constant(values) for values in network.parameters]
        held = [initial(optimizer, parameters), parameters]
        derive = jax.value_and_grad(self.loss(network))
        data = batches.of(self)

        def whole(state: Any, parameters: Any, images: Any, labels: Any) -> Any:
            loss, gradients = derive(parameters, images, labels)
            return loss, *updated(optimizer, state, parameters, gradients)

        fast = jax.jit(whole, donate_argnums=(0, 1))

        def step() -> Any:
            loss, held[0], held[1] = ready(fast(*held, *next(data)))
            return loss

        def arrays(loss: Any) -> list[Any]:
            return numpys([loss, *network.as_in_torch(held[1])])

        return PeerStep(step, arrays)

    def update(
        self, parameters: Sequence[Any], gradients: Sequence[Any], optimizer: Optimizer
    ) -> PeerStep:
        placed, given = ([jnp.array(v) for v in values] for values in (parameters, gradients))
        held = [initial(optimizer, placed), placed]

        def whole(state: Any, parameters: Any, gradients: Any) -> Any:
            return updated(optimizer, state, parameters, gradients)

        fast = jax.jit(whole, donate_argnums=(0, 1))

        def step() -> Any:
            held[:] = ready(fast(*held, given))
            return held[1]

        return PeerStep(step, numpys)

    def product(
        self, function: Callable[..., Any], leaves: Sequence[Any], vectors: Sequence[Any]
    ) -> PeerStep:
        placed, along = (tuple(map(self.constant, values)) for values in (leaves, vectors))
        derive = jax.grad(function, argnums=tuple(range(len(placed))))

        @jax.jit
        def run(leaves: Any, vectors: Any) -> Any:
            return jax.jvp(derive, leaves, vectors)[1]

        return PeerStep(lambda: ready(run(placed, along)), numpys)


def prepare(row: str) -> PeerStep:
    """A row's step in JAX."""
    return workloads.prepare(Jax(), row)
