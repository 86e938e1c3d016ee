"""Rows whose cost grows: one workload at a series of sizes, for `benchmarks.growth`."""

from __future__ import annotations

from functools import partial
from typing import Any

from benchmarks.arrays import random
from benchmarks.fused import attention
from benchmarks.networks import batches, fill, mnist_step, training
from benchmarks.rows import Row, Step, Work, add_row

SERIES = {
    "batch": "MNIST MLP 784-128-10 with Adam, by batch",
    "width": "MLP of two square layers with SGD, batch 32, by width",
    "depth": "residual layers of width 32, SGD, batch 16, by depth",
    "sequence": "causal attention in 4 heads of 32, both ways, by length",
    "parameters": "Adam's update of ten tensors, by parameters in all",
}
SIZES = {
    "batch": (1, 4, 16, 64, 256, 1024, 4096),
    "width": (16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    "depth": (1, 3, 10, 30, 100, 300, 1000),
    "sequence": (16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    "parameters": (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000),
}


def by_batch(lib: Any, size: int) -> Step:
    return mnist_step(lib, size)


def by_width(lib: Any, size: int) -> Step:
    nn = lib.nn
    layers = (nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU())
    model = fill(lib, nn.Sequential(*layers, nn.Linear(size, 10)))
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)
    return training(lib, model, optimizer, batches(lib, (32, size)))


def by_depth(lib: Any, size: int) -> Step:
    # Each layer adds a little to what it is given, so that gradients neither vanish nor explode.
    layers = fill(lib, lib.nn.ModuleList([lib.nn.Linear(32, 32) for _ in range(size)]))
    optimizer = lib.optim.SGD(layers.parameters(), lr=0.001)

    def model(hidden: Any) -> Any:
        for layer in layers:
            hidden = hidden + layer(hidden).tanh() * 0.1
        return hidden

    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = lib.nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return Work(step, batches(lib, (16, 32)), list(layers.parameters()), optimizer)


def by_sequence(lib: Any, size: int) -> Step:
    return attention(lib, size, batch=1)


def by_parameters(lib: Any, size: int) -> Step:
    parameters = [random(lib, size // 10, seed=n) for n in range(10)]
    for n, parameter in enumerate(parameters):
        parameter.grad = random(lib, size // 10, differentiable=False, seed=20 + n)
    optimizer = lib.optim.Adam(parameters, lr=1e-6)

    def step() -> Any:
        optimizer.step()
        # A part: to compare all of it would take longer than the step.
        return [parameter.detach()[:100] for parameter in parameters]

    return Work(step)


_BUILD = {
    "batch": by_batch,
    "width": by_width,
    "depth": by_depth,
    "sequence": by_sequence,
    "parameters": by_parameters,
}
for _series, _sizes in SIZES.items():
    for _size in _sizes:
        add_row(
            Row(
                name=f"{_series}-{_size}",
                title=f"{SERIES[_series]}: {_size}",
                family=f"growth by {_series}",
                build=partial(_BUILD[_series], size=_size),
                tolerance=1e-3,
            )
        )
