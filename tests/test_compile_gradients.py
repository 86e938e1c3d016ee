"""What compiled steps do to gradients: forgotten early, put back after errors, never shared."""

from __future__ import annotations

import tracemalloc

import numpy
import pytest

import minigrad
from minigrad.compiler import audit
from minigrad.kernels import ready
from minigrad.nn import functional as F
from tests.samples.row import primitives


def made_table(rows=1 << 12):
    values = numpy.random.default_rng(0).normal(size=(rows, 64)).astype("float32")
    return minigrad.tensor(values, requires_grad=True)


def test_a_gradient_leaves_its_memory_to_the_next():
    """As eagerly, the old table of gradients is gone before the new one is made."""
    table = made_table()
    rows = minigrad.tensor([[0, 5], [7, 5]])

    def step():
        table.grad = None
        F.embedding(rows, table).sum().backward()

    fast = minigrad.compile(step)
    for _ in range(3):
        fast()
    size = table.detach().nbytes
    tracemalloc.start()
    try:
        fast()
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        fast()
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert before >= size
    assert most < before + size / 2


def test_a_captured_index_is_asked_before_anything_is_done():
    table = made_table(8)
    rows = minigrad.tensor([0, 5, 7])

    def step():
        table.grad = None
        F.embedding(rows, table).sum().backward()

    fast = minigrad.compile(step)
    for _ in range(3):
        fast()
    kept, values = table.grad, table.grad.tolist()
    rows[1] = 8
    with pytest.raises(IndexError, match="8 at position"):
        fast()
    assert table.grad is kept
    assert table.grad.tolist() == values
    rows[1] = 6
    fast()
    found = table.grad.tolist()
    step()
    assert found == table.grad.tolist() != values


def test_an_index_changed_in_the_call_is_asked_when_it_is_used():
    table = made_table(8)
    rows = minigrad.tensor([0, 5, 7])
    step_by = minigrad.tensor([1, 1, 0])

    def step():
        rows.add_(step_by)
        table.grad = None
        out = F.embedding(rows, table)
        out.sum().backward()
        return out.detach()

    fast = minigrad.compile(step)
    for _ in range(2):
        out = fast()
    assert rows.tolist() == [2, 7, 7]
    assert out.tolist() == table.detach()[[2, 7, 7]].tolist()
    with pytest.raises(IndexError, match="8 at position"):
        fast()
    assert rows.tolist() == [2, 7, 7]


def test_gradients_are_put_back_if_a_later_step_fails():
    values = made_table(4)
    picked = minigrad.tensor([0, 3])
    other = minigrad.ones(4, requires_grad=True)

    def step():
        values.grad = None
        other.grad = None
        values.sum().backward()
        (other[picked] * 2).sum().backward()

    fast = minigrad.compile(step)
    for _ in range(3):
        fast()
    kept = values.grad, other.grad
    before = [grad.tolist() for grad in kept]
    picked[0] = 4
    with pytest.raises(IndexError):
        fast()
    assert values.grad is kept[0]
    assert other.grad is kept[1]
    assert [grad.tolist() for grad in kept] == before


def test_a_gradient_may_be_read_before_it_is_forgotten():
    def run(wrap):
        weight = minigrad.tensor([1.0, 2.0], requires_grad=True)
        rate = minigrad.optim.SGD([weight], lr=0.5)
        (weight * weight).sum().backward()

        def step():
            before = weight.grad * 1
            rate.step()
            weight.grad = None
            (weight * weight * before).sum().backward()
            return before

        call = wrap(step)
        return [call().tolist() + weight.grad.tolist() + weight.tolist() for _ in range(4)]

    assert run(minigrad.compile) == run(lambda step: step)


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_a_cotangent_of_two_leaves_is_memory_of_each(size):
    left, right = (minigrad.ones(size, requires_grad=True) for _ in range(2))
    seed = minigrad.arange(size, dtype=minigrad.float32)

    def step():
        left.grad = right.grad = None
        (left + right).backward(seed)

    fast = minigrad.compile(step)
    for _ in range(3):
        fast()
    left.grad[0] = 7
    assert right.grad[0] == 0
    assert seed[0] == 0
    assert numpy.array_equal(right.grad.numpy(), numpy.arange(size, dtype="float32"))


def test_a_plan_made_before_a_kernel_is_there_uses_it_later(monkeypatch):
    """The reference is not written into the plan while its compiled twin is on the way."""
    wanted = ("activation", "f")
    monkeypatch.setattr(ready, "_loaded", {})
    monkeypatch.setattr(ready, "_refused", {})
    every = minigrad.kernels._COMPILED.values()
    monkeypatch.setattr(ready, "_asked", {(kernel.family, "f") for kernel in every})
    monkeypatch.setattr(ready, "installed", lambda: True)
    for kernel in every:
        monkeypatch.setattr(kernel, "_twins", {})
        monkeypatch.setattr(kernel, "chosen", None)
    monkeypatch.setattr(ready, "_mode", "background")
    values = minigrad.ones(1 << 17, requires_grad=True)

    def step():
        values.grad = None
        minigrad.sigmoid(values).sum().backward()

    fast = minigrad.compile(step)
    for _ in range(2):
        fast()
    asked = []
    monkeypatch.setattr(ready, "twins", lambda *wanted, wait: asked.append(wanted))
    fast()
    # Forward and backward.
    assert asked.count(wanted) == 2


def saves(function, *inputs):
    """Whether a replay saves anything before it runs."""
    fast = minigrad.compile(function)
    for _ in range(3):
        fast(*inputs)
    ((plan,),) = [plans for key, plans in fast._plans.items() if plans[0].replays]
    return not plan.undo.nothing


def test_nothing_is_saved_for_a_step_that_cannot_fail():
    weight = minigrad.ones(4, 3, requires_grad=True)
    rows = minigrad.tensor([0, 2])
    optimizer = minigrad.optim.SGD([weight], lr=0.1, momentum=0.9)
    schedule = minigrad.optim.lr_scheduler.StepLR(optimizer, 2)

    def step(part):
        optimizer.zero_grad()
        F.mse_loss(part(weight).sigmoid(), minigrad.zeros(2, 3)).backward()
        optimizer.step()
        schedule.step()

    assert not saves(lambda: step(lambda w: w[1:3].diagonal()[None].T.expand(2, 3)))
    # An index in an array may be out of range.
    assert saves(lambda: (optimizer.step(), step(lambda w: w[rows]))[1])


def test_every_file_of_operations_is_judged():
    """A new file of operations either cannot fail for values, or is named here."""
    files = {op.forward.__module__.rpartition(".")[2] for op in primitives().values()}
    assert files >= audit.SURE_OPERATIONS
    assert files - audit.SURE_OPERATIONS == {
        "convert", "ctc", "definite", "distance", "drawn", "eigen", "exponential", "factor",
        "fractional", "householder", "index", "inplace", "ldl", "linalg", "lu", "older", "random",
        "segments", "solve", "strides", "vectors",
    }  # fmt: skip
