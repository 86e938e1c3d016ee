"""Rows where the arithmetic is everything: large arrays, one operation at a time."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.rows import Row, Step, Work, add_row, timed

MILLION = 1_000_000


def random(lib: Any, *shape: int, differentiable: bool = True, seed: int = 3) -> Any:
    """A float32 tensor of normal draws, the same in every library."""
    values = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return lib.tensor(values, requires_grad=differentiable)


def operands(lib: Any, arity: int, differentiable: bool) -> list[Any]:
    """One or two vectors of a million numbers."""
    return [random(lib, MILLION, differentiable=differentiable, seed=n) for n in range(arity)]


def elementwise_forward(lib: Any, operation: str, arity: int) -> Step:
    """One call of an elementwise operation, unrecorded."""
    inputs = operands(lib, arity, differentiable=False)
    function = getattr(lib, operation)

    def step() -> Any:
        return function(*inputs)

    return Work(step)


def elementwise_both(lib: Any, operation: str, arity: int) -> Step:
    """One call of an elementwise operation and its backward from a ready cotangent."""
    inputs = operands(lib, arity, differentiable=True)
    function = getattr(lib, operation)
    seed = random(lib, MILLION, differentiable=False, seed=9)

    def step() -> Any:
        for value in inputs:
            value.grad = None
        out = function(*inputs)
        out.backward(seed)
        return out

    return Work(step, leaves=inputs)


for _operation, _arity in (("add", 2), ("mul", 2), ("exp", 1), ("tanh", 1), ("relu", 1)):
    for _suffix, _part, _build in (
        ("-forward", "forward", elementwise_forward),
        ("", "forward and backward", elementwise_both),
    ):
        add_row(
            Row(
                name=f"{_operation}{_suffix}",
                title=f"{_operation} of a million floats, {_part}",
                family="arrays",
                build=partial(_build, operation=_operation, arity=_arity),
            )
        )


_SMOOTH = ("gelu", "silu", "sigmoid", "softplus", "leaky_relu")


def activation(lib: Any, name: str) -> Step:
    """One call of an activation function and its backward from a ready cotangent."""
    values = random(lib, MILLION)
    seed = random(lib, MILLION, differentiable=False, seed=9)
    function = getattr(lib.nn.functional, name)

    def step() -> Any:
        values.grad = None
        out = function(values)
        out.backward(seed)
        return out

    return Work(step, leaves=values)


for _name in _SMOOTH:
    _words = f"{_name} of a million floats, forward and backward"
    add_row(Row(_name, _words, "arrays", partial(activation, name=_name)))


@timed("tanh-sigmoid-chain", "tanh(x) * sigmoid(x) + x of a million floats, forward and backward")
def tanh_sigmoid_chain(lib: Any) -> Step:
    values = random(lib, MILLION)
    seed = random(lib, MILLION, differentiable=False, seed=9)

    def step() -> Any:
        values.grad = None
        out = values.tanh() * values.sigmoid() + values
        out.backward(seed)
        return out

    return Work(step, leaves=values)


def classifier_loss(lib: Any, samples: int) -> Step:
    """The loss of a classifier of a thousand classes, forward and backward."""
    scores = random(lib, samples, 1000)
    labels = lib.tensor(np.random.default_rng(4).integers(0, 1000, samples))
    function = lib.nn.functional.cross_entropy

    def step() -> Any:
        scores.grad = None
        loss = function(scores, labels)
        loss.backward()
        return loss

    return Work(step, leaves=scores)


@timed("cross-entropy", "softmax cross-entropy of 1024x1000, forward and backward")
def cross_entropy(lib: Any) -> Step:
    return classifier_loss(lib, 1024)


@timed("layer-norm", "layer_norm of 1024x512, forward and backward")
def layer_norm(lib: Any) -> Step:
    leaves = (random(lib, 1024, 512), random(lib, 512, seed=5), random(lib, 512, seed=6))
    seed = random(lib, 1024, 512, differentiable=False, seed=9)
    function = lib.nn.functional.layer_norm

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        values, weight, bias = leaves
        out = function(values, (512,), weight, bias)
        out.backward(seed)
        return out

    return Work(step, leaves=leaves)


@timed("matmul-forward", "matmul of 512x512, forward")
def matmul_forward(lib: Any) -> Step:
    left = random(lib, 512, 512, differentiable=False)
    right = random(lib, 512, 512, differentiable=False, seed=4)

    def step() -> Any:
        return left @ right

    return Work(step)


@timed("matmul", "matmul of 512x512, forward and backward")
def matmul(lib: Any) -> Step:
    left = random(lib, 512, 512)
    right = random(lib, 512, 512, seed=4)
    seed = random(lib, 512, 512, differentiable=False, seed=9)

    def step() -> Any:
        left.grad = right.grad = None
        out = left @ right
        out.backward(seed)
        return out

    return Work(step, leaves=(left, right))


def reduction(lib: Any, dim: int | None) -> Step:
    """A sum over everything or over one dimension of 1000x1000."""
    values = random(lib, 1000, 1000, differentiable=False)

    def step() -> Any:
        return values.sum() if dim is None else values.sum(dim)

    return Work(step)


for _name, _title, _dim in (
    ("sum", "sum of 1000x1000 over everything", None),
    ("sum-0", "sum of 1000x1000 over dim 0", 0),
    ("sum-1", "sum of 1000x1000 over dim 1", 1),
):
    add_row(Row(_name, f"{_title}, forward", "arrays", partial(reduction, dim=_dim)))


@timed("sum-backward", "sum of 1000x1000 over everything, forward and backward")
def sum_backward(lib: Any) -> Step:
    values = random(lib, 1000, 1000)

    def step() -> Any:
        values.grad = None
        total = values.sum()
        total.backward()
        return total

    return Work(step, leaves=values)


@timed("embedding", "embedding of 64x32 indices in 10000x64, forward and backward")
def embedding(lib: Any) -> Step:
    table = random(lib, 10_000, 64)
    indices = lib.tensor(np.random.default_rng(4).integers(0, 10_000, (64, 32)))
    seed = random(lib, 64, 32, 64, differentiable=False, seed=9)
    function = lib.nn.functional.embedding

    def step() -> Any:
        table.grad = None
        out = function(indices, table)
        out.backward(seed)
        return out

    return Work(step, leaves=table)


@timed("adam", "Adam's update of 10 million parameters in ten tensors")
def adam(lib: Any) -> Step:
    parameters = [random(lib, 1000, 1000, seed=n) for n in range(10)]
    for n, parameter in enumerate(parameters):
        parameter.grad = random(lib, 1000, 1000, differentiable=False, seed=20 + n)
    optimizer = lib.optim.Adam(parameters, lr=0.001)

    def step() -> Any:
        optimizer.step()
        return ()

    return Work(step, leaves=parameters)
