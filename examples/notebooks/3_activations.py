# %% [markdown]
# # 3. Activation functions
#
# A network of dense layers alone can only draw straight lines. An activation function between them
# bends. This notebook writes the classical ones in NumPy, checks them against minigrad, and looks
# at their derivatives, because the derivative decides whether a network learns.

# %%
# %matplotlib inline
import numpy

import minigrad
from minigrad import plot
from minigrad.nn import functional as F

x = numpy.linspace(-6, 6, 241)

# %% [markdown]
# ## Step
#
# The perceptron of 1958 fires or does not. Its slope is 0 everywhere, so gradient descent learns
# nothing from it.


# %%
def step(x):
    return numpy.where(x >= 0, 1.0, 0.0)


# %% [markdown]
# ## Sigmoid and tanh
#
# The sigmoid squeezes any number into (0, 1), which reads as a probability. For a very negative x
# the textbook formula overflows in `exp(-x)`; the second formula, equal in exact arithmetic, does
# not. Each half of the line takes the one that is safe there.


# %%
def sigmoid(x):
    small = numpy.exp(-numpy.abs(x))
    return numpy.where(x >= 0, 1 / (1 + small), small / (1 + small))


print(sigmoid(numpy.array([-1000.0, 0.0, 1000.0])))
assert numpy.allclose(sigmoid(x), minigrad.sigmoid(minigrad.tensor(x)).numpy())
assert numpy.allclose(2 * sigmoid(2 * x) - 1, numpy.tanh(x))  # tanh is a stretched sigmoid

# %% [markdown]
# ## ReLU and its leaky sister
#
# Cheap, and its slope is 1 on the whole right half, so gradients pass through many layers. On the
# left it is 0: a neuron that only ever sees negative sums is dead. The leaky one leaves it a way
# back.


# %%
def relu(x):
    return numpy.maximum(x, 0)


def leaky_relu(x, slope=0.01):
    return numpy.where(x >= 0, x, slope * x)


assert numpy.array_equal(relu(x), F.relu(minigrad.tensor(x)).numpy())
assert numpy.allclose(leaky_relu(x), F.leaky_relu(minigrad.tensor(x)).numpy())

# %% [markdown]
# ## Softmax
#
# It turns a row of scores into probabilities that add up to 1. Taking away the largest score first
# changes nothing in the result, and keeps `exp` from overflowing.


# %%
def softmax(scores):
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


scores = numpy.array([[1.0, 2.0, 3.0], [1000.0, 1000.0, 0.0]])
print(softmax(scores).round(3))
assert numpy.allclose(softmax(scores), F.softmax(minigrad.tensor(scores), dim=1).numpy())

# %% [markdown]
# ## Derivatives without formulas
#
# minigrad finds the derivative of whatever was computed. So it draws functions and slopes alike,
# and a slope on paper can be checked.

# %%
points = minigrad.tensor(x, requires_grad=True)
minigrad.sigmoid(points).sum().backward()
assert numpy.allclose(points.grad.numpy(), sigmoid(x) * (1 - sigmoid(x)))

# %%
axes = plot.activations(["step", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"])

# %% [markdown]
# ## Why the slope matters
#
# The slope of the sigmoid is at most 1/4. Ten sigmoids one after the other multiply ten slopes: at
# best a millionth is left of the gradient. Ten ReLUs on their right half leave it whole.

# %%
for name, function in (("sigmoid", minigrad.sigmoid), ("tanh", minigrad.tanh), ("relu", F.relu)):
    start = minigrad.tensor(0.5, requires_grad=True)
    value = start
    for _ in range(10):
        value = function(value)
    value.backward()
    print(f"{name:8} gradient after ten of them: {start.grad.item():.2g}")
