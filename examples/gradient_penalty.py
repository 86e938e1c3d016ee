"""How far apart two clouds of points are, by a network whose own slope is part of its loss.

A critic f that never climbs faster than 1 and tells the clouds apart best has, on average, as
much more height on the one than on the other as the clouds are apart (Kantorovich-Rubinstein).
The slope is held at 1 by a penalty (Gulrajani et al., 2017, arXiv:1704.00028), so the gradient
of the loss is a gradient of a gradient: `create_graph=True` records the first one.
"""

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot

minigrad.manual_seed(0)
here = minigrad.randn(256, 2)
there = minigrad.randn(256, 2) + minigrad.tensor([3.0, 4.0])  # 5 away

critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = optim.Adam(critic.parameters(), lr=0.02)
distances, slopes = [], []

for step in range(101 if quick else 301):
    mix = minigrad.rand(256, 1)
    between = (mix * here + (1 - mix) * there).requires_grad_()
    (slope,) = minigrad.autograd.grad(critic(between).sum(), between, create_graph=True)
    length = slope.norm(dim=1)

    distance = critic(there).mean() - critic(here).mean()
    loss = -distance + 100 * ((length - 1) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    distances.append(distance.item())
    slopes.append(length.mean().item())
    if step % 100 == 0:
        print(f"step {step:3d}  distance {distances[-1]:.1f}  slope {slopes[-1]:.1f}")

ax = plot.cost({"distance": distances, "slope": slopes}, xlabel="step", ylabel="")
ax.axhline(5, color="grey", linewidth=1)
ax.figure.savefig(out / "gradient_penalty.png")
