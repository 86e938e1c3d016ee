"""CIFAR-10's subset learned by one network in minigrad and in torch: the accuracies, side by side.

`python -m benchmarks.cifar10` trains the network of examples/cnn_cifar10.py from the same weights,
on the same varied images in the same order, with the same schedule, once in each library for each
seed, and prints the test accuracies and their means.
"""

from __future__ import annotations

import argparse
import importlib
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.networks import pooled
from minigrad.datasets import CIFAR10

BATCH = 32
RATE = 3e-3


def scaled(images: Any) -> Any:
    """Bytes as numbers from -1 to 1."""
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def vary(images: Any, rng: np.random.Generator) -> Any:
    """Mirror every other image, and shift each by up to four pixels."""
    count = len(images)
    mirrored = rng.random((count, 1, 1, 1)) < 0.5
    images = np.where(mirrored, images[..., ::-1], images)
    images = np.pad(images, ((0, 0), (0, 0), (4, 4), (4, 4)))
    rows, columns = rng.integers(0, 9, (2, count, 1)) + np.arange(32)
    sample, channel = np.ogrid[:count, :3]
    return images[
        sample[..., None, None], channel[..., None, None], rows[:, None, :, None],
        columns[:, None, None, :],
    ]  # fmt: skip


def batches(data: CIFAR10, epochs: int, seed: int) -> Iterator[tuple[Any, Any, float]]:
    """The same images, labels and learning rates for whoever asks with this seed."""
    rng = np.random.default_rng(seed)
    images, labels = scaled(data.data.numpy()), data.targets.numpy()
    steps = epochs * (len(labels) // BATCH)
    for step in range(steps):
        place = step * BATCH % (len(labels) // BATCH * BATCH)
        if place == 0:
            order = rng.permutation(len(labels))
        chosen = order[place : place + BATCH]
        rate = RATE * (1 + math.cos(math.pi * step / steps)) / 2
        yield vary(images[chosen], rng), labels[chosen], rate


def start(seed: int) -> dict[str, Any]:
    """The weights to begin with, as arrays."""
    minigrad = importlib.import_module("minigrad")
    minigrad.manual_seed(seed)
    return {name: value.numpy() for name, value in pooled(minigrad).state_dict().items()}


def accuracy_of(library: str, train: CIFAR10, test: CIFAR10, epochs: int, seed: int) -> float:
    """The share of the test images that are right after training in this library."""
    lib = importlib.import_module(library)
    model = pooled(lib)
    model.load_state_dict({name: lib.tensor(value) for name, value in start(seed).items()})
    optimizer = lib.optim.AdamW(model.parameters(), lr=RATE)
    for images, labels, rate in batches(train, epochs, seed):
        optimizer.param_groups[0]["lr"] = rate
        loss = lib.nn.functional.cross_entropy(model(lib.tensor(images)), lib.tensor(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with lib.no_grad():
        predicted = model(lib.tensor(scaled(test.data.numpy()))).argmax(dim=1)
    return float((predicted.numpy() == test.targets.numpy()).mean())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cifar10", description=__doc__)
    parser.add_argument("--epochs", type=int, default=20, metavar="N")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N")
    options = parser.parse_args()
    train, test = CIFAR10(train=True, subset=True), CIFAR10(train=False, subset=True)
    found: dict[str, list[float]] = {"minigrad": [], "torch": []}
    for seed in options.seeds:
        for library, accuracies in found.items():
            begin = time.perf_counter()
            accuracies.append(accuracy_of(library, train, test, options.epochs, seed))
            seconds = time.perf_counter() - begin
            print(f"seed {seed}  {library:8} {accuracies[-1]:.1%}  {seconds:.0f} s", flush=True)
    for library, accuracies in found.items():
        print(f"mean    {library:8} {np.mean(accuracies):.2%}")


if __name__ == "__main__":
    main()
