# %% [markdown]
# # 4. Assembling a network
#
# Two dense layers, a ReLU between them and a softmax behind: that is a network which can tell three
# spirals apart. Here it is put together by hand in NumPy, forward only, and then in minigrad, where
# it can also learn. The missing piece between the two is the gradient.

# %%
# %matplotlib inline
import numpy

import minigrad
from minigrad import nn, plot


def spirals(points, classes, seed=0):
    """Arms of a spiral: (points * classes, 2) positions and their labels."""
    generator = numpy.random.default_rng(seed)
    radius = numpy.tile(numpy.linspace(0.05, 1, points), classes)
    label = numpy.repeat(numpy.arange(classes), points)
    angle = (
        4 * radius + label * 2 * numpy.pi / classes + 0.15 * generator.standard_normal(len(label))
    )
    return numpy.stack([radius * numpy.sin(angle), radius * numpy.cos(angle)], 1), label


x, y = spirals(100, 3)
print(x.shape, y.shape)

# %% [markdown]
# ## Forward, in NumPy
#
# `(300, 2) @ (2, 16)` gives 16 hidden numbers for each point, `(300, 16) @ (16, 3)` three scores.

# %%
generator = numpy.random.default_rng(1)
w1, b1 = generator.standard_normal((2, 16)) * 0.5, numpy.zeros(16)
w2, b2 = generator.standard_normal((16, 3)) * 0.5, numpy.zeros(3)


def forward(x):
    hidden = numpy.maximum(x @ w1 + b1, 0)
    scores = hidden @ w2 + b2
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


probabilities = forward(x)
print(probabilities[:2].round(3), probabilities.sum(axis=1)[:2])
print(f"accuracy by chance: {(probabilities.argmax(axis=1) == y).mean():.2f}")

# %% [markdown]
# ## Guessing weights does not work
#
# One could try random weights and keep the best. Two hundred tries get a little way; a network of
# any size has far too many weights for this.

# %%
best = 0.0
for _ in range(200):
    w1, w2 = generator.standard_normal((2, 16)), generator.standard_normal((16, 3))
    best = max(best, (forward(x).argmax(axis=1) == y).mean())
print(f"the best of 200 guesses: {best:.2f}")

# %% [markdown]
# ## The same network in minigrad
#
# `nn.Sequential` puts layers in a row. The softmax is left out: the cross-entropy takes the scores
# and does it inside, where it is exact.

# %%
minigrad.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))
inputs = minigrad.tensor(x, dtype=minigrad.float32)
labels = minigrad.tensor(y)
print(model)
print(sum(parameter.numel() for parameter in model.parameters()), "weights")

# %% [markdown]
# ## Learning: five lines
#
# Forward, loss, backward, and a small step against the gradient. Nothing else happens in any
# training loop.

# %%
losses = []
for _ in range(1500):
    loss = nn.functional.cross_entropy(model(inputs), labels)
    model.zero_grad()
    loss.backward()
    with minigrad.no_grad():
        for parameter in model.parameters():
            parameter -= 0.5 * parameter.grad
    losses.append(loss.item())

accuracy = (model(inputs).argmax(1) == labels).float().mean().item()
print(f"loss {losses[0]:.2f} -> {losses[-1]:.2f}, accuracy {accuracy:.2f}")
assert accuracy > 0.9

# %%
ax = plot.cost({"gradient descent": losses})

# %% [markdown]
# The boundaries that it has found:

# %%
ax = plot.decision_boundary(model, x, y)
