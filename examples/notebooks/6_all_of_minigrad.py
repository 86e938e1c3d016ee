# %% [markdown]
# # All of minigrad in one notebook
#
# Tensors and gradients; a network in PyTorch style, in Keras style and in scikit-learn style, all
# three with the very same weights; callbacks, pictures, saving. Each part stands alone.

# %%
# %matplotlib inline
import tempfile
from pathlib import Path

import numpy

import minigrad
from minigrad import nn, optim, plot
from minigrad.datasets import Digits
from minigrad.utils.data import DataLoader, TensorDataset

# %% [markdown]
# ## Tensors that know where they come from
#
# A tensor notes each operation. `backward()` walks the notes in reverse.

# %%
x = minigrad.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2 + x).sum()
y.backward()
print(y, x.grad)  # the derivative of x^2 + x is 2 x + 1

# %% [markdown]
# Derivatives of derivatives work as well, to any order:

# %%
t = minigrad.tensor(0.5, requires_grad=True)
value = t.sin()
for _ in range(4):
    (value,) = minigrad.autograd.grad(value, t, create_graph=True)
print(value.item(), t.sin().item())  # the fourth derivative of sin is sin

# %% [markdown]
# ## Data
#
# 1,797 handwritten digits of 8 x 8 pixels come with the package, so this runs without a download.

# %%
train, test = Digits(train=True), Digits(train=False)
images, labels = train.data.numpy() / 16, train.targets.numpy()
test_images, test_labels = test.data.numpy() / 16, test.targets.numpy()
images, test_images = images.astype("float32"), test_images.astype("float32")
print(images.shape, labels.shape, test_images.shape)

# %%
ax = plot.digits(images[:10], labels[:10])

# %% [markdown]
# ## PyTorch style
#
# A model, an optimizer, and a loop that is written out.


# %%
def glorot(layer):
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def network():
    return nn.Sequential(
        nn.Flatten(), glorot(nn.Linear(64, 32)), nn.ReLU(), glorot(nn.Linear(32, 10))
    )


minigrad.manual_seed(7)
by_hand = network()
optimizer = optim.Adam(by_hand.parameters(), lr=0.005, eps=1e-7)
data = TensorDataset(minigrad.tensor(images), minigrad.tensor(labels))
for _ in range(10):
    for batch, target in DataLoader(data, batch_size=32, shuffle=True):
        loss = nn.functional.cross_entropy(by_hand(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(f"loss of the last batch: {loss.item():.3f}")

# %% [markdown]
# ## Keras style
#
# The same network, optimizer and order of the data, said in Keras's words.

# %%
from minigrad import keras

keras.utils.set_random_seed(7)
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.005),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
history = model.fit(images, labels, batch_size=32, epochs=10, verbose=0)
print(model.evaluate(test_images, test_labels, verbose=0, return_dict=True))

# %%
model.summary()

# %%
axes = plot.history(history)

# %% [markdown]
# ## scikit-learn style
#
# An estimator with `fit`, `predict` and `score`, which fits into pipelines and searches.

# %%
from minigrad.sklearn import MLPClassifier

estimator = MLPClassifier(
    module=network,
    optimizer=optim.Adam,
    optimizer_options={"eps": 1e-7},
    learning_rate=0.005,
    batch_size=32,
    max_epochs=10,
    random_state=7,
)
estimator.fit(images, labels)
print(f"{estimator.score(test_images, test_labels):.3f}")

# %% [markdown]
# ## Three faces, one network
#
# The three are translations of the same engine. With the same seed they have drawn the same weights
# and taken the same steps. Not nearly: to the last bit.

# %%
kernel = by_hand[1].weight.detach().numpy()
assert numpy.array_equal(model.get_weights()[0].T, kernel)
assert numpy.array_equal(estimator.module_[1].weight.detach().numpy(), kernel)
print("the weights of all three are equal")

# %% [markdown]
# ## What did it get wrong?

# %%
predicted = estimator.predict(test_images)
wrong = numpy.flatnonzero(predicted != test_labels)[:10]
ax = plot.digits(test_images[wrong], test_labels[wrong], predicted[wrong])

# %%
ax = plot.confusion_matrix(test_labels, predicted)

# %% [markdown]
# ## Save and load
#
# A safetensors file, which other programs read too, and which cannot run code.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    minigrad.save(by_hand.state_dict(), path)
    again = network()
    again.load_state_dict(minigrad.load(path))
same = (again(minigrad.tensor(test_images)) == by_hand(minigrad.tensor(test_images))).all()
print("loaded, and the outputs are the same:", same.item())

# %% [markdown]
# ## A decision boundary
#
# Any function of two features can be looked at.

# %%
minigrad.manual_seed(0)
angle = minigrad.rand(400) * 6.283
ring = (minigrad.arange(400) % 2).float()
points = (1 + ring.unsqueeze(1)) * minigrad.stack([angle.cos(), angle.sin()], 1)
points = points + 0.15 * minigrad.randn(400, 2)
rings = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = optim.Adam(rings.parameters(), lr=0.03)
for _ in range(200):
    loss = nn.functional.cross_entropy(rings(points), ring.long())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
ax = plot.decision_boundary(rings, points, ring)
