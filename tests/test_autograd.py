"""Backward and grad: values, orders, options, refusals; the graph's life and death."""

import copy
import functools
import gc
import threading
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import engine
from minigrad.errors import ArgumentError, DtypeError, GraphError


def leaf(values, dtype=mg.float64):
    return mg.tensor(values, dtype=dtype, requires_grad=True)


def test_backward_adds_into_the_leaves():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (x * y).sum().backward()
    assert x.grad.tolist() == [3.0, 4.0]
    assert y.grad.tolist() == [1.0, 2.0]
    (x * y).sum().backward()
    assert x.grad.tolist() == [6.0, 8.0]


def test_a_value_used_twice_gets_the_sum_of_both_gradients():
    x = leaf(3.0)
    y = x * x
    (y + y * x).backward()
    assert x.grad.item() == 2 * 3 + 3 * 3**2


def test_derivatives_of_any_order():
    x = leaf(0.7)
    value = mg.sin(x)
    expected = [np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7), np.cos(0.7)]
    for number in expected:
        (value,) = mg.autograd.grad(value, x, create_graph=True)
        assert value.item() == pytest.approx(number, rel=1e-14)


def test_a_broadcast_operand_gets_its_own_shape():
    x, bias = leaf(np.ones((4, 3))), leaf([1.0, 2.0, 3.0])
    (x + bias).sum().backward()
    assert bias.grad.tolist() == [4.0, 4.0, 4.0]
    scale = leaf(np.ones((4, 1)))
    (x * scale).sum().backward()
    assert scale.grad.shape == (4, 1)


def test_first_gradients_do_not_share_memory():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    (x + y).backward(mg.ones(2, dtype=mg.float64))
    x.grad.mul_(10)
    assert y.grad.tolist() == [1.0, 1.0]
    z = leaf([1.0, 2.0, 3.0])
    z.sum().backward()
    z.grad.mul_(2)
    assert z.grad.tolist() == [2.0, 2.0, 2.0]


def test_the_given_gradient_is_not_changed_later():
    x = leaf([1.0, 2.0])
    seed = mg.tensor([1.0, 1.0], dtype=mg.float64)
    (x + 0).backward(seed)
    (x + 0).backward(seed)
    assert seed.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_second_backward_needs_retain_graph():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(GraphError, match="retain_graph=True"):
        y.backward()
    z = x * x
    z.backward(retain_graph=True)
    z.backward()
    assert x.grad.item() == 12.0


def test_more_than_one_element_needs_a_gradient_of_its_shape():
    y = leaf([1.0, 2.0]) * 2
    with pytest.raises(ArgumentError, match=r"float64\[2\]"):
        y.backward()
    with pytest.raises(ArgumentError, match=r"\[3\].*\[2\]"):
        y.backward(mg.ones(3, dtype=mg.float64))


def test_nothing_recorded_is_refused():
    with pytest.raises(GraphError, match="requires_grad=True"):
        mg.tensor(1.0).backward()
    with mg.no_grad():
        y = leaf(1.0) * 2
    with pytest.raises(GraphError, match="no_grad"):
        y.backward()


def test_inputs_limits_the_accumulation():
    x, y = leaf(2.0), leaf(3.0)
    (x * y).backward(inputs=[x])
    assert x.grad.item() == 3.0
    assert y.grad is None


def test_inputs_may_be_computed():
    x = leaf(2.0)
    middle = x * 3
    (middle * middle).backward(inputs=[middle])
    assert middle.grad.item() == 12.0
    assert x.grad is None


def test_grad_of_an_unused_input():
    x, y = leaf(2.0), leaf([1.0, 2.0])
    with pytest.raises(GraphError, match="allow_unused=True"):
        mg.autograd.grad(x * 2, [x, y])
    assert mg.autograd.grad(x * 2, [x, y], allow_unused=True)[1] is None
    zeros = mg.autograd.grad(x * 2, [x, y], materialize_grads=True)[1]
    assert zeros.tolist() == [0.0, 0.0]


def test_grad_leaves_grad_alone():
    x = leaf(2.0)
    (slope,) = mg.autograd.grad(x * x, x)
    assert slope.item() == 4.0
    assert x.grad is None
    assert not slope.requires_grad


def test_grad_of_several_outputs_is_of_their_sum():
    x = leaf([1.0, 2.0])
    (found,) = mg.autograd.grad([x.sum(), (x * x).sum()], [x])
    assert found.tolist() == [3.0, 5.0]


