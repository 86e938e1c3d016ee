"""Functions that libraries of NumPy's interface do not have, composed of those that they have."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.peer import Peer, missing

EPSILON = 1e-5


class Composed(Peer):
    """A peer whose module `np` has NumPy's functions, differentiated."""

    np: Any

    # Elementwise.

    def add(self, a: Any, b: Any) -> Any:
        return a + b

    def mul(self, a: Any, b: Any) -> Any:
        return a * b

    def exp(self, x: Any) -> Any:
        return self.np.exp(x)

    def tanh(self, x: Any) -> Any:
        return self.np.tanh(x)

    def relu(self, x: Any) -> Any:
        return self.np.maximum(x, self.number(0.0))

    def sigmoid(self, x: Any) -> Any:
        one = self.number(1.0)
        return one / (one + self.np.exp(-x))

    def silu(self, x: Any) -> Any:
        return x * self.sigmoid(x)

    def softplus(self, x: Any) -> Any:
        return self.np.logaddexp(x, self.number(0.0))

    def leaky_relu(self, x: Any) -> Any:
        return self.np.where(x > 0, x, self.number(0.01) * x)

    def erf(self, x: Any) -> Any:
        return missing("no erf")

    def gelu(self, x: Any) -> Any:
        half, one, root = map(self.number, (0.5, 1.0, 0.7071067811865476))
        return x * half * (one + self.erf(x * root))

    # Shapes.

    def reshape(self, x: Any, shape: tuple[int, ...]) -> Any:
        return x.reshape(shape)

    def transpose(self, x: Any, axes: tuple[int, ...]) -> Any:
        return self.np.transpose(x, axes)

    def parts(self, x: Any, count: int) -> list[Any]:
        """Equal parts along the last axis."""
        width = x.shape[-1] // count
        return [x[..., n * width : (n + 1) * width] for n in range(count)]

    def take(self, table: Any, index: Any) -> Any:
        return table[index]

    def stack(self, values: list[Any]) -> Any:
        return self.np.stack(values)

    # Reductions and normalisation.

    def sum(self, x: Any, axis: Any = None) -> Any:
        return self.np.sum(x, axis=axis)

    def log_softmax(self, x: Any) -> Any:
        np = self.np
        shifted = x - np.max(x, axis=-1, keepdims=True)
        return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))

    def softmax(self, x: Any) -> Any:
        np = self.np
        powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return powers / np.sum(powers, axis=-1, keepdims=True)

    def cross_entropy(self, scores: Any, labels: Any) -> Any:
        rows = self.np.arange(scores.shape[0])
        return -self.np.mean(self.log_softmax(scores)[rows, labels])

    def standardise(self, x: Any, axes: tuple[int, ...]) -> Any:
        """Less its mean, over its deviation, along axes."""
        np = self.np
        centred = x - np.mean(x, axis=axes, keepdims=True)
        variance = np.mean(centred * centred, axis=axes, keepdims=True)
        return centred / np.sqrt(variance + self.number(EPSILON))

    def layer_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        return self.standardise(x, (-1,)) * weight + bias

    def batch_norm(self, x: Any, weight: Any, bias: Any) -> Any:
        scaled = self.standardise(x, (0, 2, 3)) * self.reshape(weight, (1, -1, 1, 1))
        return scaled + self.reshape(bias, (1, -1, 1, 1))

    def group_norm(self, x: Any, groups: int, weight: Any, bias: Any) -> Any:
        shape = x.shape
        grouped = self.reshape(x, (shape[0], groups, -1))
        scaled = self.reshape(self.standardise(grouped, (-1,)), shape)
        return scaled * self.reshape(weight, (1, -1, 1, 1)) + self.reshape(bias, (1, -1, 1, 1))

    # Images and sequences.

    def conv(self, x: Any, weight: Any, bias: Any, padding: int, groups: int = 1) -> Any:
        return missing("no convolution")

    def max_pool(self, x: Any) -> Any:
        """The largest of each 2x2 window."""
        batch, channels, height, width = x.shape
        x = x[:, :, : height // 2 * 2, : width // 2 * 2]
        windows = self.reshape(x, (batch, channels, height // 2, 2, width // 2, 2))
        return self.np.max(self.np.max(windows, axis=5), axis=3)

    def attention(self, q: Any, k: Any, v: Any) -> Any:
        """Causal attention."""
        length, width = q.shape[-2:]
        scores = q @ self.transpose(k, (0, 1, 3, 2)) * self.number(width**-0.5)
        return self.softmax(self.np.where(self.causal(length), scores, self.number(-1e30))) @ v

    def causal(self, length: int) -> Any:
        """Which keys a query may see."""
        import numpy as np

        return np.tril(np.ones((length, length), dtype=bool))

    def scan(self, cell: Any, carry: tuple[Any, ...], inputs: Any) -> Any:
        """The first of each step's carry, step after step."""
        outputs = []
        for n in range(inputs.shape[0]):
            carry = cell(carry, inputs[n])
            outputs.append(carry[0])
        return self.stack(outputs)
