"""The compiled steps of long short-term memory equal their reference, in values and gradients."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import kernels
from minigrad.backend import threads
from minigrad.ops import recurrent

pytest.importorskip("numba", reason="compares the kernels that Numba compiles")

from minigrad.kernels.compiled import exponential
from minigrad.kernels.compiled import recurrent as compiled
from minigrad.kernels.compiled.elementwise import elementwise

# The tangent is good to 4e-7, and its errors add up over the steps.
TOLERANCE = 1e-5


def draw(steps, batch, size, short=None, seed=0):
    """An input, a state, a cell, a weight and perhaps a projection."""
    rng = np.random.default_rng(seed)
    shapes = [(steps, batch, 4 * size), (batch, short or size), (batch, size)]
    shapes.append((4 * size, short or size))
    arrays = [rng.normal(0, 0.7, shape).astype("float32") for shape in shapes]
    return [*arrays, rng.normal(size=(short, size)).astype("float32") if short else None]


def assert_close(plain, twin):
    assert len(plain) == len(twin)
    for one, other in zip(plain, twin):
        if one is None:
            assert other is None
        else:
            assert other.dtype == one.dtype
            np.testing.assert_allclose(other, one, TOLERANCE, TOLERANCE)


@given(
    steps=st.integers(1, 5),
    batch=st.integers(0, 5),
    size=st.integers(1, 19),
    projected=st.booleans(),
    reverse=st.booleans(),
    cotangents=st.sampled_from([(True, True), (True, False), (False, True)]),
)
@settings(max_examples=40, deadline=None)
def test_they_equal_their_reference(steps, batch, size, projected, reverse, cotangents):
    # Shorter than the cells, or longer.
    short = (size // 2 if size > 9 else size + 1) if projected else None
    input, hidden, cell, weight, projection = draw(steps, batch, size, short)
    arguments = (input, hidden, cell, weight, projection, reverse)
    plain = recurrent._lstm_states.plain(np, *arguments)
    assert_close(plain, compiled.lstm_states(np, *arguments))
    hiddens, cells, gates = plain
    rng = np.random.default_rng(1)
    g = [
        rng.normal(size=array.shape).astype("float32") if wanted else None
        for array, wanted in zip((hiddens, cells), cotangents)
    ]
    arguments = (gates, cells, hidden, cell, weight, projection, *g, None, reverse)
    plain = recurrent._lstm_cotangents.plain(np, *arguments)
    assert_close(plain, compiled.lstm_cotangents(np, *arguments))


def test_products_in_four_parts():
    # More than a million multiplications, and less than four.
    input, hidden, cell, weight, _ = draw(2, 32, 128)
    hiddens, cells, gates = recurrent._lstm_states.plain(
        np, input, hidden, cell, weight, None, False
    )
    arguments = (gates, cells, hidden, cell, weight, None, hiddens, None, None, False)
    assert len(compiled._columns(weight, 4 * cell.size * 128)) == 4
    plain = recurrent._lstm_cotangents.plain(np, *arguments)
    # Sums of 512 products.
    for one, other in zip(plain[:3], compiled.lstm_cotangents(np, *arguments)):
        np.testing.assert_allclose(other, one, 1e-4, 1e-4)


def test_any_layout_will_do():
    input, hidden, cell, weight, _ = draw(4, 6, 8)
    plain = recurrent._lstm_states.plain(np, input, hidden, cell, weight, None, False)
    views = [
        np.asfortranarray(input),
        np.repeat(hidden, 2, axis=1)[:, ::2],
        np.asfortranarray(cell),
        np.asfortranarray(weight),
    ]
    for view in views:
        view.flags.writeable = False
    assert_close(plain, compiled.lstm_states(np, *views, None, False))
    _, cells, gates = plain
    one = np.broadcast_to(np.float32(1), cells.shape)
    arguments = (gates, cells, views[1], *views[2:], None, one, one, None, True)
    expected = recurrent._lstm_cotangents.plain(np, *arguments)
    assert_close(expected, compiled.lstm_cotangents(np, *arguments))


def test_double_precision_and_cotangents_of_gates_are_left_to_the_reference():
    arrays = [a.astype("float64") for a in draw(2, 3, 4)[:4]]
    assert compiled.lstm_states(np, *arrays, None, False) is None
    input, hidden, cell, weight, _ = draw(2, 3, 4)
    hiddens, cells, gates = compiled.lstm_states(np, input, hidden, cell, weight, None, False)
    rest = (gates, cells, hidden, cell, weight, None, hiddens, None)
    assert compiled.lstm_cotangents(np, *rest, gates, False) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])
def test_what_is_no_number_stays_where_the_reference_has_it(value):
    input, hidden, cell, weight, _ = draw(3, 2, 4)
    input[1, 0, 2] = value
    arguments = (input, hidden, cell, weight, None, False)
    with np.errstate(all="ignore"):
        plain = recurrent._lstm_states.plain(np, *arguments)
    assert_close(plain, compiled.lstm_states(np, *arguments))


@elementwise
def tangents(x, out):
    for i in range(len(out)):
        out[i] = exponential.tangent(x[i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tangent(dtype):
    x = np.concatenate([np.linspace(-12, 12, 100_001), np.geomspace(1e-38, 1, 9_999)])
    x = np.concatenate([x, [0.0, -0.0, 1e30, -1e30, math.inf, -math.inf, math.nan]]).astype(dtype)
    out = np.empty_like(x)
    tangents(x, out)
    exact = np.tanh(x.astype(np.longdouble)).astype("float64")
    np.testing.assert_allclose(out, exact, 4e-7 if dtype == "float32" else 1e-15)
    assert np.nanmax(np.abs(out)) == 1
    assert np.signbit(out[-6])


@pytest.mark.parametrize("proj_size", [0, 5])
def test_a_layer_is_the_same_both_ways_and_has_two_derivatives(proj_size):
    results = []
    for implementation in ("reference", "numba"):
        minigrad.manual_seed(3)
        layer = minigrad.nn.LSTM(6, 8, num_layers=2, bidirectional=True, proj_size=proj_size)
        x = minigrad.randn(4, 3, 6, requires_grad=True)
        leaves = [x, *layer.parameters()]
        with kernels.use(implementation):
            out, (_, cells) = layer(x)
            value = (out * out).sum() + cells.sum()
            first = minigrad.autograd.grad(value, leaves, retain_graph=True)
            again = minigrad.autograd.grad(value, leaves, create_graph=True)
            second = minigrad.autograd.grad(sum((g * g).sum() for g in again), leaves)
        results.append([t.detach().numpy() for t in (out, *first, *again, *second)])
    for plain, twin in zip(*results):
        np.testing.assert_allclose(twin, plain, 1e-3, 1e-4)


def test_the_number_of_threads_is_put_back():
    if threads.blas_threads() is None:
        pytest.skip("NumPy's BLAS cannot be asked for its threads")
    before = threads.blas_threads()
    try:
        threads.set_blas_threads(2)
        with threads.blas_alone(10):
            assert threads.blas_threads() == 1
            with threads.blas_alone(10):
                assert threads.blas_threads() == 1
            assert threads.blas_threads() == 1
        assert threads.blas_threads() == 2
        with threads.blas_alone(1 << 30):
            assert threads.blas_threads() == 2
        with pytest.raises(ZeroDivisionError), threads.blas_alone(10):
            raise ZeroDivisionError
        assert threads.blas_threads() == 2
    finally:
        threads.set_blas_threads(before)
