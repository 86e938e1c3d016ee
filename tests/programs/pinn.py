"""A network that solves a differential equation: its own second derivative is in the loss."""

import math

from tests.programs.start import begin


def main(torch):
    nn = torch.nn

    class Solution(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, 12), nn.Linear(12, 12), nn.Linear(12, 1)])
            self.frequency = nn.Parameter(torch.tensor(1.0), requires_grad=True)

        def forward(self, t):
            for layer in self.layers[:-1]:
                t = torch.tanh(layer(t) * self.frequency)
            return self.layers[-1](t)

    def derivative(y, x):
        return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]

    net = begin(torch, Solution())
    t = torch.linspace(0, 1, 20).view(-1, 1).requires_grad_(True)
    start = torch.zeros(1, 1, requires_grad=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        u = net(t)
        first = derivative(u, t)
        residual = derivative(first, t) + 0.4 * first + math.pi**2 * u
        u0 = net(start)
        boundary = (u0 - 1).squeeze() ** 2 + derivative(u0, start).squeeze() ** 2
        loss = boundary + 1e-3 * residual.square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
