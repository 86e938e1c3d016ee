# %% [markdown]
# # 5. Cross-entropy
#
# A classifier gives a probability for each class. How wrong is it? The cross-entropy answers: take
# the probability of the class that was right, and the loss is minus its logarithm. Certain and
# right costs 0; a probability of 1/2 costs 0.69; certain and wrong costs without limit.

# %%
# %matplotlib inline
import numpy

import minigrad
from minigrad.nn import functional as F

for p in (1.0, 0.9, 0.5, 0.1, 0.01):
    print(f"probability {p:4} of the right class: loss {numpy.log(1 / p):.3f}")

# %% [markdown]
# ## Labels as numbers, labels as one-hot rows
#
# The label may be a position, *sparse*, or a row with a single 1, *one-hot*. With a one-hot row the
# loss is $-\sum_k y_k \log p_k$, of which only one term is not zero.

# %%
probabilities = numpy.array([[0.7, 0.1, 0.2], [0.1, 0.5, 0.4], [0.02, 0.9, 0.08]])
labels = numpy.array([0, 1, 1])
one_hot = numpy.eye(3)[labels]

sparse = -numpy.log(probabilities[numpy.arange(3), labels])
dense = -(one_hot * numpy.log(probabilities)).sum(axis=1)
print(sparse.round(4), dense.round(4), sparse.mean().round(4))
assert numpy.array_equal(sparse, dense)

# %% [markdown]
# ## The hole at zero
#
# If the network is certain and wrong, the logarithm is minus infinity, and one sample makes the
# mean infinite. Keras therefore keeps probabilities away from 0 and 1 by a small epsilon, 1e-7.

# %%
with numpy.errstate(divide="ignore"):
    print(-numpy.log(numpy.array([0.0])))
epsilon = 1e-7
print(-numpy.log(numpy.clip(numpy.array([0.0]), epsilon, 1 - epsilon)))

# %% [markdown]
# ## Better: from the scores
#
# The epsilon hides a second problem: once the softmax has rounded to exactly 0, the gradient is
# gone too, and the network cannot learn its way out. Computed from the scores in one go, as
# $\log \sum_j e^{z_j} - z_k$, nothing rounds. This is what `F.cross_entropy` does, and what
# `from_logits=True` means in Keras.

# %%
scores = minigrad.tensor([[200.0, 0.0, -200.0]], requires_grad=True)
label = minigrad.tensor([2])

clipped = -F.softmax(scores, dim=1).clamp(epsilon, 1 - epsilon)[0, 2].log()
clipped.backward()
print(f"from probabilities: loss {clipped.item():.2f}, gradient {scores.grad.tolist()}")

scores.grad = None
exact = F.cross_entropy(scores, label)
exact.backward()
print(f"from scores:        loss {exact.item():.2f}, gradient {scores.grad.tolist()}")

# %% [markdown]
# ## The gradient is the error
#
# With softmax and cross-entropy together, the gradient with respect to the scores is as simple as
# it could be: the probabilities minus the one-hot row.

# %%
scores = minigrad.tensor(numpy.log(probabilities), requires_grad=True)
F.cross_entropy(scores, minigrad.tensor(labels), reduction="sum").backward()
print(scores.grad)
assert numpy.allclose(scores.grad.numpy(), probabilities - one_hot)

# %% [markdown]
# ## Two classes
#
# With two classes one probability is enough, and the loss is called *binary* cross-entropy or log
# loss: $-(y \log p + (1 - y) \log(1 - p))$.

# %%
p = numpy.array([0.9, 0.2, 0.6])
target = numpy.array([1.0, 0.0, 0.0])
by_hand = -(target * numpy.log(p) + (1 - target) * numpy.log(1 - p)).mean()
by_minigrad = F.binary_cross_entropy(minigrad.tensor(p), minigrad.tensor(target)).item()
print(f"{by_hand:.6f} {by_minigrad:.6f}")
assert abs(by_hand - by_minigrad) < 1e-12

# %% [markdown]
# That is the last piece: a dense layer, an activation, another layer, and a loss that says how
# wrong the result is. The [fourth notebook](4_assembling_a_network.ipynb) has put them together.
