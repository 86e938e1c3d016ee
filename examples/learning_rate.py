"""The learning rate: too small, right, large and too large, on one picture."""

import matplotlib.pyplot as plt
from settings import out

import minigrad
from minigrad import plot

minigrad.manual_seed(0)
x = minigrad.randn(100)
y = 3 * x + 0.5 * minigrad.randn(100)


def cost(weight):
    """The mean squared error of y = weight * x."""
    return ((weight * x - y) ** 2).mean()


def descend(rate, steps=20):
    """The weights and the costs of gradient descent from 0."""
    weight = minigrad.tensor(0.0, requires_grad=True)
    weights, costs = [], []
    for _ in range(steps):
        value = cost(weight)
        weights.append(weight.item())
        costs.append(value.item())
        (slope,) = minigrad.autograd.grad(value, weight)
        weight = (weight - rate * slope).detach().requires_grad_()
    return weights, costs


rates = {"too small": 0.02, "right": 0.3, "large": 0.9, "too large": 1.1}
runs = {f"{rate} {name}": descend(rate) for name, rate in rates.items()}
for name, (weights, costs) in runs.items():
    print(f"{name:14}  weight {weights[-1]:6.2f}  cost {costs[0]:.2f} -> {costs[-1]:.2f}")

with plot.style("light"):
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2))
plot.learning_rates({name: costs for name, (_, costs) in runs.items()}, ax=left, xlabel="step")
places = minigrad.linspace(-2, 8, 100)
right.plot(places, [cost(place).item() for place in places], color="grey")
for (weights, costs), line in zip(runs.values(), left.get_lines(), strict=False):
    right.plot(weights[:8], costs[:8], "o--", color=line.get_color(), linewidth=1, markersize=4)
right.set(xlabel="weight", ylabel="cost", xlim=(-2, 8), ylim=(0, 20))
figure.savefig(out / "learning_rate.png")
