"""Back-propagation one number at a time: every value is a 0-d tensor, every arrow is visible.

Prints:
    TanhBackward
      AddBackward
        AddBackward
          MulBackward
            AccumulateGrad
            AccumulateGrad
          MulBackward
            AccumulateGrad
            AccumulateGrad
        AccumulateGrad
    out = 0.5000
    d out / d x1 = -2.2500
    d out / d w1 = 1.5000
    d out / d x2 = 0.7500
    d out / d w2 = 3.0000
    d out / d bias = 0.7500
"""

import minigrad

# A neuron with two inputs; the bias is chosen so that it answers a half.
x1, x2 = (minigrad.tensor(value, requires_grad=True) for value in (2.0, 4.0))
w1, w2 = (minigrad.tensor(value, requires_grad=True) for value in (-3.0, 1.0))
bias = minigrad.tensor(2.549306, requires_grad=True)

total = x1 * w1 + x2 * w2 + bias
out = total.tanh()


def show(node, depth=0):
    """Print what was recorded: each operation above the ones that fed it."""
    print("  " * depth + node.name())
    for parent, _ in node.next_functions:
        show(parent, depth + 1)


show(out.grad_fn)
out.backward()

print(f"out = {out.item():.4f}")
for name, leaf in {"x1": x1, "w1": w1, "x2": x2, "w2": w2, "bias": bias}.items():
    print(f"d out / d {name} = {leaf.grad.item():.4f}")
