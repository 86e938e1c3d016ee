"""One network in PyTorch's, Keras's and scikit-learn's style: the very same weights, by hash."""

import hashlib

import numpy
import pytest

import minigrad
from minigrad import keras, nn, optim
from minigrad.sklearn import MLPClassifier
from minigrad.utils.data import DataLoader, TensorDataset

SEED = 11
EPOCHS = 2
BATCH = 16
CLASSES = 4


def samples(*shape):
    """70 samples, so that the last batch of an epoch is a short one."""
    generator = numpy.random.default_rng(5)
    x = generator.normal(size=(70, *shape)).astype("float32")
    return x, generator.integers(CLASSES, size=70)


def glorot(layer):
    """Keras's default start: each layer is drawn when it is made."""
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def torch_mlp():
    return nn.Sequential(
        glorot(nn.Linear(6, 12)),
        nn.ReLU(),
        nn.Dropout(0.25),
        glorot(nn.Linear(12, 8)),
        nn.Tanh(),
        glorot(nn.Linear(8, CLASSES)),
    )


def keras_mlp():
    return keras.Sequential(
        [
            keras.Input(shape=(6,)),
            keras.layers.Dense(12, activation="relu"),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(CLASSES),
        ]
    )


def torch_cnn():
    return nn.Sequential(
        glorot(nn.Conv2d(2, 4, 3)),
        nn.ReLU(),
        nn.MaxPool2d(2),
        glorot(nn.Conv2d(4, 6, 3, padding=1)),
        nn.BatchNorm2d(6, eps=1e-3, momentum=0.01),
        nn.ReLU(),
        nn.Flatten(),
        glorot(nn.Linear(54, CLASSES)),
    )


def keras_cnn():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape=(2, 8, 8)),
            layers.Conv2D(4, 3, activation="relu", data_format="channels_first"),
            layers.MaxPooling2D(2, data_format="channels_first"),
            layers.Conv2D(6, 3, padding="same", data_format="channels_first"),
            layers.BatchNormalization(axis=1),
            layers.Activation("relu"),
            layers.Flatten(),
            layers.Dense(CLASSES),
        ]
    )


class ChannelsLast(nn.Module):
    """A module of images with channels first, for images with channels last."""

    def __init__(self, module):
        self.module = module

    def forward(self, input):
        return self.module(input.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def torch_cnn_of_channels_last():
    """Where a view is turned decides in which order sums are taken, and so the last bit."""
    of_images = (nn.Conv2d, nn.MaxPool2d, nn.BatchNorm2d)
    return nn.Sequential(*(
        ChannelsLast(layer) if isinstance(layer, of_images) else layer for layer in torch_cnn()
    ))  # fmt: skip


def keras_cnn_of_channels_last():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(shape=(8, 8, 2)),
            layers.Conv2D(4, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(6, (3, 3), padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(CLASSES),
        ]
    )


NETWORKS = {
    "MLP": (torch_mlp, keras_mlp, (6,)),
    "CNN": (torch_cnn, keras_cnn, (2, 8, 8)),
    "CNN, channels last": (torch_cnn_of_channels_last, keras_cnn_of_channels_last, (8, 8, 2)),
}
OPTIMIZERS = {
    "SGD": (
        optim.SGD,
        {"momentum": 0.9},
        lambda: keras.optimizers.SGD(learning_rate=0.05, momentum=0.9),
        0.05,
    ),
    "Adam": (
        optim.Adam,
        {"eps": 1e-7},
        lambda: keras.optimizers.Adam(learning_rate=0.01),
        0.01,
    ),
    "RMSprop": (
        optim.RMSprop,
        {"alpha": 0.9, "eps": 1e-7},
        lambda: keras.optimizers.RMSprop(learning_rate=0.01),
        0.01,
    ),
}


def digest(model):
    """The SHA-256 of all weights of a module, by place.

    Statistics of batches are left out: Keras keeps the biased variance, torch the unbiased one.
    """
    total = hashlib.sha256()
    for parameter in model.parameters():
        total.update(numpy.ascontiguousarray(parameter.detach().numpy()).tobytes())
    return total.hexdigest()


def in_pytorch_style(make, optimizer, options, lr, x, y):
    minigrad.manual_seed(SEED)
    model = make()
    optimizer = optimizer(model.parameters(), lr=lr, **options)
    data = TensorDataset(minigrad.tensor(x), minigrad.tensor(y))
    loader = DataLoader(data, batch_size=BATCH, shuffle=True)
    model.train()
    for _ in range(EPOCHS):
        for inputs, target in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(inputs), target)
            loss.backward()
            optimizer.step()
    return model


def in_keras_style(make, optimizer, x, y):
    keras.utils.set_random_seed(SEED)
    model = make()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer(), loss=loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model


def in_sklearn_style(make, optimizer, options, lr, x, y):
    estimator = MLPClassifier(
        module=make,
        optimizer=optimizer,
        optimizer_options=options,
        learning_rate=lr,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        random_state=SEED,
    )
    return estimator.fit(x, y).module_


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("network", NETWORKS)
def test_the_three_styles_give_the_same_weights(network, optimizer):
    in_torch, in_keras, shape = NETWORKS[network]
    algorithm, options, keras_optimizer, lr = OPTIMIZERS[optimizer]
    x, y = samples(*shape)
    model = in_pytorch_style(in_torch, algorithm, options, lr, x, y)
    untrained = torch_mlp() if network == "MLP" else torch_cnn()
    assert digest(model) != digest(untrained)
    assert digest(in_keras_style(in_keras, keras_optimizer, x, y)) == digest(model)
    assert digest(in_sklearn_style(in_torch, algorithm, options, lr, x, y)) == digest(model)


def test_one_neuron_in_two_styles():
    x = numpy.array([[1.0], [2.0], [3.0], [4.0]], "float32")
    minigrad.manual_seed(SEED)
    model = glorot(nn.Linear(1, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(50):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(minigrad.tensor(x)), minigrad.tensor(2 * x)).backward()
        optimizer.step()
    keras.utils.set_random_seed(SEED)
    other = keras.Sequential([keras.layers.Dense(1, input_shape=[1])])
    other.compile(optimizer="sgd", loss="mean_squared_error")
    other.fit(x, 2 * x, epochs=50, shuffle=False, verbose=0)
    assert digest(other) == digest(model)


def test_labels_as_one_hot_rows_give_the_same_weights():
    x, y = samples(6)
    runs = []
    for one_hot in (False, True):
        keras.utils.set_random_seed(SEED)
        model = keras_mlp()
        kind = "CategoricalCrossentropy" if one_hot else "SparseCategoricalCrossentropy"
        model.compile("adam", getattr(keras.losses, kind)(from_logits=True))
        target = keras.utils.to_categorical(y, CLASSES) if one_hot else y
        model.fit(x, target, epochs=1, verbose=0)
        runs.append(numpy.concatenate([w.ravel() for w in model.get_weights()]))
    # The two losses are other operations: equal up to rounding in float32.
    assert numpy.allclose(*runs, rtol=1e-4, atol=1e-6)
