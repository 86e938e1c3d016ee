"""What training costs in each style: `python -m benchmarks.faces [--repeats N]`.

The Keras MNIST listing (Flatten, Dense 128 ReLU, Dense 10 softmax, Adam, batches of 32) by
`minigrad.keras`, by the Trainer, by `minigrad.sklearn`, and by the loop written out with
minigrad's DataLoader; and torch's loop with torch's DataLoader. All run in one process and take
turns; the least time of each counts, because whatever else the machine does only adds to it. The
images are random numbers of MNIST's shape; five epochs of 32 batches, as the listing has five of
1,875.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SAMPLES, BATCH, EPOCHS = 1_024, 32, 5


def data() -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    images = generator.random((SAMPLES, 28, 28), dtype=np.float32)
    return images, generator.integers(10, size=SAMPLES)


def loop(lib: Any, images: Any, labels: Any) -> Callable[[], float]:
    """The loop that torch's users write, in either library."""
    dataset = lib.utils.data.TensorDataset(lib.tensor(images), lib.tensor(labels))
    loader = lib.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
    nn = lib.nn
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = lib.optim.Adam(model.parameters(), lr=0.001)

    def run() -> float:
        total = 0.0
        for _ in range(EPOCHS):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = nn.functional.cross_entropy(model(inputs), targets)
                loss.backward()
                optimizer.step()
                total += loss.item()
        return total

    return run


def by_trainer(images: Any, labels: Any) -> Callable[[], Any]:
    import minigrad
    from minigrad import nn, optim, training

    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    trainer = training.Trainer(model, optim.Adam(model.parameters()), nn.CrossEntropyLoss())
    dataset = minigrad.utils.data.TensorDataset(minigrad.tensor(images), minigrad.tensor(labels))
    loader = minigrad.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True)
    return lambda: trainer.fit(loader, epochs=EPOCHS, initial_epoch=0)


def by_keras(images: Any, labels: Any, *, listing: bool) -> Callable[[], Any]:
    """The listing with accuracy and a softmax; or what the written loop does, from logits."""
    from minigrad import keras

    layers = [keras.layers.Flatten(), keras.layers.Dense(128, activation="relu")]
    layers.append(keras.layers.Dense(10, activation="softmax" if listing else None))
    model = keras.Sequential([keras.Input(shape=(28, 28)), *layers])
    if listing:
        targets = keras.utils.to_categorical(labels, 10)
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    else:
        targets = labels
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return lambda: model.fit(images, targets, batch_size=BATCH, epochs=EPOCHS, verbose=0)


def by_sklearn(images: Any, labels: Any) -> Callable[[], Any]:
    from minigrad.sklearn import MLPClassifier

    flat = images.reshape(len(images), 784)
    estimator = MLPClassifier((128,), batch_size=BATCH, max_epochs=EPOCHS, random_state=0)
    return lambda: estimator.fit(flat, labels)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faces", description=__doc__)
    parser.add_argument("--repeats", type=int, default=40, metavar="N", help="turns, 40 by default")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of both libraries")
    options = parser.parse_args()

    import torch

    import minigrad
    from minigrad.backend.threads import set_blas_threads

    torch.set_num_threads(options.threads)
    set_blas_threads(options.threads)
    images, labels = data()
    runs = {
        "torch: loop written out": loop(torch, images, labels),
        "minigrad: loop written out": loop(minigrad, images, labels),
        "minigrad: Trainer": by_trainer(images, labels),
        "minigrad.keras, the same loss": by_keras(images, labels, listing=False),
        "minigrad.keras, the listing": by_keras(images, labels, listing=True),
        "minigrad.sklearn": by_sklearn(images, labels),
    }
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(options.repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            least[name] = min(least[name], time.perf_counter() - start)
    peer, bare = least["torch: loop written out"], least["minigrad: loop written out"]
    steps = EPOCHS * SAMPLES // BATCH
    print(f"| {steps} batches of {BATCH} | time | to torch's loop | to the bare loop |")
    print("| --- | --- | --- | --- |")
    for name, seconds in least.items():
        print(f"| {name} | {1e3 * seconds:.0f} ms | {seconds / peer:.2f} | {seconds / bare:.2f} |")


if __name__ == "__main__":
    main()
