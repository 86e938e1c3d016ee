"""Rows where the arithmetic is next to nothing: what is timed is the library itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.rows import Step, Work, timed

LENGTH = 20


def chain_inputs(lib: Any, shape: tuple[int, ...], differentiable: bool) -> tuple[Any, Any, Any]:
    """The start, the factor and the term of a chain of multiply-adds that stays near one."""
    rng = np.random.default_rng(0)
    start, factor, term = rng.uniform(0.4, 0.6, (3, *shape)).astype(np.float32)
    return (
        lib.tensor(start, requires_grad=differentiable),
        lib.tensor(factor, requires_grad=differentiable),
        lib.tensor(term, requires_grad=differentiable),
    )


def chain_forward(lib: Any, shape: tuple[int, ...]) -> Step:
    """Forty chained operations, twenty multiplications and twenty additions, unrecorded."""
    start, factor, term = chain_inputs(lib, shape, differentiable=False)

    def step() -> Any:
        value = start
        for _ in range(LENGTH):
            value = value * factor + term
        return value

    return Work(step)


def chain_both(lib: Any, shape: tuple[int, ...]) -> Step:
    """The same forty operations recorded, then differentiated for all three inputs."""
    start, factor, term = chain_inputs(lib, shape, differentiable=True)
    seed = lib.ones(shape)

    def step() -> Any:
        start.grad = factor.grad = term.grad = None
        value = start
        for _ in range(LENGTH):
            value = value * factor + term
        value.backward(seed)
        return value

    return Work(step, leaves=(start, factor, term))


@timed("chain-0d-forward", "chain of 40 operations on 0-d tensors, forward")
def chain_0d_forward(lib: Any) -> Step:
    return chain_forward(lib, ())


@timed("chain-0d", "chain of 40 operations on 0-d tensors, forward and backward")
def chain_0d(lib: Any) -> Step:
    return chain_both(lib, ())


@timed("chain-8-forward", "chain of 40 operations on 8 elements, forward")
def chain_8_forward(lib: Any) -> Step:
    return chain_forward(lib, (8,))


@timed("chain-8", "chain of 40 operations on 8 elements, forward and backward", goal=0.5)
def chain_8(lib: Any) -> Step:
    return chain_both(lib, (8,))


@timed("chain-8-constants", "the same where only the start needs a gradient")
def chain_8_constants(lib: Any) -> Step:
    start, _, _ = chain_inputs(lib, (8,), differentiable=True)
    _, factor, term = chain_inputs(lib, (8,), differentiable=False)
    seed = lib.ones(8)

    def step() -> Any:
        start.grad = None
        value = start
        for _ in range(LENGTH):
            value = value * factor + term
        value.backward(seed)
        return value

    return Work(step, leaves=start)


@timed("micrograd", "micrograd's kind of scalar graph, forward and backward", goal=0.5)
def micrograd(lib: Any) -> Step:
    """An expression with the mix of micrograd's own example: sums, products, powers, relu,
    quotients and Python numbers on either side, some forty operations on two scalars.
    """
    a = lib.tensor(-1.5, requires_grad=True)
    b = lib.tensor(2.5, requires_grad=True)

    def step() -> Any:
        a.grad = b.grad = None
        p = a * b + 4.0
        q = p + a**2 + 1
        r = (q - b).relu() + 0.5 * p
        s = r * 2 + (b - a).relu() - q / 3
        t = s + 3 * r + (a + b).relu() + 1 + s
        u = t - p + (-q) + t * 0.25
        v = u**2
        w = v / 2.0 + 10.0 / v
        w = w + (u - t).relu() + w / 5 + b**3
        w.backward()
        return w

    return Work(step, leaves=(a, b))
