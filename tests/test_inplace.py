"""In-place operations, views and versions: torch's results, or a refusal that explains itself."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, DtypeError, GraphError

torch = pytest.importorskip("torch")


def both(program, *arrays):
    """Run a program under both libraries; it returns tensors whose values are compared."""
    results = []
    for lib in (mg, torch):
        leaves = [lib.tensor(a, dtype=lib.float64, requires_grad=True) for a in arrays]
        outputs = program(lib, *leaves)
        results.append([*outputs, *(leaf.grad for leaf in leaves)])
    for ours, theirs in zip(*results, strict=True):
        if theirs is None:
            assert ours is None
            continue
        np.testing.assert_allclose(
            ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-12
        )


A = np.linspace(0.5, 2.0, 6).reshape(2, 3)
B = np.linspace(-1.0, 1.0, 6).reshape(2, 3)


def test_recorded_in_place_operations():
    def program(lib, a, b):
        x = a * 2
        x.mul_(b).add_(1.0)
        x.sin_()
        x += a
        x /= 3
        (x * x).sum().backward()
        return [x]

    both(program, A, B)


def test_in_place_with_plain_data_becomes_recorded():
    def program(lib, a):
        x = lib.zeros(2, 3, dtype=lib.float64)
        view = x[0]
        x += a
        (view * view).sum().backward()
        return [x, view]

    both(program, A)


def test_slice_assignment():
    def program(lib, a, b):
        x = lib.zeros(4, 3, dtype=lib.float64)
        x[1:3] = a * 2
        x[0] = b[1]
        x[3, 1] = a[0, 0] * b[0, 0]
        x[:, 2] = 7.0
        (x**2).sum().backward()
        return [x]

    both(program, A, B)


def test_masked_and_integer_assignment():
    def program(lib, a, b):
        x = a * 1
        x[b > 0] = (b * 3)[b > 0]
        x[lib.tensor([1, 0]), lib.tensor([0, 2])] = b[0, :2] * a[1, :2]
        x[b < -0.5] = 0.0
        (x**3).sum().backward()
        return [x]

    both(program, A, B)


def test_broadcast_assignment():
    def program(lib, a):
        x = lib.zeros(4, 2, 3, dtype=lib.float64)
        x[1:] = a[0]
        x[0, :, 1] = a[:, :1].reshape(2)
        (x * x).sum().backward()
        return [x]

    both(program, A)


def test_in_place_on_a_view_reaches_the_base():
    def program(lib, a, b):
        x = a * 1
        row = x[0]
        row.mul_(b[0])
        column = x[:, 1]
        column += 2 * b[:, 0]
        (x * x).sum().backward()
        return [x, row, column]

    both(program, A, B)


def test_views_of_views_and_transposes():
    def program(lib, a, b):
        x = a * 1
        part = x.t()[1:].reshape(2, 2) if False else x.t()[1:]
        part *= b.t()[1:]
        inner = part[0]
        inner.exp_()
        (x.t() * part.sum()).sum().backward()
        return [x, part, inner]

    both(program, A, B)


def test_the_base_changes_and_its_views_follow():
    def program(lib, a, b):
        x = a * 1
        row = x[1]
        x.mul_(b)
        (row * row).sum().backward()
        return [x, row]

    both(program, A, B)


def test_assignment_through_a_view():
    def program(lib, a, b):
        x = a * 1
        flat = x.view(6)
        flat[2:4] = b.view(6)[:2] * 5
        (x * a).sum().backward()
        return [x, flat]

    both(program, A, B)


def test_copy_fill_zero():
    def program(lib, a, b):
        x = a * 1
        x[0].copy_(b[1] * 2)
        y = a * 2
        y[:, 0].zero_()
        y[:, 1].fill_(3.0)
        (x * y).sum().backward()
        return [x, y]

    both(program, A, B)


def test_second_derivatives_through_slice_assignment():
    def program(x):
        y = mg.zeros(4, dtype=mg.float64)
        y[1:3] = x[:2] ** 3
        y[0] = x[2] * x[0]
        y[1:2].mul_(x[1])
        return y

    x = mg.tensor([0.5, 1.5, -0.7], dtype=mg.float64, requires_grad=True)
    assert mg.autograd.gradcheck(program, x, rtol=1e-6)
    assert mg.autograd.gradgradcheck(program, x, rtol=1e-6)


def test_a_leaf_that_requires_grad_refuses():
    x = mg.ones(3, requires_grad=True)
    with pytest.raises(GraphError, match="leaf"):
        x.add_(1)
    with pytest.raises(GraphError, match="leaf"):
        x[0] = 1.0
    with pytest.raises(GraphError, match="view of a leaf"):
        x[0].mul_(2)
    assert x.tolist() == [1, 1, 1]
    with mg.no_grad():
        x.add_(1)
        x[0] = 5.0
    assert x.tolist() == [5, 2, 2]


def test_data_shares_memory_through_views():
    x = mg.zeros(3, 4)
    row, flat, column = x[1], x.view(12), x.t()[2]
    row.add_(1)
    flat[0] = 7
    column.mul_(3)
    assert x.tolist() == [[7, 0, 0, 0], [1, 1, 3, 1], [0, 0, 0, 0]]
    assert x.numpy()[1, 2] == 3
    array = np.zeros(3)
    mg.from_numpy(array).add_(2)
    assert array.tolist() == [2, 2, 2]


def test_a_kept_value_changed_afterwards_is_noticed():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    w = mg.tensor([3.0, 4.0])
    y = (x * w).sum()
    w.add_(1)
    with pytest.raises(GraphError, match=r"mul\(\).*changed in place afterwards, by add_\(\)") as e:
        y.backward()
    assert "test_inplace.py" in str(e.value)
    assert x.grad is None


def test_a_change_through_detach_or_numpy_view_is_noticed():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.detach().mul_(2)
    with pytest.raises(GraphError, match="exp"):
        y.sum().backward()


def test_a_change_to_what_is_not_kept_is_fine():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    w = mg.tensor([3.0, 4.0])
    y = (x + w).sum()
    w.add_(1)
    y.backward()
    assert x.grad.tolist() == [1, 1]


def test_in_place_keeps_the_old_value_for_its_own_rule():
    def program(lib, a, b):
        x = a * 1
        x.mul_(b)
        x.pow_(2)
        x.sum().backward()
        return [x]

    both(program, A, B)


def test_a_view_made_under_no_grad_refuses():
    x = mg.ones(3, requires_grad=True) * 2
    with mg.no_grad():
        part = x[:2]
    with pytest.raises(GraphError, match="no_grad"):
        part.mul_(mg.ones(2, requires_grad=True))


def test_versions_count_changes():
    x = mg.zeros(3)
    assert x._version == 0
    x.add_(1)
    x[0] = 2
    assert x._version == 2
    assert x[1:]._version == 2


def test_shape_and_dtype_of_in_place_results():
    x = mg.zeros(3)
    with pytest.raises(ArgumentError, match=r"\[2, 3\].*\[3\]"):
        x.add_(mg.ones(2, 3))
    with pytest.raises(DtypeError, match="int64"):
        mg.zeros(3, dtype=mg.int64).add_(1.5)
    assert mg.zeros(3, dtype=mg.float32).add_(mg.ones(3, dtype=mg.float64)).dtype == mg.float32
    assert x.tolist() == [0, 0, 0]


def test_misfit_assignment_names_both_shapes():
    x = mg.zeros(4, 3)
    with pytest.raises(ArgumentError, match=r"\[2\].*\[4, 3\]"):
        x[:] = mg.ones(2)
    y = mg.zeros(4, 3)
    with pytest.raises(ArgumentError, match=r"\[2\].*\[4, 3\]"):
        y[:] = mg.ones(2, requires_grad=True)


def test_unused_views_do_not_pile_up():
    x = mg.zeros(100)
    for i in range(1000):
        x[i % 100]
    assert len(x._views.references) < 100


def test_a_tensor_expanded_over_one_memory_location_refuses_with_the_way_out():
    y = mg.ones(1, 3).expand(2, 3)
    with pytest.raises(GraphError, match=r"mul_\(\).*clone"):
        y.mul_(2)
    with pytest.raises(GraphError, match=r"setitem\(\).*clone"):
        y[0] = 2.0
    # NumPy gives an empty array strides of 0 too.
    assert (mg.ones(0, 3) * 2).mul_(3).shape == (0, 3)


def test_a_view_cannot_be_detached_in_place():
    y = mg.ones(2, 3, requires_grad=True) * 1
    with pytest.raises(GraphError, match=r"detach\(\)"):
        y[0].detach_()
    y.detach_()
    assert not y.requires_grad
