"""Attention over long sequences goes by blocks: torch's results, in memory linear in length."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

import minigrad
from minigrad import kernels
from minigrad.nn.functional import scaled_dot_product_attention


def leaves(lib, length, sources, heads=2, width=8):
    rng = np.random.default_rng(3)
    shapes = ((1, heads, length, width), (1, heads, sources, width), (1, heads, sources, width))
    return [lib.tensor(rng.normal(size=shape), requires_grad=True) for shape in shapes]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("length", "sources"), [(600, 600), (513, 300), (300, 513)])
def test_long_sequences_are_torchs(causal, length, sources):
    torch = pytest.importorskip("torch", reason="compares with torch")
    found = []
    for lib, function in (
        (minigrad, scaled_dot_product_attention),
        (torch, torch.nn.functional.scaled_dot_product_attention),
    ):
        inputs = leaves(lib, length, sources)
        out = function(*inputs, is_causal=causal)
        (out * out).sum().backward()
        found.append([out.detach().numpy(), *(leaf.grad.numpy() for leaf in inputs)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


SHAPES = [
    # lead, queries, keys, width, width of values
    ((), 5, 7, 3, 2),
    ((1, 2), 300, 300, 8, 8),
    ((2, 3), 257, 130, 4, 6),
    ((3,), 130, 1100, 5, 5),
    ((2, 1, 2), 40, 40, 16, 3),
    ((1, 1), 1, 600, 4, 4),
    ((9, 5), 64, 64, 2, 2),
    ((2,), 700, 1, 3, 1),
]


def drawn(shape, dtype, spread=1.0):
    lead, length, sources, width, across = shape
    rng = np.random.default_rng(5)
    sizes = ((length, width), (sources, width), (sources, across), (length, across))
    parts = [rng.normal(size=(*lead, *size)).astype(dtype) for size in sizes]
    parts[0] *= spread
    return parts


def both(query, key, value, grad, causal, block=64):
    """Output and cotangents by the reference and by the compiled twin."""
    pytest.importorskip("numba", reason="compares the kernels that Numba compiles")
    results = []
    for implementation in ("reference", "numba"):
        with kernels.use(implementation):
            out, logs = kernels.attend(np, query, key, value, causal, 0.3, block)
            rest = (query, key, value, out, logs, causal, 0.3, block)
            results.append((out, logs, *kernels.attend_grad(np, grad, *rest)))
    return results


@pytest.mark.parametrize("spread", [1.0, 40.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_compiled_equals_reference(shape, causal, dtype, spread):
    # Spread scores are out of the range in which none is shifted.
    query, key, value, grad = drawn(shape, dtype, spread)
    # Sums run in another order. Scores of about 100 are rounded to 1e-5 in single precision, and
    # so are the weights, whatever they are summed in.
    tolerance = {"float32": 2e-4 * spread, "float64": 1e-11}[dtype]
    for plain, compiled in zip(*both(query, key, value, grad, causal)):
        assert plain.dtype == compiled.dtype
        np.testing.assert_allclose(compiled, plain, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("causal", [True, False])
def test_compiled_takes_heads_as_they_are_split(causal):
    rng = np.random.default_rng(2)
    joined = rng.normal(size=(2, 140, 3, 4, 6))
    query, key, value = (joined[:, :, part].swapaxes(1, 2) for part in range(3))
    grad = np.broadcast_to(rng.normal(size=6), query.shape)
    plain, compiled = both(query, key, value, grad, causal)
    for one, two in zip(plain, compiled):
        np.testing.assert_allclose(two, one, rtol=1e-10, atol=1e-10)
    # What is joined again needs no copy.
    assert compiled[0].swapaxes(1, 2).flags.c_contiguous


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_compiled_hands_on_what_is_not_finite(wrong):
    query, key, value, grad = drawn(((1, 2), 90, 90, 4, 4), "float32")
    query[0, 1, 50, 2] = wrong
    key[0, 0, 60, 1] = wrong
    # Only the output: in gradients, blocks of hidden pairs multiply what is not finite by zero.
    with np.errstate(invalid="ignore"):
        plain, compiled = both(query, key, value, grad, True)
    for one, two in zip(plain[:2], compiled[:2]):
        np.testing.assert_array_equal(np.isfinite(two), np.isfinite(one))
    assert np.isfinite(plain[0][0, :, :50]).all()
    assert not np.isfinite(plain[1]).all()


def test_results_are_the_same_on_any_number_of_threads():
    pytest.importorskip("numba", reason="runs the kernels that Numba compiles")
    query, key, value, grad = drawn(((3, 4), 400, 400, 16, 16), "float32")
    before = minigrad.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3):
            minigrad.set_num_threads(threads)
            results.append(both(query, key, value, grad, True)[1])
    finally:
        minigrad.set_num_threads(before)
    for found in results[1:]:
        for one, other in zip(results[0], found):
            np.testing.assert_array_equal(one, other)


def test_nothing_large_is_held_beside_inputs_and_output():
    q, k, v = (minigrad.ones(2, 2, 300, 8, requires_grad=True) for _ in range(3))
    out = scaled_dot_product_attention(q, k, v)
    node = out.grad_fn
    kept = [value for _, _, values, _ in node.edges for value in values]
    arrays = [value for value in kept if hasattr(value, "nbytes")]
    arrays += [value for values in kept if isinstance(values, list) for value in values]
    sizes = sorted(array.size for array in arrays)
    assert sizes == [q.numel() // 8] + [q.numel()] * 4  # a logarithm for each query


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("implementation", ["reference", "numba"])
def test_second_derivatives_are_torchs(causal, implementation):
    torch = pytest.importorskip("torch", reason="compares with torch")
    if implementation == "numba":
        pytest.importorskip("numba", reason="runs the kernels that Numba compiles")
    found = []
    for lib in (minigrad, torch):
        q, k, v = leaves(lib, 150, 70)
        with kernels.use(implementation):
            if lib is minigrad:
                out = scaled_dot_product_attention(q, k, v, is_causal=causal)
            else:
                # Its own has no second derivative on the CPU.
                scores = q @ k.mT / q.shape[-1] ** 0.5
                if causal:
                    seen = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
                    scores = scores.masked_fill(~seen, -torch.inf)
                out = scores.softmax(-1) @ v
            firsts = lib.autograd.grad(out.sin().sum(), (q, k, v), create_graph=True)
            seconds = lib.autograd.grad(sum((g * g).sum() for g in firsts), (q, k, v))
        found.append([g.detach().numpy() for g in (*firsts, *seconds)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("lead", [(0, 2), (2, 0)])
@pytest.mark.parametrize(("length", "across"), [(0, 3), (4, 0), (4, 3)])
def test_empty_arrays(lead, length, across):
    q, k = (minigrad.ones(*lead, n, 5, requires_grad=True) for n in (length, 6))
    v = minigrad.ones(*lead, 6, across, requires_grad=True)
    out = scaled_dot_product_attention(q, k, v, is_causal=True)
    assert out.shape == (*lead, length, across)
    out.sum().backward()
    assert [x.grad.shape for x in (q, k, v)] == [x.shape for x in (q, k, v)]


def test_short_sequences_load_no_compiler():
    code = (
        "import sys, minigrad\n"
        "q = minigrad.ones(1, 2, 8, 4, requires_grad=True)\n"
        "minigrad.nn.functional.scaled_dot_product_attention(q, q, q).sum().backward()\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def peak(length):
    """The most bytes that a forward and backward hold."""
    inputs = leaves(minigrad, length, length, heads=1)
    tracemalloc.start()
    try:
        scaled_dot_product_attention(*inputs, is_causal=True).sum().backward()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_linear_in_the_length():
    # The scores of one block of queries are 256 by the length; all of them would quadruple.
    assert peak(4096) < 2.5 * peak(2048)
