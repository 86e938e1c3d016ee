"""Products of matrices in compiled steps, and the chains of functions on their results."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad
from minigrad.compiler.products import with_epilogues
from minigrad.compiler.symbols import Instruction, Tape
from minigrad.nn import functional

ROWS, INNER, COLUMNS = 256, 512, 320


@pytest.fixture(params=["reference", "numba"])
def way(request):
    """Who makes products and chains: NumPy one after the other, or one compiled loop."""
    if request.param == "numba" and not minigrad.kernels.ready.installed():
        pytest.skip("Numba is not installed")
    with minigrad.kernels.use(request.param):
        yield request.param


@pytest.fixture
def whole(monkeypatch):
    """Whether each product was made piece by piece with its chain: True, or None."""
    taken = []
    if minigrad.kernels.ready.installed():
        from minigrad.compiler import products
        from minigrad.kernels.compiled import epilogues

        def counted(*given):
            taken.append(product_chain(*given))
            return taken[-1]

        product_chain = epilogues.product_chain
        monkeypatch.setattr(epilogues, "product_chain", counted)
        monkeypatch.setattr(products._product_then, "_twins", {})
    return taken


def tensor(*shape, seed=0, dtype="float32", **options):
    numbers = np.random.default_rng(seed).normal(size=shape).astype(dtype)
    return minigrad.tensor(numbers, **options)


def leaves(dtype="float32", rows=ROWS, columns=COLUMNS):
    shapes = (rows, INNER), (columns, INNER), (columns,), (rows, columns)
    return [tensor(*s, seed=n, dtype=dtype, requires_grad=True) for n, s in enumerate(shapes)]


def both_ways(function):
    """Forward and backward of a function of leaves, without the graph."""

    def made(x, w, b, y):
        for leaf in (x, w, b, y):
            leaf.grad = None
        out = function(x, w, b, y)
        out.backward(out.detach() * 0.5)
        return out.detach()

    return made


def activation(x, w, b, y):
    return functional.gelu(functional.linear(x, w, b))


def residual(x, w, b, y):
    return y + functional.linear(x, w, b)


def gated(x, w, b, y):
    hidden = functional.linear(x, w, b)
    return (hidden * y.sigmoid() + hidden.tanh()) * 2 - 1


def in_batches(x, w, b, y):
    hidden = functional.linear(x.reshape(2, -1, INNER), w, b)
    return functional.silu(hidden).reshape(y.shape) * y


def stacked(x, w, b, y):
    return functional.relu(functional.linear(functional.relu(x @ w.T + b), w.T, x[0])) @ w.T


def check(function, given):
    """Compare a compiled function, twice replayed, with the function itself, bit for bit."""
    fast = minigrad.compile(function)
    for _ in range(3):
        out = fast(*given)
        found = [out.numpy(), *(leaf.grad.numpy() for leaf in given if leaf.grad is not None)]
    out = function(*given)
    expected = [out.numpy(), *(leaf.grad.numpy() for leaf in given if leaf.grad is not None)]
    for one, other in zip(found, expected, strict=True):
        assert one.tobytes() == other.tobytes()
    assert fast._replays >= 1
    return fast


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [activation, residual, gated, in_batches, stacked])
def test_products_with_chains_equal_eager_bit_for_bit(
    function, dtype, threads, way, whole, monkeypatch
):
    monkeypatch.setattr(minigrad.backend.threads, "_count", threads)
    fast = check(both_ways(function), leaves(dtype))
    if way == "numba":
        assert "product (in chain" in fast.explain()
        assert whole
        assert set(whole) == {True}


@pytest.mark.parametrize(("rows", "columns"), [(263, 320), (200, 333), (16, 4096)])
def test_rows_and_columns_that_do_not_fill_pieces(rows, columns, way, whole, monkeypatch):
    monkeypatch.setattr(minigrad.backend.threads, "_count", 2)
    check(both_ways(activation), leaves(rows=rows, columns=columns))
    if way == "numba":
        assert set(whole) == {True if rows == 263 else None}


def test_a_large_sum_of_products_is_traced(way):
    """More numbers are added up than one block holds: the row is added where eager adds it."""
    fast = minigrad.compile(functional.linear)
    x, w, b, _ = leaves()
    found = [fast(x.detach(), w.detach(), b.detach()) for _ in range(3)][-1]
    assert found.numpy().tobytes() == functional.linear(x, w, b).detach().numpy().tobytes()
    assert "called whole" not in fast.explain()


def test_a_product_stays_where_its_result_or_its_factors_are_used(way, whole):
    """Its result is read, and a factor changed, before the chain."""

    def read(x, w, b, y):
        hidden = x @ w.T
        return hidden.sum(0) + (hidden * y).sum(0)

    def changed(x, w, b, y):
        z = x * 1
        hidden = z @ w.T
        z.mul_(2)
        return hidden * y, z

    for function in (read, changed):
        given = [leaf.detach() for leaf in leaves()]
        fast = minigrad.compile(function)
        found = [fast(*given) for _ in range(3)][-1]
        expected = function(*given)
        for one, other in zip(found, expected, strict=True):
            assert one.numpy().tobytes() == other.numpy().tobytes()
        assert "product (in chain" not in fast.explain()
    assert not whole


def test_a_product_and_its_chain_give_numpys_warnings(way, whole):
    x, w, b, y = (leaf.detach() for leaf in leaves())
    fast = minigrad.compile(residual_of_exp)
    for _ in range(2):
        fast(x, w, b, y)
    y[3, 3] = 100
    with pytest.warns(RuntimeWarning, match="overflow encountered in") as told:
        found = fast(x, w, b, y)
    assert len({str(each.message) for each in told}) == 1
    with np.errstate(all="ignore"):
        assert found.numpy().tobytes() == residual_of_exp(x, w, b, y).numpy().tobytes()


def residual_of_exp(x, w, b, y):
    return (functional.linear(x, w, b) + y * 1e37) * y


def test_a_chain_that_changes_what_the_product_reads_is_made_after_it():
    tape = Tape()
    a, b = (tape.symbol((INNER, INNER), np.dtype("float32"), (4 * INNER, 4)) for _ in range(2))
    out = tape.symbol(a.shape, a.dtype, a.strides)
    a.owned = out.owned = True
    product = Instruction("product", None, (a, b), {}, out, None)
    added = Instruction("ufunc", np.add, (a, out), {}, None, a)
    assert with_epilogues([product, added]) == [product, added]
    added.into = out
    assert [each.kind for each in with_epilogues([product, added])] == ["empty", "fused"]
