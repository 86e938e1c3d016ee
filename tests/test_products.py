"""Large products of matrices in tiles, on all cores: right, and the same on one and on two."""

import numpy as np
import pytest

import minigrad
from minigrad import kernels
from minigrad.backend import threads
from minigrad.kernels import ready

# Whole tiles and panels, and a row, a column or a number more or less than these.
SHAPES = [
    (512, 128, 384), (128, 1024, 512), (1000, 96, 130), (97, 700, 101), (100, 784, 128),
    (16, 16, 16), (17, 33, 47), (40, 1000, 49), (33, 257, 65), (48, 1030, 400),
]  # fmt: skip
pytestmark = pytest.mark.skipif(
    not threads.blas_address("cblas_sgemm"), reason="NumPy's BLAS is not one that can be called"
)


@pytest.fixture
def two(monkeypatch):
    """Two threads, compiled products, and a list of how many pieces each had."""
    pytest.importorskip("numba", reason="runs the products that Numba compiles")
    for char in "fd":
        products = ready.load(("products", char))
        ready.load(("epilogues", char))
    before = threads.get_num_threads(), threads.blas_threads()
    counts = []
    together = products.together

    def counted(loop, helpers, count, *arguments):
        counts.append(count)
        assert threads.blas_threads() == 1
        together(loop, helpers, count, *arguments)

    monkeypatch.setattr(products, "together", counted)
    minigrad.set_num_threads(2)
    with kernels.use("numba", "matrix_product"):
        yield counts
    minigrad.set_num_threads(before[0])
    threads.set_blas_threads(before[1])


def product(a, b, out=None, row=None):
    return kernels.matrix_product(np, a, b, out, row)


def drawn(shape, dtype, turned, seed):
    """A matrix, contiguous or the transpose of one that is."""
    rng = np.random.default_rng(seed)
    array = rng.normal(size=shape).astype(dtype)
    return np.ascontiguousarray(array.T).T if turned else array


def check(found, a, b, row=0):
    """Compare with the product in higher precision.

    Of the sum of a number no more terms are added up one by one than are in the inner dimension;
    so much times the rounding of the sum of all terms' sizes is what it can be off.
    """
    exact = a.astype(np.longdouble) @ b.astype(np.longdouble) + row
    sizes = np.abs(a).astype(np.longdouble) @ np.abs(b).astype(np.longdouble) + np.abs(row)
    terms = min(a.shape[1], 300)
    assert found.dtype == a.dtype
    assert (np.abs(found - exact) <= terms * np.finfo(a.dtype).eps * sizes).all()


@pytest.mark.parametrize("dtype", ["f", "d"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("turned", [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_the_product_is_right_and_does_not_depend_on_threads(two, dtype, shape, turned):
    rows, inner, columns = shape
    a = drawn((rows, inner), dtype, turned[0], 1)
    b = drawn((inner, columns), dtype, turned[1], 2)
    row = drawn((columns,), dtype, False, 3)
    out = np.full((rows, columns), np.nan, dtype)
    assert product(a, b, out) is out
    check(out, a, b)
    assert product(a, b).tobytes() == out.tobytes()
    with_row = product(a, b, None, row)
    check(with_row, a, b, row)
    assert threads.blas_threads() == 2
    assert two
    minigrad.set_num_threads(1)
    assert product(a, b).tobytes() == out.tobytes()
    assert product(a, b, None, row).tobytes() == with_row.tobytes()


def test_what_is_not_finite_stays_where_it_is(two):
    a, b = drawn((256, 256), "f", False, 1), drawn((256, 256), "f", False, 2)
    a[3, 4], a[200, 7] = np.nan, np.inf
    found = product(a, b)
    assert two
    assert np.isnan(found[3]).all()
    assert not np.isfinite(found[200]).any()
    assert np.isfinite(np.delete(found, (3, 200), 0)).all()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.ones((300, 300), int), np.ones((300, 300), int)),
        (np.ones((300, 300), "f"), np.ones((300, 300), "d")),
        (np.ones((2, 300, 300), "f"), np.ones((300, 300), "f")),
        (np.ones((90000, 8), "f"), np.ones((8, 8), "f")),
        (np.ones((300, 300), "f"), np.ones((300, 4), "f")),
        (np.ones((300, 4), "f"), np.ones((4, 300), "f")),
        (np.ones((4, 4), "f"), np.ones((4, 4), "f")),
        (np.ones((0, 4), "f"), np.ones((4, 4), "f")),
        (np.ones(4, "f"), np.ones((4, 4), "f")),
    ],
)
def test_other_products_go_the_plain_way(two, a, b):
    found = product(a, b)
    assert not two
    assert found.dtype is (a @ b).dtype
    np.testing.assert_array_equal(found, a @ b)


def test_a_product_that_does_not_fit_is_refused(two):
    with pytest.raises(ValueError, match="mismatch"):
        product(np.ones((300, 300), "f"), np.ones((200, 300), "f"))


def test_matrices_between_others_are_multiplied_where_they_lie(two):
    table = drawn((600, 900), "f", False, 1)
    a, b = table[3:400, 5:600], table.T[7:602, :300]
    check(product(a, b), a, b)
    assert len(two) == 2, "one loop for the panels of `b`, one for the product"
    assert product(a[:, ::2], a[::-1, :298].T).shape == (397, 397)
    assert len(two) == 2, "one whose elements do not lie together goes the plain way"


def test_what_cannot_be_written_to_is_multiplied_and_added(two):
    a, b, row = (
        drawn((256, 256), "f", False, 1),
        drawn((256, 256), "f", False, 2),
        np.ones(256, "f"),
    )
    expected = product(a, b, None, row)
    check(expected, a, b, row)
    for array in (a, b, row):
        array.flags.writeable = False
    assert product(a, b, None, row).tobytes() == expected.tobytes()
    everywhere = np.broadcast_to(np.float32(1), 256)
    assert product(a, b, None, everywhere).tobytes() == expected.tobytes()


def test_a_linear_layer_and_its_gradients_do_not_depend_on_the_number_of_threads(two):
    rng = np.random.default_rng(4)
    values = [rng.normal(size=s).astype("f") for s in ((4, 128, 128), (384, 128), (384,))]

    leaves = [minigrad.tensor(value, requires_grad=True) for value in values]

    def work():
        out = minigrad.nn.functional.linear(*leaves)
        out.backward(out.detach().cos())
        return out

    def results(function):
        for leaf in leaves:
            leaf.grad = None
        return [np.array(t.detach()) for t in (function(), *(leaf.grad for leaf in leaves))]

    found = results(work)
    assert len(two) == 6
    compiled = minigrad.compile(work)
    results(compiled)
    del two[:]
    replayed = results(compiled)
    assert len(two) == 6
    minigrad.set_num_threads(1)
    for one, other, again in zip(results(work), found, replayed, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, again)
