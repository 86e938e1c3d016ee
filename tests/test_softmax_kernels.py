"""The compiled softmax family equals the plain one, on any shape, layout and value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minigrad
from minigrad import kernels

pytest.importorskip("numba", reason="compares the loops that Numba compiles")

# Sums are taken in another order, and the exponential is another one.
TOLERANCE = {"float32": 3e-6, "float64": 1e-13}
SPECIAL = [np.nan, np.inf, -np.inf, -1e30, 200.0]


def draw_array(data, shape, dtype):
    """Normal draws times a power of ten, in any order in memory, some with special values."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    array = rng.normal(size=shape) * data.draw(st.sampled_from([1, 10, 100]), label="scale")
    array = array.astype(dtype)
    special = data.draw(st.sampled_from([None, *SPECIAL]), label="special")
    if special is not None and array.size:
        array.flat[rng.integers(0, array.size)] = special
    if data.draw(st.booleans(), label="turned"):
        array = np.ascontiguousarray(array.T).T
    return array


@np.errstate(all="ignore")
def results(function, *arguments):
    found = []
    for implementation in ("reference", "numba"):
        with kernels.use(implementation):
            found.append(function(np, *arguments))
    return found


def assert_close(plain, compiled, dtype):
    assert compiled.dtype == plain.dtype == dtype
    tolerance = TOLERANCE[dtype] * max(1, np.nanmax(abs(plain[np.isfinite(plain)]), initial=1))
    np.testing.assert_allclose(compiled, plain, rtol=10 * TOLERANCE[dtype], atol=tolerance)


shapes = array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=40)


@settings(deadline=None)
@given(st.data(), shapes, st.sampled_from(["float32", "float64"]))
def test_softmax(data, shape, dtype):
    if not np.prod(shape):
        shape = (3, 0) if data.draw(st.booleans()) else (0, 3)
        with kernels.use("numba"):
            assert minigrad.softmax(minigrad.zeros(*shape), -1).shape == shape
        return
    x = draw_array(data, shape, dtype)
    dim = x.ndim - 1
    for name in ("softmax", "log_softmax"):
        plain, compiled = results(getattr(kernels, name), x, dim)
        # Where one element of a row is NaN the plain maximum is too, and so is the whole row.
        assert_close(plain, compiled, dtype)
        g = draw_array(data, shape, dtype)
        if np.isfinite(plain).all() and np.isfinite(g).all():
            assert_close(*results(getattr(kernels, f"{name}_grad"), g, plain, dim), dtype)


@settings(deadline=None)
@given(
    st.data(),
    st.integers(1, 40),
    st.integers(1, 70),
    st.sampled_from(["float32", "float64"]),
)
def test_losses_of_classes(data, rows, classes, dtype):
    x = draw_array(data, (rows, classes), dtype)
    target = np.random.default_rng(rows).integers(0, classes, 2 * rows)[::2]
    (plain, saved), (compiled, again) = results(kernels.class_losses, x, target)
    assert_close(plain, compiled, dtype)
    with np.errstate(all="ignore"):
        scale = x.dtype.type(0.25)
        with kernels.use("reference"):
            expected = kernels.class_losses_grad(np, x, target, saved, scale)
            # What the compiled loss leaves does for the plain gradient too.
            mixed = kernels.class_losses_grad(np, x, target, again, scale)
        with kernels.use("numba"):
            found = kernels.class_losses_grad(np, x, target, again, scale)
            assert_close(expected, kernels.class_losses_grad(np, x, target, saved, scale), dtype)
    assert_close(expected, found, dtype)
    assert_close(expected, mixed, dtype)


def test_the_loss_of_large_logits_is_the_same_on_any_number_of_threads():
    logits = minigrad.from_numpy(np.random.default_rng(1).normal(size=(1200, 300)))
    target = minigrad.from_numpy(np.random.default_rng(2).integers(0, 300, 1200))
    before = minigrad.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            minigrad.set_num_threads(threads)
            x = logits.clone().requires_grad_()
            loss = minigrad.nn.functional.cross_entropy(x, target)
            loss.backward()
            found.append((loss.item(), x.grad.numpy()))
    finally:
        minigrad.set_num_threads(before)
    for loss, grad in found[1:]:
        assert loss == found[0][0]
        np.testing.assert_array_equal(grad, found[0][1])


def test_second_derivatives_of_a_large_loss():
    values = np.random.default_rng(1).normal(size=(200, 100))
    target = minigrad.from_numpy(np.random.default_rng(2).integers(0, 100, 200))
    found = []
    for implementation in ("reference", "numba"):
        with kernels.use(implementation):
            x = minigrad.from_numpy(values).requires_grad_()
            loss = minigrad.nn.functional.cross_entropy(x, target)
            (first,) = minigrad.autograd.grad(loss, x, create_graph=True)
            (second,) = minigrad.autograd.grad((first * first).sum(), x)
            found.append(second.numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10, atol=1e-18)
