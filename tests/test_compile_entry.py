"""The short way into a plan: calls that look like the recorded one, and are another."""

from __future__ import annotations

import numpy
import pytest

import minigrad as mg
from minigrad.compiler.entry import OTHER


def warmed(function, *args):
    """The function compiled, with a plan and an entry for such arguments."""
    fast = mg.compile(function)
    for _ in range(3):
        fast(*args)
    assert fast._replays == 2
    return fast


def scaled(x, factor):
    return x * factor


@pytest.mark.parametrize("other", [2.0, True, 3, numpy.float32(2), mg.tensor(2)], ids=repr)
def test_a_plain_argument_of_another_kind_or_value_is_another_call(other):
    x = mg.tensor([1.0, -2.0])
    fast = warmed(scaled, x, 2)
    result, expected = fast(x, other), scaled(x, other)
    assert result.dtype == expected.dtype
    assert result.tolist() == expected.tolist()
    assert fast._recordings == 2


@pytest.mark.parametrize("first", [0.0, -0.0])
def test_zeros_of_either_sign_are_told_apart(first):
    x = mg.tensor([1.0])
    fast = warmed(scaled, x, first)
    for factor in (first, -first):
        assert numpy.signbit(fast(x, factor).item()) == numpy.signbit(factor)


def test_tensors_of_other_shapes_dtypes_layouts_and_counts_are_other_calls():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    fast = warmed(lambda *given: sum(value.sum(0) for value in given), x)
    for given in ((x.double(),), (x[:1],), (x.T,), (x, x.clone())):
        expected, found = fast.function(*given), fast(*given)
        assert found.dtype == expected.dtype
        assert found.tolist() == expected.tolist()
    assert fast._recordings == 5


def test_one_tensor_given_twice_is_another_call_than_two():
    def moved(x, y):
        x.add_(1)
        return y * 1

    x, y = mg.zeros(2), mg.zeros(2)
    fast = warmed(moved, x, y)
    assert fast(x, x).tolist() == x.tolist()
    assert y.tolist() == [0, 0]


def test_a_tensor_that_the_function_holds_too_is_not_only_an_argument():
    held = mg.zeros(2)

    def both(x):
        x.add_(1)
        return held * 1

    fast = warmed(both, mg.zeros(2))
    assert fast(held).tolist() == [1, 1]


def test_the_grad_mode_and_the_default_dtype_are_asked_for():
    x = mg.tensor([True, False])
    fast = warmed(lambda x: mg.where(x, mg.ones(2), mg.zeros(2)), x)
    mg.set_default_dtype(mg.float64)
    try:
        assert fast(x).dtype == mg.float64
    finally:
        mg.set_default_dtype(mg.float32)
    with mg.no_grad():
        assert fast(x).dtype == mg.float32
    assert fast._recordings == 3


def test_an_argument_that_came_to_require_a_gradient_is_no_plain_tensor():
    x = mg.tensor([1.0, 2.0])
    fast = warmed(lambda x: (x * x).sum(), x)
    leaf = x.clone().requires_grad_()
    with pytest.warns(UserWarning, match="still requires a gradient") as told:
        fast(leaf).backward()
    assert told[0].filename == __file__
    assert leaf.grad.tolist() == [2, 4]
    view = (leaf * 1)[:2]
    with pytest.warns(UserWarning, match="computed outside of the call") as told:
        fast(view)
    assert told[0].filename == __file__


def test_a_method_has_an_entry_for_its_object():
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        @mg.compile
        def apply(self, x):
            return x * self.factor

    x = mg.tensor([1.0])
    two, three = Scale(2), Scale(3)
    for _ in range(3):
        assert (two.apply(x).item(), three.apply(x).item()) == (2, 3)
    fast = Scale.apply
    assert fast._enter((three, x)).item() == 3
    assert fast._enter((two, x)) is OTHER
    three.factor = 5
    assert three.apply(x).item() == 5
    assert two.apply(x).item() == 2


def test_an_entry_outlives_values_that_are_replaced_by_equal_ones():
    settings = {"factor": 1234.5}

    def scale(x):
        return x * settings["factor"]

    x = mg.tensor([1.0])
    fast = warmed(scale, x)
    before = fast._enter
    settings["factor"] = float("1234.5")
    assert before((x,)) is OTHER
    assert fast(x).item() == 1234.5
    assert fast._enter is not before
    assert fast._enter((x,)).item() == 1234.5
    settings["factor"] = 2.0
    assert fast(x).item() == 2
    del settings["factor"]
    with pytest.raises(KeyError):
        fast(x)
