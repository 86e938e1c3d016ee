"""A polynomial fitted to a sine: by hand, by autograd, with a Function, a module, an optimizer."""

import math

from tests.programs.start import begin


def by_hand(torch, x, y):
    a, b, c, d = (torch.full((), start) for start in (0.1, -0.2, 0.3, 0.05))
    losses = []
    for _ in range(20):
        y_pred = a + b * x + c * x**2 + d * x**3
        losses.append((y_pred - y).pow(2).sum().item())
        grad = 2.0 * (y_pred - y)
        a -= 1e-5 * grad.sum()
        b -= 1e-5 * (grad * x).sum()
        c -= 1e-5 * (grad * x**2).sum()
        d -= 1e-5 * (grad * x**3).sum()
    return losses


def by_function(torch, x, y):
    class Cubic(torch.autograd.Function):
        @staticmethod
        def forward(ctx, input):
            ctx.save_for_backward(input)
            return 0.5 * (5 * input**3 - 3 * input)

        @staticmethod
        def backward(ctx, grad_output):
            (input,) = ctx.saved_tensors
            return grad_output * 1.5 * (5 * input**2 - 1)

    parts = [torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3)]
    a, b, c, d = parts
    losses = []
    for _ in range(20):
        loss = (a + b * Cubic.apply(c + d * x) - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            for part in parts:
                part -= 5e-6 * part.grad
                part.grad = None
    return losses


def by_module(torch, x, y):
    xx = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))
    model = begin(torch, torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1)))
    loss_fn = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(20):
        loss = loss_fn(model(xx), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert model[0].weight.grad.shape == (1, 3)
    return losses


def main(torch):
    x = torch.linspace(-math.pi, math.pi, 200)
    y = torch.sin(x)
    return by_hand(torch, x, y) + by_function(torch, x, y) + by_module(torch, x, y)
