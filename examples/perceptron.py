"""The perceptron by hand: its learning rule finds AND, OR and NAND, fails at XOR, and two layers
of the same neurons solve it.
"""

import matplotlib.pyplot as plt
from settings import out

import minigrad
from minigrad import plot

inputs = minigrad.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
gates = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}


def step(x):
    return (x >= 0).float()


def neuron(x, weights, bias):
    return step(x @ weights + bias)


def learn(targets, rounds=20):
    """Add the input where the neuron should have fired, subtract it where it should not have
    (F. Rosenblatt, 1958), until a whole round has no mistake.
    """
    weights, bias = minigrad.zeros(2), minigrad.tensor(0.0)
    for finished in range(rounds):
        mistakes = 0
        for x, target in zip(inputs, targets, strict=True):
            error = target - neuron(x, weights, bias)
            weights, bias = weights + error * x, bias + error
            mistakes += int(error != 0)
        if not mistakes:
            return weights, bias, f"learned in {finished} rounds"
    return weights, bias, f"still {mistakes} mistakes in round {rounds}"


def by_hand(x):
    return neuron(x, minigrad.ones(2), -1.5)


print("AND by w = (1, 1), b = -1.5:", by_hand(inputs).int().tolist())
learned = {}
for gate, targets in gates.items():
    weights, bias, verdict = learn(targets)
    learned[gate] = lambda x, w=weights, b=bias: neuron(x, w, b)
    rule = f"w = {tuple(weights.int().tolist())}, b = {int(bias)}"
    print(f"{gate:4} {rule:20} -> {learned[gate](inputs).int().tolist()}  {verdict}")


def two_layers(x):
    """XOR: what OR and NAND both say. The first layer is those two, the second is AND."""
    hidden = minigrad.stack([learned["OR"](x), learned["NAND"](x)], dim=1)
    return by_hand(hidden)


print("XOR by two layers:", two_layers(inputs).int().tolist())

pictures = {"AND by hand": by_hand, **learned, "XOR by two layers": two_layers}
figure, axes = plt.subplots(2, 3, figsize=(10, 7), layout="constrained")
for ax, (name, gate) in zip(axes.flat, pictures.items(), strict=True):
    targets = gates[name.split()[0]]
    plot.decision_boundary(
        lambda x, gate=gate: gate(minigrad.tensor(x).float()),
        inputs, targets, ax=ax, features=["x1", "x2"],
    )  # fmt: skip
    ax.set_title(name)
figure.savefig(out / "perceptron.png")
