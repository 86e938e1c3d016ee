"""Exclusive or, the smallest problem that needs a hidden layer, with nothing but tensors."""

from settings import out

import minigrad
from minigrad import plot

minigrad.manual_seed(1)
inputs = minigrad.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
targets = minigrad.tensor([[0.0], [1.0], [1.0], [0.0]])

hidden = minigrad.randn(2, 8, requires_grad=True)
hidden_bias = minigrad.zeros(8, requires_grad=True)
output = minigrad.randn(8, 1, requires_grad=True)
output_bias = minigrad.zeros(1, requires_grad=True)
parameters = [hidden, hidden_bias, output, output_bias]


def network(x):
    return minigrad.sigmoid(minigrad.tanh(x @ hidden + hidden_bias) @ output + output_bias)


for step in range(501):
    predicted = network(inputs)
    loss = -(targets * predicted.log() + (1 - targets) * (1 - predicted).log()).mean()
    loss.backward()
    with minigrad.no_grad():
        for parameter in parameters:
            parameter -= 1.0 * parameter.grad
            parameter.grad = None
    if step % 500 == 0:
        print(f"step {step:4d}  loss {loss.item():.1f}")

for row, answer in zip(inputs.int().tolist(), network(inputs).flatten().tolist(), strict=True):
    print(f"{row} -> {answer:.2f}")

ax = plot.decision_boundary(
    lambda x: network(minigrad.tensor(x).float()), inputs, targets.flatten(), features=["x1", "x2"]
)
ax.figure.savefig(out / "xor.png")