def test_an_output_can_be_its_own_input():
    x = leaf([1.0, 2.0])
    y = x * 2
    (found,) = mg.autograd.grad(y.sum(), [y])
    assert found.tolist() == [1.0, 1.0]
    (found,) = mg.autograd.grad(x, [x], mg.ones(2, dtype=mg.float64))
    assert found.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("others", [False, True])
def test_a_gradient_through_a_freed_part_is_refused(others):
    x, w = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)
    square = x * x
    square.sum().backward()
    total = (square + (x * w if others else x)).sum()
    with pytest.raises(GraphError, match=r"mul\(\) a second time"):
        mg.autograd.grad(total, x)


def test_only_the_wanted_gradients_are_computed():
    x, w = mg.ones(3, requires_grad=True), mg.ones(3, requires_grad=True)
    seen = []
    middle = x * w
    branch = w * 3
    branch.register_hook(lambda g: seen.append(g.tolist()))
    total = (middle * x + branch).sum()
    (grad,) = mg.autograd.grad(total, x, retain_graph=True)
    assert grad.tolist() == [2.0] * 3
    assert not seen
    grads = mg.autograd.grad(total, (x, w, middle))
    assert [g.tolist() for g in grads] == [[2.0] * 3, [4.0] * 3, [1.0] * 3]
    assert seen == [[1.0] * 3]
    assert x.grad is None
    assert w.grad is None


def test_create_graph_through_backward():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    slope = x.grad
    assert slope.requires_grad
    (second,) = mg.autograd.grad(slope, x)
    assert second.item() == pytest.approx(18.0)


def test_complex_gradients_follow_torch():
    torch = pytest.importorskip("torch")
    values = np.array([1 + 2j, -0.5 + 0.3j])
    x = mg.tensor(values, requires_grad=True)
    ((x * x).abs() ** 2).sum().backward()
    t = torch.tensor(values, requires_grad=True)
    ((t * t).abs() ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-12)


def test_only_floats_require_gradients():
    with pytest.raises(DtypeError, match="int64"):
        mg.tensor([1, 2], requires_grad=True)
    with pytest.raises(DtypeError, match=r"\.float\(\)"):
        mg.tensor([1, 2]).requires_grad_()


def test_a_chain_of_200_000_operations_runs_backward():
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_a_graph_dies_by_reference_count():
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        hidden = mg.tanh(x * 2)
        node = weakref.ref(hidden.grad_fn)
        total = (hidden * hidden).sum()
        total.backward(create_graph=False)
        del hidden, total
        assert node() is None
        kept = mg.exp(x).sum()
        other = weakref.ref(kept.grad_fn)
        del kept
        assert other() is None
    finally:
        gc.enable()


def test_backward_frees_what_the_rules_kept():
    x = leaf(np.ones(1000))
    square = x * x
    values = weakref.ref((square * square)._array)
    deep = square * square * square
    node = deep.grad_fn.next_functions[0][0]
    deep.sum().backward()
    assert node.edges is None
    assert values() is None


def test_modes_nest_and_decorate():
    x = leaf(1.0)
    with mg.no_grad():
        assert not (x * 2).requires_grad
        with mg.enable_grad():
            assert (x * 2).requires_grad
        assert not mg.is_grad_enabled()
    assert mg.is_grad_enabled()

    @mg.no_grad()
    def double(value):
        return value * 2

    @mg.no_grad
    def triple(value):
        return value * 3

    assert not double(x).requires_grad
    assert not triple(x).requires_grad
    assert double.__name__ == "double"
    with mg.set_grad_enabled(False):
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    mg.set_grad_enabled(False)
    assert not mg.is_grad_enabled()
    mg.set_grad_enabled(True)
    with mg.inference_mode():
        assert mg.is_inference_mode_enabled()
        assert not (x * 2).requires_grad


def test_a_generator_keeps_its_mode_to_itself():
    @mg.no_grad()
    def steps():
        yield mg.is_grad_enabled()
        yield mg.is_grad_enabled()

    running = steps()
    assert next(running) is False
    assert mg.is_grad_enabled()
    assert next(running) is False
    assert list(running) == []


