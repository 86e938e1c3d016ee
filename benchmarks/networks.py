"""Rows that are whole steps of small networks, as people train and run them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from math import prod
from typing import Any

import numpy as np

from benchmarks.rows import Step, Work, timed

BATCHES = 32


def drawn_weights(shapes: list[tuple[int, ...]]) -> list[Any]:
    """Arrays of weights, uniform within what the number of inputs allows."""
    rng = np.random.default_rng(1)
    bounds = [1 / max(1, prod(shape[1:])) ** 0.5 for shape in shapes]
    pairs = zip(bounds, shapes, strict=True)
    return [rng.uniform(-bound, bound, shape).astype(np.float32) for bound, shape in pairs]


def fill(lib: Any, model: Any) -> Any:
    """Give the model weights that are the same in every library, and return it, on the device of
    the library.
    """
    model.to(getattr(lib, "place", "cpu"))
    parameters = list(model.parameters())
    with lib.no_grad():
        weights = drawn_weights([tuple(parameter.shape) for parameter in parameters])
        for parameter, values in zip(parameters, weights, strict=True):
            parameter.copy_(lib.tensor(values))
    return model


def drawn_batches(shape: tuple[int, ...], classes: int = 10) -> list[tuple[Any, Any]]:
    """Batches of noise with random labels, as arrays: several, so that no step learns them by
    heart and drives its gradients to zero.
    """
    rng = np.random.default_rng(2)
    pairs = []
    for _ in range(BATCHES):
        images = rng.normal(size=shape).astype(np.float32)
        pairs.append((images, rng.integers(0, classes, shape[0])))
    return pairs


def batches(lib: Any, shape: tuple[int, ...], classes: int = 10) -> Iterator[tuple[Any, ...]]:
    """The same endlessly, as tensors."""
    pairs = drawn_batches(shape, classes)
    return cycle([(lib.tensor(images), lib.tensor(labels)) for images, labels in pairs])


def perceptron(lib: Any, sizes: tuple[int, int, int]) -> Any:
    """A network of one hidden layer."""
    inputs, hidden, outputs = sizes
    nn = lib.nn
    layers = (nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
    return fill(lib, nn.Sequential(*layers))


def convolutional(lib: Any) -> Any:
    """Two 3x3 convolutions of 8 and 16 channels, each pooled, and a linear layer, for 28x28."""
    nn = lib.nn
    layers = (
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, 10),
    )
    return fill(lib, nn.Sequential(*layers))


def training(lib: Any, model: Any, optimizer: Any, data: Iterator[tuple[Any, ...]]) -> Step:
    """A full step: zero the gradients, forward, loss, backward, update."""
    cross_entropy = lib.nn.functional.cross_entropy

    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, data, list(model.parameters()), optimizer)


@timed("mlp-forward", "MLP 32-64-10, batch 16: forward")
def mlp_forward(lib: Any) -> Step:
    model = perceptron(lib, (32, 64, 10))

    def step(images: Any, labels: Any) -> Any:
        return model(images)

    return Work(step, batches(lib, (16, 32)))


@timed("mlp-backward", "MLP 32-64-10, batch 16: forward, loss and backward")
def mlp_backward(lib: Any) -> Step:
    model = perceptron(lib, (32, 64, 10))
    cross_entropy = lib.nn.functional.cross_entropy

    def step(images: Any, labels: Any) -> Any:
        model.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        return loss

    return Work(step, batches(lib, (16, 32)), list(model.parameters()))


@timed("mlp-sgd", "MLP 32-64-10, batch 16: full step with SGD", goal=0.5)
def mlp_sgd(lib: Any) -> Step:
    model = perceptron(lib, (32, 64, 10))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)
    return training(lib, model, optimizer, batches(lib, (16, 32)))


@timed("mlp-adam", "MLP 32-64-10, batch 16: full step with Adam", goal=0.35, compiled=0.2)
def mlp_adam(lib: Any) -> Step:
    model = perceptron(lib, (32, 64, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    return training(lib, model, optimizer, batches(lib, (16, 32)))


@timed("hvp", "MLP 8-32-32-1 of tanh, batch 16: Hessian-vector product", goal=0.5)
def hessian_vector(lib: Any) -> Step:
    """The gradient, recorded, then that of its product with a vector."""
    nn = lib.nn
    layers = (nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    model = fill(lib, nn.Sequential(*layers))
    parameters = list(model.parameters())
    rng = np.random.default_rng(4)
    vectors = [lib.tensor(rng.normal(size=p.shape).astype(np.float32)) for p in parameters]
    inputs = lib.tensor(rng.normal(size=(16, 8)).astype(np.float32))
    targets = lib.tensor(rng.normal(size=(16, 1)).astype(np.float32))
    grad = lib.autograd.grad

    def step() -> Any:
        loss = nn.functional.mse_loss(model(inputs), targets)
        gradients = grad(loss, parameters, create_graph=True)
        along = sum((g * v).sum() for g, v in zip(gradients, vectors, strict=True))
        return grad(along, parameters)

    return Work(step)


def mnist_step(lib: Any, batch: int) -> Step:
    """The step of `train mnist`: 784-128-10 with Adam."""
    model = perceptron(lib, (784, 128, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    return training(lib, model, optimizer, batches(lib, (batch, 784)))


@timed("mnist-1", "MNIST MLP 784-128-10: inference of one image", goal=0.7)
def mnist_inference(lib: Any) -> Step:
    model = perceptron(lib, (784, 128, 10))

    def step(images: Any, labels: Any) -> Any:
        with lib.no_grad():
            return model(images)

    return Work(step, batches(lib, (1, 784)))


@timed("mnist-32", "MNIST MLP 784-128-10, batch 32: full step with Adam", goal=0.7, compiled=0.5)
def mnist_32(lib: Any) -> Step:
    return mnist_step(lib, 32)


@timed("mnist-128", "MNIST MLP 784-128-10, batch 128: full step with Adam", goal=0.8)
def mnist_128(lib: Any) -> Step:
    return mnist_step(lib, 128)


@timed("cnn-forward", "CNN 1-8-16, 28x28, batch 32: forward")
def cnn_forward(lib: Any) -> Step:
    model = convolutional(lib)

    def step(images: Any, labels: Any) -> Any:
        return model(images)

    return Work(step, batches(lib, (32, 1, 28, 28)))


@timed("cnn", "CNN 1-8-16, 28x28, batch 32: full step with Adam")
def cnn(lib: Any) -> Step:
    model = convolutional(lib)
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    return training(lib, model, optimizer, batches(lib, (32, 1, 28, 28)))


def lenet(lib: Any) -> Any:
    """LeNet-5 for 28x28: 5x5 convolutions of 6 and 16 channels, each pooled, and three layers."""
    nn = lib.nn
    layers = (
        nn.Conv2d(1, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )
    return fill(lib, nn.Sequential(*layers))


@timed("lenet", "LeNet-5, 28x28, batch 32: full step with Adam", goal=1.0)
def lenet_step(lib: Any) -> Step:
    model = lenet(lib)
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    return training(lib, model, optimizer, batches(lib, (32, 1, 28, 28)))


def through(lib: Any, layers: Any, shape: tuple[int, ...], shortcut: bool = False) -> Step:
    """Forward and backward of layers, with the input's gradient; a shortcut adds the input."""
    block = fill(lib, lib.nn.Sequential(*layers))
    parameters = list(block.parameters())
    rng = np.random.default_rng(3)
    data = lib.tensor(rng.normal(size=shape).astype(np.float32))
    data.requires_grad_()
    weights = lib.tensor(rng.normal(size=shape).astype(np.float32))

    def step() -> Any:
        data.grad = None
        block.zero_grad()
        out = block(data)
        out = (out + data if shortcut else out).relu()
        out.backward(weights)
        return out

    return Work(step, leaves=(data, parameters))


