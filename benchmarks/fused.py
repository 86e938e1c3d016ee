"""Rows of the fused functions: optimizer steps, losses, norms, tables, sequences and attention."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.arrays import classifier_loss, random
from benchmarks.networks import fill
from benchmarks.rows import Row, Step, Work, add_row, timed


def update(lib: Any, make: Callable[..., Any], size: int) -> Step:
    """The step of an optimizer over one large parameter."""
    parameter = random(lib, size)
    parameter.grad = random(lib, size, differentiable=False, seed=4)
    optimizer = make(lib.optim, [parameter])

    def step() -> Any:
        optimizer.step()
        # A part: to compare all of it would take longer than the step.
        return parameter.detach()[:1000]

    return Work(step)


for _name, _title, _make in (
    ("adam-10m", "Adam", lambda optim, p: optim.Adam(p, lr=1e-6)),
    ("adamw-10m", "AdamW", lambda optim, p: optim.AdamW(p, lr=1e-6)),
    ("sgd-10m", "SGD with momentum", lambda optim, p: optim.SGD(p, lr=1e-6, momentum=0.9)),
    ("rmsprop-10m", "RMSprop", lambda optim, p: optim.RMSprop(p, lr=1e-6)),
):
    add_row(
        Row(
            name=_name,
            title=f"{_title} over 10 million parameters",
            family="fused",
            build=partial(update, make=_make, size=10_000_000),
            goal=1.0,
        )
    )


def both_ways(function: Callable[..., Any], leaves: tuple[Any, ...], seed: Any) -> Step:
    """A function of leaves, and its backward from a ready cotangent."""

    def step() -> Any:
        for leaf in leaves:
            leaf.grad = None
        out = function(*leaves)
        out.backward(seed)
        return out

    return Work(step, leaves=leaves)


@timed("cross-entropy-4096", "softmax cross-entropy of 4096x1000, forward and backward", goal=0.8)
def cross_entropy(lib: Any) -> Step:
    return classifier_loss(lib, 4096)


@timed("softmax", "softmax of 4096x1000, forward and backward", goal=1.0)
def softmax(lib: Any) -> Step:
    seed = random(lib, 4096, 1000, differentiable=False, seed=9)
    return both_ways(lambda x: lib.softmax(x, dim=-1), (random(lib, 4096, 1000),), seed)


@timed("log-softmax", "log_softmax of 4096x1000, forward and backward", goal=1.0)
def log_softmax(lib: Any) -> Step:
    seed = random(lib, 4096, 1000, differentiable=False, seed=9)
    return both_ways(lambda x: lib.log_softmax(x, dim=-1), (random(lib, 4096, 1000),), seed)


@timed("layer-norm-4096", "layer_norm of 4096x512, forward and backward", goal=1.0, tolerance=1e-3)
def layer_norm(lib: Any) -> Step:
    leaves = (random(lib, 4096, 512), random(lib, 512, seed=5), random(lib, 512, seed=6))
    seed = random(lib, 4096, 512, differentiable=False, seed=9)
    function = lib.nn.functional.layer_norm
    return both_ways(lambda x, w, b: function(x, (512,), w, b), leaves, seed)


@timed("batch-norm", "batch_norm of 32x64x32x32, forward and backward", goal=1.0, tolerance=1e-3)
def batch_norm(lib: Any) -> Step:
    leaves = (random(lib, 32, 64, 32, 32), random(lib, 64, seed=5), random(lib, 64, seed=6))
    seed = random(lib, 32, 64, 32, 32, differentiable=False, seed=9)
    function = lib.nn.functional.batch_norm
    return both_ways(lambda x, w, b: function(x, None, None, w, b, training=True), leaves, seed)


@timed("group-norm", "group_norm of 32x64x32x32, forward and backward", goal=1.0, tolerance=1e-3)
def group_norm(lib: Any) -> Step:
    leaves = (random(lib, 32, 64, 32, 32), random(lib, 64, seed=5), random(lib, 64, seed=6))
    seed = random(lib, 32, 64, 32, 32, differentiable=False, seed=9)
    function = lib.nn.functional.group_norm
    return both_ways(lambda x, w, b: function(x, 8, w, b), leaves, seed)


@timed("embedding-50k", "64x128 rows of a 50,000x128 table, forward and backward", goal=0.7)
def embedding(lib: Any) -> Step:
    table = random(lib, 50_000, 128)
    index = lib.tensor(np.random.default_rng(4).integers(0, 50_000, (64, 128)))
    seed = random(lib, 64, 128, 128, differentiable=False, seed=9)

    def step() -> Any:
        table.grad = None
        out = lib.nn.functional.embedding(index, table)
        out.backward(seed)
        return out, table.grad[:500]

    return Work(step)


def recurrent(lib: Any, layer: str) -> Step:
    """A recurrent layer from 64 to 128 over 40 steps of a batch of 32."""
    model = fill(lib, getattr(lib.nn, layer)(64, 128))
    inputs = random(lib, 40, 32, 64)
    seed = random(lib, 40, 32, 128, differentiable=False, seed=9)
    parameters = list(model.parameters())

    def step() -> Any:
        model.zero_grad()
        inputs.grad = None
        out, _ = model(inputs)
        out.backward(seed)
        return out

    return Work(step, leaves=(inputs, parameters))


for _name, _layer in (("lstm", "LSTM"), ("gru", "GRU"), ("rnn", "RNN")):
    add_row(
        Row(
            name=_name,
            title=f"{_layer} from 64 to 128, length 40, batch 32, forward and backward",
            family="fused",
            build=partial(recurrent, layer=_layer),
            goal=1.0,
            tolerance=1e-3,
        )
    )


def attention(lib: Any, length: int, batch: int) -> Step:
    """Causal attention of 4 heads of width 32."""
    shape = (batch, 4, length, 32)
    leaves = tuple(random(lib, *shape, seed=n) for n in range(3))
    seed = random(lib, *shape, differentiable=False, seed=9)
    function = lib.nn.functional.scaled_dot_product_attention
    return both_ways(lambda q, k, v: function(q, k, v, is_causal=True), leaves, seed)


for _name, _length, _batch in (
    ("attention", 128, 8),
    ("attention-512", 512, 1),
    ("attention-long", 2048, 1),
    ("attention-4096", 4096, 1),
):
    add_row(
        Row(
            name=_name,
            title=f"causal attention of {_length} in 4 heads of 32, batch {_batch}, both ways",
            family="fused",
            build=partial(attention, length=_length, batch=_batch),
            goal=1.0,
        )
    )


@timed("gpt-block", "GPT block of width 128, length 128, batch 8, both ways", 1.0, 1e-3)
def gpt_block(lib: Any) -> Step:
    nn = lib.nn
    functional = nn.functional
    width, heads, batch, length = 128, 4, 8, 128
    parts = nn.ModuleList(
        [
            nn.LayerNorm(width),
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.Linear(4 * width, width),
        ]
    )
    fill(lib, parts)
    first, project, mix, second, widen, narrow = parts
    parameters = list(parts.parameters())
    inputs = random(lib, batch, length, width)
    seed = random(lib, batch, length, width, differentiable=False, seed=9)

    def split(part: Any) -> Any:
        return part.reshape(batch, length, heads, width // heads).transpose(1, 2)

    def step() -> Any:
        for leaf in (inputs, *parameters):
            leaf.grad = None
        q, k, v = project(first(inputs)).chunk(3, -1)
        seen = functional.scaled_dot_product_attention(split(q), split(k), split(v), is_causal=True)
        hidden = inputs + mix(seen.transpose(1, 2).reshape(batch, length, width))
        out = hidden + narrow(functional.gelu(widen(second(hidden))))
        out.backward(seed)
        return out

    return Work(step, leaves=(inputs, parameters))
