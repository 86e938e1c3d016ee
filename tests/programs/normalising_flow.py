"""A flow of affine couplings that learns the density of two moons."""

import math

import numpy as np

from tests.programs.start import begin, generator, given


def main(torch):
    nn = torch.nn
    rng = generator(47)
    angle = rng.uniform(0, np.pi, 64)
    upper = np.arange(64) % 2 == 0
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    data = given(torch, np.stack([x, y], 1) + rng.normal(0, 0.05, (64, 2)))

    class Coupling(nn.Module):
        def __init__(self, mask):
            super().__init__()
            self.register_buffer("mask", mask)
            self.scale = nn.Sequential(
                nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2), nn.Tanh()
            )
            self.shift = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 2))

        def forward(self, z):
            kept = z * self.mask
            s = self.scale(kept) * (1 - self.mask)
            t = self.shift(kept) * (1 - self.mask)
            return kept + (1 - self.mask) * (z - t) * torch.exp(-s), -s.sum(dim=1)

        def inverse(self, x):
            kept = x * self.mask
            s = self.scale(kept) * (1 - self.mask)
            return kept + (1 - self.mask) * (x * torch.exp(s) + self.shift(kept))

    masks = [torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])] * 2
    flow = begin(torch, nn.ModuleList([Coupling(mask) for mask in masks]))
    optimizer = torch.optim.NAdam(flow.parameters(), lr=0.01)
    losses = []
    for _ in range(12):
        z, log_det = data, torch.zeros(data.shape[0])
        for layer in reversed(flow):
            z, change = layer(z)
            log_det = log_det + change
        prior = -0.5 * (z**2).sum(dim=1) - math.log(2 * math.pi)
        loss = -(prior + log_det).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        for layer in flow:
            z = layer.inverse(z)
    return [*losses, z.var(0, unbiased=False).sum().item()]