def test_modes_are_local_to_a_thread():
    seen = []
    with mg.no_grad():
        thread = threading.Thread(target=lambda: seen.append(mg.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_leaf_switched_off_and_on_is_the_same_leaf():
    x = leaf(3.0)
    x.register_hook(lambda g: g * 10)
    y = x * x
    x.requires_grad_(False)
    x.requires_grad_()
    assert mg.autograd.grad(y, x)[0].item() == 60
    assert not copy.deepcopy(x.requires_grad_(False)).requires_grad


def test_leaf_and_node_properties():
    x = leaf(1.0)
    y = x * 2
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward"
    assert y.grad_fn.next_functions[0][0].name() == "AccumulateGrad"
    assert not y.detach().requires_grad
    with pytest.raises(GraphError, match="detach"):
        y.requires_grad_(False)
    x.requires_grad = False
    assert not x.requires_grad


def test_training_with_the_collector_off_holds_steady_memory():
    import tracemalloc

    model = mg.nn.Sequential(mg.nn.Linear(8, 16), mg.nn.Tanh(), mg.nn.Linear(16, 1))
    optimizer = mg.optim.Adam(model.parameters())
    data = mg.tensor(np.ones((4, 8)), dtype=mg.float32)

    def steps(count):
        for _ in range(count):
            optimizer.zero_grad()
            (model(data) ** 2).mean().backward()
            optimizer.step()

    gc.collect()
    gc.disable()
    try:
        steps(20)
        tracemalloc.start()
        before = tracemalloc.take_snapshot()
        steps(10)
        grown_short = _grown(before)
        steps(100)
        grown_long = _grown(before)
        tracemalloc.stop()
    finally:
        gc.enable()
    # Ten times the steps may not hold on to more; a leaked graph is over 10 kB a step.
    assert grown_long - grown_short < 50_000


def _grown(before):
    import tracemalloc

    after = tracemalloc.take_snapshot()
    return sum(entry.size_diff for entry in after.compare_to(before, "filename"))


def test_a_leaf_that_was_frozen_after_its_use_gets_no_gradient():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    product = (x * y).sum()
    x.requires_grad_(False)
    product.backward()
    assert x.grad is None
    assert y.grad.tolist() == [1.0, 2.0]


def test_materialized_zeros_of_an_infinite_input():
    x, y = leaf([1.0, np.inf]), leaf(2.0)
    (g,) = mg.autograd.grad(y * 2, x, materialize_grads=True)
    assert g.tolist() == [0.0, 0.0]


def test_no_grad_decorates_what_has_no_code_of_its_own():
    def enabled(argument):
        return mg.is_grad_enabled()

    assert mg.no_grad()(functools.partial(enabled, 1))() is False


def test_a_gradient_that_was_only_reshaped_is_not_copied():
    x = mg.ones(2, 3, requires_grad=True)
    (x.reshape(6) * 2).backward(mg.ones(6))
    assert x.grad._array.base is not None
    x.grad = None
    given = mg.ones(6)
    x.reshape(6).backward(given)
    x.grad.zero_()
    assert given.tolist() == [1.0] * 6


def test_large_cotangents_are_added_up_in_memory_that_nobody_else_holds(monkeypatch):
    places = []
    wide = engine.wide

    def watched(function, one, other, out):
        places.append(None if out is None else "one" if out is one else "other")
        return wide(function, one, other, out=out)

    monkeypatch.setattr(engine, "wide", watched)
    size = engine.WIDE // 8
    x = mg.tensor(np.linspace(-1, 1, size), requires_grad=True)
    given = mg.ones(size, dtype=mg.float64)
    kept = mg.exp(x)
    for _ in range(2):
        x.grad = None
        (kept * kept + kept + kept).backward(given, retain_graph=True)
        values = np.exp(x.detach().numpy())
        np.testing.assert_allclose(x.grad.numpy(), 2 * values * values + 2 * values)
    assert (given.numpy() == 1).all()
    # The cotangent of a sum is the one that it was given: two of them are added elsewhere.
    assert places[0] is None
    assert "other" in places


def test_a_large_cotangent_that_a_hook_keeps_is_not_added_to():
    size = engine.WIDE // 8
    x = mg.ones(size, dtype=mg.float64).requires_grad_()
    kept = []
    part = x * 3
    part.register_hook(lambda g: kept.append(g) or g)
    (part * 2 + x.exp()).backward(mg.ones(size, dtype=mg.float64))
    assert (kept[0].numpy() == 2).all()
