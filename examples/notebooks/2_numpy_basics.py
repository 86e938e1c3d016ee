# %% [markdown]
# # 2. NumPy basics: shapes, products, broadcasting, axes
#
# Nearly every mistake in a first network is a mistake of shapes. This notebook goes through the few
# rules that a network needs, each beside its twin in minigrad: tensors follow the same rules, and
# `dim` is the name of what NumPy calls `axis`.

# %%
import numpy

import minigrad

vector = numpy.array([1.0, 2.0, 3.0])
matrix = numpy.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(vector.shape, matrix.shape, matrix.ndim, matrix.dtype)

# %% [markdown]
# A tensor is made from an array or a list. A Python list of floats becomes float32, which is what
# networks compute in; an array keeps the type that it has.

# %%
print(minigrad.tensor([1.0, 2.0, 3.0]).dtype, minigrad.tensor(vector).dtype)

# %% [markdown]
# ## Dot product and matrix product
#
# The dot product multiplies element by element and adds up. A matrix product is a dot product for
# each pair of a row on the left and a column on the right, so the inner sizes must agree:
# `(2, 3) @ (3, 4)` gives `(2, 4)`.

# %%
print(vector @ vector)
print((matrix @ numpy.ones((3, 4))).shape)

# %% [markdown]
# Where they do not agree, the message should say what to do. Here is minigrad's:

# %%
try:
    minigrad.tensor(matrix) @ minigrad.tensor(matrix)
except RuntimeError as error:
    print(error)

# %%
print(minigrad.tensor(matrix) @ minigrad.tensor(matrix).T)

# %% [markdown]
# ## Broadcasting
#
# Shapes are compared from the right. Two sizes fit if they are equal or if one of them is 1; a
# missing one counts as 1. What has size 1 is used again and again, without being copied. That is
# how a bias of shape `(3,)` is added to each row of a batch of shape `(2, 3)`.

# %%
bias = numpy.array([10.0, 20.0, 30.0])
print(matrix + bias)

# %% [markdown]
# A column, shape `(2, 1)`, is added to each *column* instead. `[:, None]` makes one.

# %%
column = numpy.array([100.0, 200.0])
print(matrix + column[:, None])

# %% [markdown]
# The trap: a column minus a row of the same length is not a vector but a whole matrix. Predictions
# of shape `(4, 1)` and targets of shape `(4,)` give a loss over 16 differences instead of 4, and
# nothing complains. Look at the shapes first.

# %%
predictions = numpy.ones((4, 1))
targets = numpy.ones(4)
print((predictions - targets).shape)
print((predictions[:, 0] - targets).shape)

# %% [markdown]
# minigrad's losses refuse such a pair:

# %%
try:
    minigrad.nn.functional.mse_loss(minigrad.tensor(predictions), minigrad.tensor(targets))
except ValueError as error:
    print(error)

# %% [markdown]
# ## Sums along an axis
#
# `axis=0` goes down the rows and leaves one number per column; `axis=1` goes along a row and leaves
# one number per row. The axis that is named is the one that disappears. `keepdims=True` keeps it
# with size 1, so that the result still broadcasts against what it came from.

# %%
print(matrix.sum(axis=0), matrix.sum(axis=1))
shares = matrix / matrix.sum(axis=1, keepdims=True)
print(shares, shares.sum(axis=1))

# %%
tensor = minigrad.tensor(matrix)
print(tensor.sum(dim=0), tensor.sum(dim=1, keepdim=True).shape)

# %% [markdown]
# ## Picking out
#
# The loss of a classifier needs, for each sample, the number that belongs to its label: row 0
# column 2, row 1 column 0. Two lists of positions do it.

# %%
labels = numpy.array([2, 0])
print(matrix[numpy.arange(2), labels])
print(tensor[minigrad.arange(2), minigrad.tensor(labels)])

# %% [markdown]
# ## Views
#
# A slice shows the same memory. Writing to it writes to the original, in NumPy and in minigrad.

# %%
first_row = matrix[0]
first_row[0] = -1.0
print(matrix)

# %% [markdown]
# ## What a tensor adds
#
# The gradient. Everything above works the same way, and afterwards `backward()` says how the result
# depends on the inputs. A broadcast in the forward direction is a sum in the backward direction:
# the bias was used in both rows, so its gradient is 2.

# %%
b = minigrad.tensor(bias, requires_grad=True)
(minigrad.tensor(matrix) + b).sum().backward()
print(b.grad)
