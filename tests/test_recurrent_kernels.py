"""The compiled steps of recurrent layers equal their reference, in values and gradients."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import kernels
from minigrad.backend import threads
from minigrad.ops import lstm, recurrent

pytest.importorskip("numba", reason="compares the kernels that Numba compiles")

from minigrad.kernels.compiled import exponential, panels
from minigrad.kernels.compiled import recurrent as compiled
from minigrad.kernels.compiled.elementwise import elementwise

# The tangent is good to 4e-7, and its errors add up over the steps.
TOLERANCE = 1e-5


def draw(steps, batch, size, short=None, gates=4):
    """An input, a state, a cell, a weight and perhaps a projection."""
    rng = np.random.default_rng(0)
    shapes = [(steps, batch, gates * size), (batch, short or size), (batch, size)]
    shapes.append((gates * size, short or size))
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
    plain = lstm._lstm_states.plain(np, *arguments)
    assert_close(plain, compiled.lstm_states(np, *arguments))
    hiddens, cells, gates = plain
    rng = np.random.default_rng(1)
    g = [
        rng.normal(size=array.shape).astype("float32") if wanted else None
        for array, wanted in zip((hiddens, cells), cotangents)
    ]
    arguments = (gates, cells, hidden, cell, weight, projection, *g, None, reverse)
    plain = lstm._lstm_cotangents.plain(np, *arguments)
    assert_close(plain, compiled.lstm_cotangents(np, *arguments))


@given(
    steps=st.integers(1, 4),
    batch=st.integers(0, 19),
    size=st.integers(1, 40),
    reverse=st.booleans(),
    option=st.booleans(),
)
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("kind", ["gru", "rnn"])
def test_the_others_equal_their_reference(kind, steps, batch, size, reverse, option):
    rng = np.random.default_rng(1)
    if kind == "rnn":
        input, hidden, _, weight, _ = draw(steps, batch, size, gates=1)
        arguments = (input, hidden, weight / size, option, reverse)
        out = recurrent._rnn_states.plain(np, *arguments)
        assert_close([out], [compiled.rnn_states(np, *arguments)])
        g = rng.normal(size=out.shape).astype("float32")
        arguments = (out, hidden, weight / size, g, option, reverse)
        plain = recurrent._rnn_cotangents.plain(np, *arguments)
        assert_close(plain, compiled.rnn_cotangents(np, *arguments))
        return
    input, hidden, _, weight, _ = draw(steps, batch, size, gates=3)
    bias = rng.normal(size=3 * size).astype("float32") if option else None
    arguments = (input, hidden, weight, bias, reverse)
    plain = recurrent._gru_states.plain(np, *arguments)
    assert_close(plain, compiled.gru_states(np, *arguments))
    hiddens, gates, inner = plain
    g = rng.normal(size=hiddens.shape).astype("float32")
    arguments = (gates, hiddens, inner, hidden, weight, g, None, None, reverse)
    plain = recurrent._gru_cotangents.plain(np, *arguments)
    assert_close(plain, compiled.gru_cotangents(np, *arguments))


def results(kind, shape):
    """The states and cotangents that the compiled twins give."""
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[kind]
    input, hidden, cell, weight, _ = draw(*shape, gates=gates)
    if kind == "rnn":
        out = compiled.rnn_states(np, input, hidden, weight, False, False)
        return [out, *compiled.rnn_cotangents(np, out, hidden, weight, out, False, False)]
    if kind == "gru":
        out = compiled.gru_states(np, input, hidden, weight, None, False)
        hiddens, lines, inner = out
        given = (lines, hiddens, inner, hidden, weight, hiddens, None, None, False)
        return [*out, *compiled.gru_cotangents(np, *given)]
    out = compiled.lstm_states(np, input, hidden, cell, weight, None, False)
    hiddens, cells, lines = out
    given = (lines, cells, hidden, cell, weight, None, hiddens, cells, None, False)
    return [*out, *compiled.lstm_cotangents(np, *given)[:3]]


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_the_number_of_threads_does_not_matter(kind):
    # Enough for three threads, with tiles of all heights and a panel that is not full.
    shape = (20, 31, 150)
    before = minigrad.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            minigrad.set_num_threads(count)
            found.append(results(kind, shape))
    finally:
        minigrad.set_num_threads(before)
    for others in found[1:]:
        for one, other in zip(found[0], others):
            assert np.array_equal(one, other)


@given(rows=st.integers(0, 19), inner=st.integers(0, 9), columns=st.integers(1, 70))
@settings(max_examples=60, deadline=None)
def test_a_product_in_panels(rows, inner, columns):
    rng = np.random.default_rng(rows)
    # Whole numbers, whose sums are exact; what is left of the last panel must not be touched.
    left, matrix, given_ = (
        rng.integers(-9, 9, shape).astype("float32")
        for shape in ((rows, inner), (inner, columns), (rows, columns))
    )
    first, last = rows // 3, rows
    for turned in (False, True):
        tiles = panels.panels_of(matrix.T.copy() if turned else matrix, turned)
        spare = panels.tile_of_one(given_, tiles)
        for offset in (given_, given_[:1]):
            if not len(offset):
                continue
            out = np.full_like(given_, -1)
            panels.multiply(offset, left, tiles, out, spare, first, last)
            assert np.array_equal(out[first:], (offset + left @ matrix)[first:])
            assert np.all(out[:first] == -1)


def test_any_layout_will_do():
    input, hidden, cell, weight, _ = draw(4, 6, 8)
    plain = lstm._lstm_states.plain(np, input, hidden, cell, weight, None, False)
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
    expected = lstm._lstm_cotangents.plain(np, *arguments)
    assert_close(expected, compiled.lstm_cotangents(np, *arguments))


def test_double_precision_and_cotangents_of_gates_are_left_to_the_reference():
    arrays = [a.astype("float64") for a in draw(2, 3, 4)[:4]]
    input, hidden, cell, weight = arrays
    assert compiled.lstm_states(np, *arrays, None, False) is None
    assert compiled.gru_states(np, input, hidden, weight, None, False) is None
    assert compiled.rnn_states(np, input, hidden, weight, False, False) is None
    input, hidden, cell, weight, _ = draw(2, 3, 4)
    hiddens, cells, gates = compiled.lstm_states(np, input, hidden, cell, weight, None, False)
    rest = (gates, cells, hidden, cell, weight, None, hiddens, None)
    assert compiled.lstm_cotangents(np, *rest, gates, False) is None


def test_a_few_products_with_a_large_weight_are_left_to_the_reference():
    for batch, taken in ((2, False), (128, True)):
        input, hidden, _, weight, _ = draw(1, batch, 400, gates=1)
        assert (compiled.rnn_states(np, input, hidden, weight, True, False) is not None) is taken


NO_NUMBERS = pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e30])


@NO_NUMBERS
@pytest.mark.parametrize("option", [True, False])
def test_what_is_no_number_stays_so_in_simple_and_gated_units(value, option):
    for gates, name in ((1, "rnn"), (3, "gru")):
        input, hidden, _, weight, _ = draw(3, 2, 4, gates=gates)
        input[1, 0, 2] = value
        rest = (option, False) if gates == 1 else (None, option)
        with np.errstate(all="ignore"):
            plain = getattr(recurrent, f"_{name}_states").plain(np, input, hidden, weight, *rest)
        twin = getattr(compiled, f"{name}_states")(np, input, hidden, weight, *rest)
        assert_close(*((out,) if gates == 1 else out for out in (plain, twin)))


@NO_NUMBERS
def test_what_is_no_number_stays_where_the_reference_has_it(value):
    input, hidden, cell, weight, _ = draw(3, 2, 4)
    input[1, 0, 2] = value
    arguments = (input, hidden, cell, weight, None, False)
    with np.errstate(all="ignore"):
        plain = lstm._lstm_states.plain(np, *arguments)
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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LSTM", {}),
        ("LSTM", {"proj_size": 5}),
        ("LSTM", {"bias": False, "batch_first": True}),
        ("GRU", {}),
        ("GRU", {"bias": False}),
        ("RNN", {}),
        ("RNN", {"nonlinearity": "relu"}),
    ],
)
def test_a_layer_is_the_same_both_ways_and_has_two_derivatives(kind, options):
    found = []
    for implementation in ("reference", "numba"):
        minigrad.manual_seed(3)
        layer = getattr(minigrad.nn, kind)(6, 8, num_layers=2, bidirectional=True, **options)
        x = minigrad.randn(4, 3, 6, requires_grad=True)
        leaves = [x, *layer.parameters()]
        with kernels.use(implementation):
            out, last = layer(x)
            value = (out * out).sum() + (last[1] if kind == "LSTM" else last).sum()
            first = minigrad.autograd.grad(value, leaves, retain_graph=True)
            again = minigrad.autograd.grad(value, leaves, create_graph=True)
            second = minigrad.autograd.grad(sum((g * g).sum() for g in again), leaves)
        found.append([t.detach().numpy() for t in (out, *first, *again, *second)])
    for plain, twin in zip(*found):
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
