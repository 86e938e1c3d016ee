# %% [markdown]
# # 1. A dense layer, from one neuron up
#
# This is the first of five steps in which a small neural network is put together by hand. There is
# no framework in the first four cells, only numbers. At the end the same layer is one line of
# minigrad, and the two agree to the last bit that float32 has.

# %% [markdown]
# ## One neuron
#
# A neuron has one weight for each input, and a bias. It multiplies, adds up, and adds the bias:
#
# $$y = w_1 x_1 + w_2 x_2 + w_3 x_3 + b$$

# %%
inputs = [1.0, 2.0, 3.0]
weights = [0.2, 0.8, -0.5]
bias = 2.0

output = inputs[0] * weights[0] + inputs[1] * weights[1] + inputs[2] * weights[2] + bias
print(f"{output:.2f}")

# %% [markdown]
# ## Several neurons that see the same inputs
#
# Give each neuron weights and a bias of its own. Each row below belongs to one neuron. The result
# has one number for each neuron, and that is all that a dense layer is.

# %%
rows = [[0.2, 0.8, -0.5], [0.5, -0.91, 0.26], [-0.26, -0.27, 0.17]]
biases = [2.0, 3.0, 0.5]

layer = []
for row, bias in zip(rows, biases, strict=True):
    total = bias
    for weight, value in zip(row, inputs, strict=True):
        total += weight * value
    layer.append(total)
print([round(value, 3) for value in layer])

# %% [markdown]
# ## The same as a product of matrices
#
# The double loop is the product of a matrix and a vector. With a *batch* of samples, one in each
# row, it is a product of two matrices: `(samples, inputs) @ (inputs, neurons)`. The weights are
# kept as one row per neuron, so they are transposed first. The bias is added to each row.

# %%
import numpy

batch = numpy.array([[1.0, 2.0, 3.0], [2.0, 5.0, -1.0], [-1.5, 2.7, 3.3]])
by_numpy = batch @ numpy.array(rows).T + numpy.array(biases)
print(by_numpy.shape)
print(by_numpy.round(3))
assert numpy.allclose(by_numpy[0], layer)

# %% [markdown]
# ## A class for it
#
# Small random weights, so that the neurons differ from each other, and biases of zero. A layer
# remembers its weights; `forward` computes.


# %%
class Dense:
    def __init__(self, inputs, neurons, seed=0):
        generator = numpy.random.default_rng(seed)
        self.weights = 0.1 * generator.standard_normal((neurons, inputs))
        self.biases = numpy.zeros(neurons)

    def forward(self, batch):
        return batch @ self.weights.T + self.biases


hidden = Dense(3, 5)
last = Dense(5, 2)
print(last.forward(hidden.forward(batch)))

# %% [markdown]
# Two dense layers one after the other are still only *one* linear function: $A(Bx) = (AB)x$.
# Without something bent in between, depth buys nothing. Here is the proof in numbers:

# %%
together = last.weights @ hidden.weights
assert numpy.allclose(last.forward(hidden.forward(batch)), batch @ together.T)

# %% [markdown]
# That bent thing is the activation function, and it has [its own notebook](3_activations.ipynb).
#
# ## In minigrad
#
# `nn.Linear(inputs, neurons)` is this layer. Its weight has the same layout, one row per neuron.

# %%
import minigrad
from minigrad import nn

linear = nn.Linear(3, 3)
with minigrad.no_grad():
    linear.weight.copy_(minigrad.tensor(rows))
    linear.bias.copy_(minigrad.tensor(biases))
by_minigrad = linear(minigrad.tensor(batch, dtype=minigrad.float32))
print(by_minigrad)
assert numpy.allclose(by_minigrad.detach().numpy(), by_numpy, rtol=1e-6)

# %% [markdown]
# The `grad_fn` in the print is what the other layer cannot do: minigrad has noted how the numbers
# came about, and can tell how each of them would change with each weight.

# %%
by_minigrad.sum().backward()
print(linear.weight.grad)

# %% [markdown]
# Each row of this gradient is the sum of the batch's rows: if you raise the weight of input 1 by a
# little, the output rises by that input's value, added up over the samples.

# %%
assert numpy.allclose(linear.weight.grad.numpy(), batch.sum(axis=0), rtol=1e-6)
