"""y = x² + x, learned from noisy points by a network of one hidden layer."""

from settings import out, quick

import minigrad
from minigrad import nn, optim, plot

minigrad.manual_seed(0)
x = minigrad.linspace(-3, 2, 100).unsqueeze(1)
y = x**2 + x + 0.3 * minigrad.randn(100, 1)

model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = optim.Adam(model.parameters(), lr=0.02)
for step in range(401 if quick else 1001):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 200 == 0:
        print(f"step {step:4}  loss {loss.item():.2f}")

for number in (-2.0, -0.5, 0.0, 1.5):
    learned = model(minigrad.tensor([[number]])).item()
    print(f"x = {number:4}  learned {learned:5.1f}  true {number**2 + number:5.2f}")

ax = plot.function_fit(model, x, y, truth=lambda x: x**2 + x)
ax.figure.savefig(out / "parabola.png")
