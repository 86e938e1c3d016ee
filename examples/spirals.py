"""A network from scratch with the bare engine: dense layers, ReLU, softmax cross-entropy and
gradient descent, on three spirals that no straight line can tell apart.
"""

import math

import matplotlib.pyplot as plt
from settings import out, quick

import minigrad
from minigrad import plot

minigrad.manual_seed(0)
radius = minigrad.linspace(0.05, 1, 100)
turns = [4 * radius + 2 * math.pi / 3 * arm + 0.2 * minigrad.randn(100) for arm in range(3)]
arms = [minigrad.stack([radius * turn.sin(), radius * turn.cos()], dim=1) for turn in turns]
points = minigrad.cat(arms)
labels = minigrad.arange(3).repeat_interleave(100)


class Dense:
    """Every output is a weighted sum of the inputs, and a bias."""

    def __init__(self, inputs, outputs):
        self.weight = minigrad.randn(inputs, outputs) * math.sqrt(2 / inputs)  # He et al., 2015
        self.bias = minigrad.zeros(outputs)
        self.weight.requires_grad = self.bias.requires_grad = True

    def __call__(self, x):
        return x @ self.weight + self.bias


def relu(x):
    return x.maximum(minigrad.zeros(1))


def cross_entropy(scores, labels):
    """How surprising the right labels are: the mean of -log(softmax), without overflow."""
    shifted = scores - scores.max(dim=1, keepdim=True).values
    log_shares = shifted - shifted.exp().sum(dim=1, keepdim=True).log()
    return -log_shares[minigrad.arange(len(labels)), labels].mean()


layers = [Dense(2, 64), Dense(64, 3)]
parameters = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]


def network(x):
    return layers[1](relu(layers[0](x)))


losses = []
for step in range(301 if quick else 2001):
    loss = cross_entropy(network(points), labels)
    loss.backward()
    with minigrad.no_grad():
        for parameter in parameters:
            parameter -= 1.0 * parameter.grad
            parameter.grad = None
    losses.append(loss.item())
    if step % (100 if quick else 400) == 0:
        right = (network(points).argmax(dim=1) == labels).float().mean().item()
        print(f"step {step:4}  loss {losses[-1]:.2f}  right {right:.0%}")

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plot.cost(losses, ax=left, log=True)
plot.decision_boundary(lambda x: network(minigrad.tensor(x).float()), points, labels, ax=right)
figure.savefig(out / "spirals.png")
