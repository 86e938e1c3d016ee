"""The compiled kernels equal their reference, and the choice between them can be read and made."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import kernels
from minigrad.errors import ArgumentError

LAYOUTS = {
    "layer": ((6, 5, 24), (2,), (24,), (24,)),
    "layer over two": ((6, 5, 24), (1, 2), (5, 24), (5, 24)),
    "batch": ((4, 3, 5, 6), (0, 2, 3), (1, 3, 1, 1), (3,)),
    "batch of vectors": ((9, 5), (0,), (1, 5), (5,)),
    "batch of short rows": ((4, 3, 2), (0, 2), (1, 3, 1), (3,)),
    "one channel": ((4, 1, 16), (0, 2), (1, 1, 1), (1,)),
    "group": ((4, 2, 3, 16), (2, 3), (1, 2, 3, 1), (6,)),
    "instance": ((4, 3, 5, 6), (2, 3), (1, 3, 1, 1), (3,)),
}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def both(function, *arguments):
    """The results of the reference and of the compiled twin, on copies of the arguments."""
    pytest.importorskip("numba", reason="compares the kernels that Numba compiles")
    results = []
    for implementation in ("reference", "numba"):
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        with kernels.use(implementation):
            result = function(np, *copies)
        results.append(copies[0] if result is None or result is True else result)
    return results


def assert_same(plain, compiled, tolerance):
    plain, compiled = (r if isinstance(r, tuple) else (r,) for r in (plain, compiled))
    assert len(plain) == len(compiled)
    for a, b in zip(plain, compiled):
        assert a.dtype == b.dtype
        # A mean that counts as zero may be one zero for all rows.
        a, b = np.broadcast_arrays(a, b)
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("with_weight", [True, False])
def test_normalisation(rng, dtype, layout, centred, with_weight):
    shape, axes, affine, parameters = LAYOUTS[layout]
    # The sums run in another order: a few units in the last place.
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    x = rng.normal(3, 2, shape).astype(dtype)
    g = rng.normal(size=shape).astype(dtype)
    weight = rng.normal(1, 0.2, parameters).astype(dtype) if with_weight else None
    bias = rng.normal(size=parameters).astype(dtype) if with_weight else None
    found = both(kernels.normalise, x, weight, bias, axes, affine, 1e-5, centred)
    assert_same(*found, tolerance)
    _, mean, _, inverse = found[0]
    rest = (weight, mean, inverse, axes, affine, centred)
    plain, compiled = both(kernels.normalise_grads, g, x, *rest)
    assert_same(plain[0], compiled[0], tolerance)
    # These add up over hundreds of rows.
    assert_same(plain[1:], compiled[1:], 20 * tolerance)
    rest = (None, mean, inverse, axes, (), centred)
    plain, compiled = both(kernels.normalise_grads, g, x, *rest)
    assert_same(plain[0], compiled[0], tolerance)
    assert plain[1:] == compiled[1:] == (None, None)


@pytest.mark.parametrize("shape", [(2000, 120), (1, 200_000), (200_000, 1)])
def test_large_rows_are_the_same_on_any_number_of_threads(rng, shape):
    pytest.importorskip("numba", reason="runs the kernels that Numba compiles")
    before = minigrad.get_num_threads()
    x, g = rng.normal(3, 2, (2, *shape))
    weight = rng.normal(size=shape[1])
    affine = ((1,), (shape[1],))
    results = []
    try:
        for threads in (1, 2, 3):
            minigrad.set_num_threads(threads)
            with kernels.use("numba"):
                out = kernels.normalise(np, x, weight, None, *affine, 1e-5, True)
                _, mean, _, inverse = out
                rest = (weight, mean, inverse, *affine, True)
                results.append((*out, *kernels.normalise_grads(np, g, x, *rest)))
    finally:
        minigrad.set_num_threads(before)
    with kernels.use("reference"):
        plain = kernels.normalise_grads(np, g, x, *rest)
    for compiled, expected in zip(results[0][4:], plain, strict=True):
        np.testing.assert_allclose(compiled, expected, rtol=1e-9, atol=1e-9)
    for found in results[1:]:
        for one, other in zip(results[0], found):
            np.testing.assert_array_equal(other, one)


def test_normalisation_of_views(rng):
    x = rng.normal(size=(24, 5, 6)).transpose(2, 1, 0)[::-1]
    weight = rng.normal(size=48)[::2]
    assert_same(*both(kernels.normalise, x, weight, None, (2,), (24,), 1e-5, True), 1e-12)


@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (2, 7, 9), (1, 1, 2, 2)])
def test_pooling_of_pairs(rng, shape):
    # Small whole numbers, so that windows have ties: the first wins.
    x = rng.integers(-2, 3, shape).astype("float32")
    count = (shape[-2] // 2, shape[-1] // 2)
    windows = ((2, 2), (2, 2), (0, 0), (1, 1))
    out, compiled = both(kernels.max_pool, x, *windows, count)
    np.testing.assert_array_equal(compiled, out)
    g = rng.normal(size=out.shape).astype("float32")
    np.testing.assert_array_equal(*both(kernels.max_pool_grad, g, x, out, *windows))


def test_pooling_hands_on_nans(rng):
    x = rng.normal(size=(1, 4, 4))
    x[0, 0, 1] = x[0, 2, 2] = x[0, 3, 3] = np.nan
    windows = ((2, 2), (2, 2), (0, 0), (1, 1))
    out, compiled = both(kernels.max_pool, x, *windows, (2, 2))
    np.testing.assert_array_equal(compiled, out)
    assert np.isnan(out[0, 0, 0])
    grad, compiled = both(kernels.max_pool_grad, np.ones((1, 2, 2)), x, out, *windows)
    np.testing.assert_array_equal(compiled, grad)
    assert grad[0, 0, 1] == 1  # the NaN
    assert grad[0, 3, 3] == 1  # the last of two, as in torch
    assert grad.sum() == 4


@st.composite
def pooled(draw):
    """Images or signals of small whole numbers, with ties and odd values, and windows on them."""
    dims = draw(st.integers(1, 2))
    kernel, dilation, stride = (
        tuple(draw(st.integers(1, most)) for _ in range(dims)) for most in (4, 3, 3)
    )
    span = [gap * (k - 1) + 1 for k, gap in zip(kernel, dilation)]
    padding = tuple(draw(st.integers(0, n // 2)) for n in span)
    size = [max(1, n - 2 * p) + draw(st.integers(0, 9)) for n, p in zip(span, padding)]
    over = draw(st.booleans())
    count = []
    for n, step, p, reach in zip(size, stride, padding, span):
        windows = (n + 2 * p - reach + (step - 1 if over else 0)) // step + 1
        # With ceil_mode a window may reach over the edge, but not begin there.
        count.append(windows - 1 if over and (windows - 1) * step >= n + p else windows)
    values = np.random.default_rng(draw(st.integers(0, 1000)))
    x = values.integers(-3, 3, (draw(st.sampled_from([1, 3])), 2, *size))
    x = x.astype(draw(st.sampled_from(["float32", "float64"])))
    x[(0,) * x.ndim] = draw(st.sampled_from([0, np.nan, np.inf, -np.inf]))
    if draw(st.booleans()):
        x = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    g = values.integers(-9, 9, (*x.shape[:2], *count)).astype(x.dtype)
    return x, g, (kernel, stride, padding, dilation)


@settings(max_examples=100, deadline=None)
@given(case=pooled())
def test_pooling_of_windows_of_all_kinds(case):
    x, g, windows = case
    out, compiled = both(kernels.max_pool, x, *windows, g.shape[2:])
    np.testing.assert_array_equal(compiled, out)
    np.testing.assert_array_equal(*both(kernels.max_pool_grad, g, x, out, *windows))


def test_windows_that_meet_nothing_hold_what_lies_outside():
    out = minigrad.max_pool2d(minigrad.ones(1, 1, 1, 4), (2, 1), 1, (2, 0), (3, 1))
    assert out.shape == (1, 1, 2, 4)
    assert bool((out == -np.inf).all())


def test_rows_add_up_in_order(rng):
    index = rng.integers(0, 5, 200)
    values = rng.normal(size=(200, 7)).astype("float32")
    plain, compiled = both(kernels.sum_rows, values, index, 5)
    np.testing.assert_array_equal(compiled, plain)
    expected = np.stack([values[index == row].sum(0) for row in range(5)])
    np.testing.assert_allclose(plain, expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 12),
    width=st.integers(1, 35) | st.just(300),
    places=st.lists(st.integers(0, 11), min_size=1, max_size=40),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_add_up_to_the_same_bits(rows, width, places, dtype, seed):
    rng = np.random.default_rng(seed)
    index = np.array(places) % rows
    special = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1e30], (len(index), width))
    drawn = rng.normal(size=special.shape)
    values = np.where(rng.random(special.shape) < 0.3, special, drawn).astype(dtype)
    plain, compiled = both(kernels.sum_rows, values, index, rows)
    np.testing.assert_array_equal(compiled, plain)
    numbers = ~np.isnan(plain)
    assert (np.signbit(compiled) == np.signbit(plain))[numbers].all()


@pytest.mark.parametrize("threads", [1, 3])
def test_rows_of_a_large_table(rng, threads):
    before = minigrad.get_num_threads()
    index = rng.integers(0, 3000, (70, 50))
    table, values = rng.normal(size=(2, 3500, 60))
    try:
        minigrad.set_num_threads(threads)
        for call in (
            (kernels.take_rows, table, index),
            (kernels.sum_rows, values, index.reshape(-1), 3000),
        ):
            plain, compiled = both(*call)
            np.testing.assert_array_equal(compiled, plain)
    finally:
        minigrad.set_num_threads(before)


def test_the_choice_can_be_read_and_made():
    pytest.importorskip("numba", reason="without Numba there is no choice")
    assert kernels.active()["normalise"] == "numba"
    assert kernels.active()["unfold"] == "reference"
    with kernels.use("reference", "normalise"):
        assert kernels.active()["normalise"] == "reference"
        assert kernels.active()["max_pool"] == "numba"
    assert kernels.active()["normalise"] == "numba"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("fast",), "'implementation' must be"), (("auto", "unfold"), "'unfold' has no compiled")],
)
def test_a_choice_that_is_not_there_is_refused(arguments, words):
    with pytest.raises(ArgumentError, match=words):
        kernels.use(*arguments)


def test_a_numba_that_cannot_be_loaded_is_done_without():
    """A broken installation raises ImportError when it is imported, not when it is looked for."""
    code = (
        "import sys, warnings\n"
        "import minigrad\n"
        "from minigrad import kernels\n"
        "sys.modules['numba'] = None\n"
        "kernels.ready.installed = lambda: True\n"
        "x = minigrad.ones(300, 100)\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    minigrad.nn.functional.layer_norm(x, (100,))\n"
        "    minigrad.nn.functional.layer_norm(x, (100,))\n"
        "assert len(caught) == 1 and 'plain kernels' in str(caught[0].message), caught\n"
        "assert kernels.active()['normalise'] == 'reference'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_small_work_loads_no_compiler():
    code = (
        "import sys, minigrad\n"
        "x = minigrad.ones(4, 8)\n"
        "minigrad.nn.functional.layer_norm(x, (8,))\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_layer_is_the_same_either_way(rng):
    pytest.importorskip("numba", reason="compares the kernels that Numba compiles")
    results = []
    for implementation in ("reference", "numba"):
        with kernels.use(implementation):
            x = minigrad.from_numpy(np.random.default_rng(1).normal(size=(8, 4, 6, 6)))
            x.requires_grad_(True)
            norm = minigrad.nn.BatchNorm2d(4).double()
            loss = (norm(x) ** 3).sum()
            (first,) = minigrad.autograd.grad(loss, x, create_graph=True)
            (second,) = minigrad.autograd.grad((first**2).sum(), x)
            results.append((loss.item(), first.detach().numpy(), second.numpy()))
    for plain, compiled in zip(*results):
        np.testing.assert_allclose(compiled, plain, rtol=1e-9, atol=1e-9)
