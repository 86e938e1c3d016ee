"""A function of our own: cube roots by Newton's method, differentiated without the loop.

Recording 40 Newton steps would keep 40 arrays alive to learn what algebra says at once:
if y**3 = x, then dy/dx = 1 / (3 y**2).  The backward is written with tensors, so it can be
differentiated again.
"""

from settings import out

import minigrad
from minigrad import plot


class CubeRoot(minigrad.autograd.Function):
    """The real cube root of positive numbers."""

    @staticmethod
    def forward(ctx, x):
        y = minigrad.ones_like(x)
        for _ in range(40):
            y = y - (y - x / (y * y)) / 3
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        (y,) = ctx.saved_tensors
        return grad_output / (3 * y * y)


x = minigrad.tensor([1.0, 8.0, 27.0], dtype=minigrad.float64, requires_grad=True)
y = CubeRoot.apply(x)
(first,) = minigrad.autograd.grad(y.sum(), x, create_graph=True)
(second,) = minigrad.autograd.grad(first.sum(), x)


def rounded(tensor):
    return [round(value, 5) for value in tensor.tolist()]


print("y      =", rounded(y))
print("y'     =", rounded(first))
print("y''    =", rounded(second))
print("checks =", minigrad.autograd.gradcheck(CubeRoot.apply, (x,)),
      minigrad.autograd.gradgradcheck(CubeRoot.apply, (x,)))  # fmt: skip

ax = plot.activation(CubeRoot.apply, name="cube root", limits=(0.05, 3.0))
ax.figure.savefig(out / "custom_function.png")
