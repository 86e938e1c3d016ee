"""One network in Keras, PyTorch and scikit-learn style: equal hashes of the trained weights."""

import hashlib

import matplotlib.pyplot as plt
from settings import out, quick

import minigrad
from minigrad import keras, nn, optim, plot
from minigrad.datasets import Digits
from minigrad.sklearn import MLPClassifier
from minigrad.utils.data import DataLoader, TensorDataset

seed, epochs, batch_size, rate = 42, 3 if quick else 15, 32, 0.005
train, test = Digits(train=True), Digits(train=False)
x, y = train.data.numpy().astype("float32") / 16, train.targets.numpy()
x_test, y_test = test.data.numpy().astype("float32") / 16, test.targets.numpy()

# Keras style.
keras.utils.set_random_seed(seed)
in_keras = keras.Sequential([
    keras.Input(shape=(8, 8)),
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10),
])  # fmt: skip
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
in_keras.compile(keras.optimizers.RMSprop(rate), loss, metrics=["accuracy"])
history = in_keras.fit(x, y, batch_size, epochs, validation_data=(x_test, y_test), verbose=0)


# PyTorch style, with the defaults of Keras said aloud: where the weights start, rho, epsilon.
def dense(inputs, outputs):
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def network():
    return nn.Sequential(nn.Flatten(), dense(64, 32), nn.ReLU(), dense(32, 10))


minigrad.manual_seed(seed)
in_torch = network()
optimizer = optim.RMSprop(in_torch.parameters(), lr=rate, alpha=0.9, eps=1e-7)
data = TensorDataset(minigrad.tensor(x), minigrad.tensor(y))
for _ in range(epochs):
    for inputs, targets in DataLoader(data, batch_size, shuffle=True):
        loss = nn.functional.cross_entropy(in_torch(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# scikit-learn style.
in_sklearn = MLPClassifier(
    module=network, optimizer=optim.RMSprop, optimizer_options={"alpha": 0.9, "eps": 1e-7},
    learning_rate=rate, batch_size=batch_size, max_epochs=epochs, random_state=seed,
).fit(x, y)  # fmt: skip

hashes = {}
for style, model in (
    ("Keras", in_keras),
    ("PyTorch", in_torch),
    ("scikit-learn", in_sklearn.module_),
):
    weights = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
    hashes[style] = hashlib.sha256(weights).hexdigest()
    print(f"{style:12} {hashes[style][:32]}")
assert len(set(hashes.values())) == 1
print(f"the three are equal; accuracy on the test digits {in_sklearn.score(x_test, y_test):.3f}")

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
plot.history(history, ax=axes)
figure.savefig(out / "three_faces.png")
