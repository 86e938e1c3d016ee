"""Hooks on tensors, retained gradients, custom functions."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, GraphError


def leaf(values):
    return mg.tensor(values, dtype=mg.float64, requires_grad=True)


def test_a_hook_sees_and_may_replace_the_gradient():
    x = leaf([1.0, 2.0])
    seen = []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    (y * y).sum().backward()
    assert seen == [[6.0, 12.0]]
    assert x.grad.tolist() == [180.0, 360.0]


def test_a_hook_set_after_the_use_is_called_too():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    y.register_hook(lambda g: g * 0)
    z.backward()
    assert x.grad.item() == 0


def test_a_hook_is_called_once_with_the_whole_gradient():
    x = leaf(2.0)
    y = x * 3
    calls = []
    y.register_hook(lambda g: calls.append(g.item()))
    (y + y * y).backward()
    assert calls == [1 + 2 * 6.0]


def test_a_removed_hook_is_silent():
    x = leaf(2.0)
    handle = x.register_hook(lambda g: g * 100)
    handle.remove()
    handle.remove()
    (x * 3).backward()
    assert x.grad.item() == 3


def test_hooks_on_a_leaf():
    x = leaf(2.0)
    x.register_hook(lambda g: g + 1)
    (x * 3).backward()
    assert x.grad.item() == 4
    (found,) = mg.autograd.grad(x * 3, x)
    assert found.item() == 4


def test_retain_grad_keeps_the_gradient_after_hooks():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: g * 2)
    (y * y).backward()
    assert y.grad.item() == 24
    assert y.retains_grad
    assert x.grad.item() == 72


def test_post_accumulate_hook():
    x = leaf(2.0)
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.item()))
    (x * 3).backward()
    (x * 3).backward()
    assert seen == [3, 6]
    with pytest.raises(GraphError, match="leaf"):
        (x * 2).register_post_accumulate_grad_hook(print)


def test_hooks_need_a_gradient():
    with pytest.raises(GraphError, match="require"):
        mg.tensor(1.0).register_hook(print)
    with pytest.raises(GraphError, match="require"):
        mg.tensor(1.0).retain_grad()


def test_hooks_run_on_recorded_gradients():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (first,) = mg.autograd.grad(y, x, create_graph=True)
    (second,) = mg.autograd.grad(first, x)
    assert first.item() == 8
    assert second.item() == pytest.approx(8)


class Cube(mg.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 3 * x**2


class ExpMul(mg.autograd.Function):
    """Keeps its own output, has two outputs, and an argument that is no tensor."""

    @staticmethod
    def forward(ctx, x, y, scale):
        e = mg.exp(x)
        ctx.save_for_backward(e, y)
        ctx.scale = scale
        return e, e * y * scale

    @staticmethod
    def backward(ctx, ge, gp):
        e, y = ctx.saved_tensors
        assert ctx.needs_input_grad[2] is False
        return ge * e + gp * e * y * ctx.scale, gp * e * ctx.scale, None


def test_custom_function_to_second_order():
    x, y = leaf([0.5, -1.0]), leaf([2.0, 3.0])
    check = {"rtol": 1e-6, "atol": 1e-7}
    assert mg.autograd.gradcheck(Cube.apply, x, **check)
    assert mg.autograd.gradgradcheck(Cube.apply, x, **check)

    def call(a, b):
        return ExpMul.apply(a, b, 2.0)

    assert mg.autograd.gradcheck(call, (x, y), **check)
    assert mg.autograd.gradgradcheck(call, (x, y), **check)
    assert Cube.apply(x).grad_fn.name() == "CubeBackward"


def test_custom_complex_function_sees_torch_s_gradients():
    torch = pytest.importorskip("torch")
    seen = []

    class Square(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            seen.append(g.numpy().copy())
            (x,) = ctx.saved_tensors
            return g * (2 * x).conj()

    z = mg.tensor([1 + 2j, 0.5 - 1j], requires_grad=True)
    (Square.apply(z).abs() ** 2).sum().backward()
    t = torch.tensor([1 + 2j, 0.5 - 1j], requires_grad=True)
    square = t * t
    square.retain_grad()
    (square.abs() ** 2).sum().backward()
    np.testing.assert_allclose(seen[0], square.grad.numpy(), rtol=1e-5)
    np.testing.assert_allclose(z.grad.numpy(), t.grad.numpy(), rtol=1e-5)


def test_setup_context_form():
    class Double(mg.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.shape = inputs[0].shape

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf([1.0, 2.0])
    Double.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_once_differentiable_refuses_the_second():
    class Half(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @mg.autograd.once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * g * x

    x = leaf(3.0)
    (first,) = mg.autograd.grad(Half.apply(x), x, create_graph=True)
    assert first.item() == 6
    with pytest.raises(GraphError, match="once_differentiable"):
        mg.autograd.grad(first, x)


def test_wrong_number_and_shape_of_gradients():
    class Bad(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    class Misfit(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            return mg.ones(3, dtype=mg.float64)

    with pytest.raises(ArgumentError, match=r"1 gradients.*2 arguments"):
        Bad.apply(leaf(1.0), leaf(2.0)).backward()
    with pytest.raises(ArgumentError, match=r"Misfit.backward\(\).*\[3\].*\[2\]"):
        Misfit.apply(leaf([1.0, 2.0])).backward()


def test_saved_tensors_are_watched_and_freed():
    x = leaf([1.0, 2.0])
    w = mg.tensor([1.0, 1.0], dtype=mg.float64)

    class Times(mg.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, b = ctx.saved_tensors
            return g * b, g * a

    out = Times.apply(x, w).sum()
    w.add_(1)
    with pytest.raises(GraphError, match="Times"):
        out.backward()
    out = Times.apply(x, w).sum()
    out.backward()
    with pytest.raises(GraphError, match="retain_graph"):
        out.backward()


def test_mark_dirty_and_non_differentiable():
    class AddOne(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 5

    class WithIndex(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            index = x.argmax().double()
            ctx.mark_non_differentiable(index)
            return x * 2, index

        @staticmethod
        def backward(ctx, g, none):
            return g * 2

    x = leaf([1.0, 2.0])
    y = x * 1
    z = AddOne.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [5, 5]
    doubled, index = WithIndex.apply(x)
    assert doubled.requires_grad
    assert not index.requires_grad


def test_a_gradient_that_a_hook_kept_is_not_added_to_later():
    x = leaf([1.0, 2.0])
    seen = []
    x.register_hook(seen.append)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert [g.tolist() for g in seen] == [[2.0, 2.0], [3.0, 3.0]]
    assert x.grad.tolist() == [5.0, 5.0]


def test_a_tensor_that_a_hook_returned_is_not_added_to_later():
    x = leaf([1.0, 2.0])
    mask = mg.ones(2, dtype=mg.float64)
    x.register_hook(lambda g: mask)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert mask.tolist() == [1.0, 1.0]
    assert x.grad.tolist() == [2.0, 2.0]


def test_a_retained_gradient_is_that_of_the_value_after_an_in_place_change():
    x = leaf([1.0, 2.0])
    y = x * 1
    y.retain_grad()
    y.mul_(2)
    y[0] = 3.0
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 8.0]
    assert x.grad.tolist() == [0.0, 16.0]


def test_what_a_custom_function_returns_of_its_input_is_not_changed_in_place():
    # The change would reach the input's memory, but not its gradient.
    class First(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x[0]

        @staticmethod
        def backward(ctx, g):
            return mg.stack([g, g * 0])

    class Same(First):
        @staticmethod
        def forward(ctx, x):
            return x

    for function in (First, Same):
        y = leaf([[1.0, 2.0], [3.0, 4.0]]) * 1
        for argument in (y, y[:1]):
            with pytest.raises(GraphError, match="custom function"):
                function.apply(argument).mul_(3)


def test_an_input_marked_as_not_differentiable_comes_back_without_a_gradient():
    class Through(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_non_differentiable(x)
            return x

    x = leaf([1.0])
    assert not Through.apply(x).requires_grad
    assert x.requires_grad