# Of two million activations a few lie so near zero that rounding decides about their gradients.
@timed(
    "residual",
    "Residual block, 64 channels, 32x32, batch 32: forward and backward",
    goal=1.0,
    tolerance=5e-3,
)
def residual(lib: Any) -> Step:
    nn = lib.nn
    layers = (
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
    )
    return through(lib, layers, (32, 64, 32, 32), shortcut=True)


@timed(
    "separable",
    "Depthwise-separable block, 64 channels, 32x32, batch 32: forward and backward",
    goal=1.0,
)
def separable(lib: Any) -> Step:
    nn = lib.nn
    layers = (
        nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Conv2d(64, 64, 1, bias=False),
        nn.BatchNorm2d(64),
    )
    return through(lib, layers, (32, 64, 32, 32))


def pooled(lib: Any) -> Any:
    """For CIFAR-10: three convolutions with batch normalisation, each pooled, and a last layer."""
    nn = lib.nn
    layers: list[Any] = []
    for inputs, outputs in ((3, 16), (16, 32), (32, 64)):
        layers += [
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 10))


@timed("cifar10", "CIFAR-10 CNN 3-16-32-64, 32x32, batch 32: full step with Adam", goal=1.0)
def cifar10(lib: Any) -> Step:
    model = fill(lib, pooled(lib))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)
    return training(lib, model, optimizer, batches(lib, (32, 3, 32, 32)))
