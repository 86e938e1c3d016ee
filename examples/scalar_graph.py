"""Back-propagation one number at a time: every value is a 0-d tensor, every arrow is visible."""

import matplotlib.pyplot as plt
from settings import out

import minigrad

# A neuron with two inputs; the bias is chosen so that it answers a half.
x1, x2 = (minigrad.tensor(value, requires_grad=True) for value in (2.0, 4.0))
w1, w2 = (minigrad.tensor(value, requires_grad=True) for value in (-3.0, 1.0))
bias = minigrad.tensor(2.549306, requires_grad=True)

total = x1 * w1 + x2 * w2 + bias
y = total.tanh()
boxes = []


def show(node, depth=0, row=0, fed=None):
    """Print what was recorded, each operation above the ones that fed it, and keep where it goes
    on the picture and what it feeds; the answer is the next row that is free.
    """
    print("  " * depth + node.name())
    place = (-depth, -row)
    boxes.append((place, node.name().removesuffix("Backward"), fed))
    for parent, _ in node.next_functions:
        row = show(parent, depth + 1, row, place)
    return row if node.next_functions else row + 1


show(y.grad_fn)
y.backward()

leaves = {"x1": x1, "w1": w1, "x2": x2, "w2": w2, "bias": bias}
print(f"y = {y.item():.4f}")
for name, leaf in leaves.items():
    print(f"d y / d {name} = {leaf.grad.item():.4f}")

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.set(xlim=(-3.5, 0.5), ylim=(-4.5, 0.5))
ax.set_axis_off()
labels = iter(f"{name} = {leaf:.2f}\nslope {leaf.grad:.2f}" for name, leaf in leaves.items())
for place, operation, fed in boxes:
    text = next(labels) if operation == "AccumulateGrad" else operation
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "grey"}
    ax.text(*place, text, ha="center", va="center", bbox=box)
    if fed is not None:
        ax.annotate("", fed, place, arrowprops={"arrowstyle": "-|>", "shrinkB": 28}, zorder=0)
figure.savefig(out / "scalar_graph.png")
