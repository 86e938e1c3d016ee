"""The activation functions from the step to the modern ones, with their derivatives by autograd."""

import matplotlib.pyplot as plt
from settings import out

import minigrad
from minigrad import plot
from minigrad.nn import functional as F

functions = {
    "step": lambda x: (x >= 0).to(x.dtype) + 0 * x,
    "sigmoid": minigrad.sigmoid,
    "tanh": minigrad.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
    "mish": F.mish,
    "hardswish": F.hardswish,
}
places = minigrad.tensor([-2.0, -0.5, 0.5, 2.0], requires_grad=True)
print(f"{'f(x) and f′(x)':14}", *(f"x = {x:<11}" for x in places.tolist()))
for name, function in functions.items():
    values = function(places)
    (slopes,) = minigrad.autograd.grad(values.sum(), places)
    pairs = zip(values.tolist(), slopes.tolist(), strict=True)
    print(f"{name:14}", *(f"{value:6.3f} {slope:6.3f}  " for value, slope in pairs))

scores = minigrad.tensor([2.0, 1.0, 0.1])
shares = minigrad.softmax(scores, dim=0)
print("\nsoftmax of", scores.tolist(), "is", [round(share, 3) for share in shares.tolist()])
print("and its derivatives are a matrix, as every share depends on every score:")
jacobian = [
    minigrad.autograd.grad(minigrad.softmax(point, dim=0)[row], point)[0].tolist()
    for row in range(3)
    for point in [scores.clone().requires_grad_()]
]
for row in jacobian:
    print(" ".join(f"{slope:6.3f}" for slope in row))

figure, axes = plt.subplots(3, 4, figsize=(13, 8), layout="constrained")
for ax, (name, function) in zip(axes.flat, functions.items(), strict=True):
    plot.activation(function, ax=ax, name=name)
figure.savefig(out / "activations.png")
