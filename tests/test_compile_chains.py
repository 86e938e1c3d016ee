"""Chains of functions of elements in compiled steps: without Python between the calls, and with."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import minigrad
from minigrad.nn import functional

COUNT = 150_007


@pytest.fixture(params=["reference", "numba"])
def way(request):
    """Who makes the calls of a chain: Python for each tile, or a compiled loop."""
    if request.param == "numba" and not minigrad.kernels.ready.installed():
        pytest.skip("Numba is not installed")
    with minigrad.kernels.use(request.param):
        yield request.param


@pytest.fixture
def native(monkeypatch):
    """How many chains were taken without Python."""
    taken = []
    if minigrad.kernels.ready.installed():
        from minigrad.kernels.compiled import chains

        def counted(*given):
            taken.append(chain(*given))
            return taken[-1]

        chain = chains.run_chain
        monkeypatch.setattr(chains, "run_chain", counted)
        monkeypatch.setattr(minigrad.kernels.run_chain, "_twins", {})
    return taken


def values(dtype="float32", seed=0, count=COUNT):
    return np.random.default_rng(seed).normal(size=count).astype(dtype)


def arithmetic(x, y):
    return (x * 2 - y) / (y * y + 1.5) - x


def activations(x, y):
    return functional.leaky_relu(x.sigmoid() * y.tanh(), 0.2) * functional.gelu(x - y) + x


def exponentials(x, y):
    return (x.exp() + (y * 0.1).exp()).log() - functional.softplus(x) * functional.silu(y)


def used_again(x, y):
    first = x * y
    second = first.relu() + first
    return second * first - second.sigmoid()


def step(function):
    """Forward and backward of a function, and what they leave."""

    def made(x, y, seed):
        x.grad = y.grad = None
        out = function(x, y)
        out.backward(seed)
        return out.detach()

    return made


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", [arithmetic, activations, exponentials, used_again])
def test_chains_equal_eager_bit_for_bit(function, dtype, threads, way, native, monkeypatch):
    monkeypatch.setattr(minigrad.backend.threads, "_count", threads)
    both = step(function)
    fast = minigrad.compile(both)
    x, y = (minigrad.tensor(values(dtype, n), requires_grad=True) for n in range(2))
    seed = minigrad.tensor(values(dtype, 2))
    for _ in range(2):
        fast(x, y, seed)
    found = [fast(x, y, seed), x.grad, y.grad]
    expected = [both(x, y, seed), x.grad, y.grad]
    for one, other in zip(found, expected, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()
    assert fast._replays >= 1
    assert native == ([] if way == "reference" else [True] * len(native))
    assert bool(native) is (way == "numba")


def test_a_chain_that_changes_an_array_equals_eager(way, native):
    def moved(x, y):
        z = x * y
        z.mul_(3).add_(x).sub_(y)
        total.add_(z * 2 - y)
        return z.relu()

    total = minigrad.zeros(COUNT)
    fast = minigrad.compile(moved)
    x, y = (minigrad.tensor(values(seed=n)) for n in range(2))
    for _ in range(3):
        total.zero_()
        found = fast(x, y).numpy().tobytes(), total.numpy().tobytes()
    total.zero_()
    assert found == (moved(x, y).numpy().tobytes(), total.numpy().tobytes())


@pytest.mark.parametrize(
    ("function", "number", "message"),
    [
        (lambda x: (x * 2).log() + 1, 0, "divide by zero encountered in log"),
        (lambda x: (x + 1).sqrt() * 2, -3, "invalid value encountered in sqrt"),
        (lambda x: x * 2 * x - 1, 3e38, "overflow encountered in multiply"),
    ],
)
def test_a_chain_gives_numpys_warnings(function, number, message, way):
    fast = minigrad.compile(function)
    x = minigrad.ones(COUNT)
    fast(x)
    fast(x)
    x[-3] = number
    with pytest.warns(RuntimeWarning, match=message) as told:
        found = fast(x)
    assert {str(each.message) for each in told} == {message}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="ignore"):
            assert fast(x).numpy().tobytes() == found.numpy().tobytes()
    with (
        np.errstate(all="raise"),
        pytest.raises((FloatingPointError, minigrad.errors.ArgumentError)),
    ):
        fast(x)


def test_a_chain_that_changes_an_array_gives_numpys_warnings_once(way):
    from minigrad.compiler.fuse import Chain
    from minigrad.compiler.symbols import Instruction, Tape

    tape = Tape()
    layout = (COUNT,), np.dtype("float32"), (4,)
    x, y, made = (tape.symbol(*layout) for _ in range(3))
    links = [
        Instruction("ufunc", np.multiply, (x, 2.0), {}, made, None),
        Instruction("ufunc", np.add, (y, made), {}, None, y),
    ]
    chain = Chain(links, [x, y], [])
    assert chain.changes
    a, b = values(), values(seed=1)
    a[7] = 3e38
    with np.errstate(all="ignore"):
        expected = b + a * 2
    with pytest.warns(RuntimeWarning, match="overflow encountered in multiply") as told:
        chain(a, b)
    assert len(told) == 1
    assert b.tobytes() == expected.tobytes()


def test_arrays_that_cannot_be_written_are_read(way, native):
    from minigrad.compiler.fuse import Chain
    from minigrad.compiler.symbols import Instruction, Tape

    tape = Tape()
    layout = (COUNT,), np.dtype("float32"), (4,)
    x, made, out = (tape.symbol(*layout) for _ in range(3))
    links = [
        Instruction("ufunc", np.multiply, (x, x), {}, made, None),
        Instruction("ufunc", np.add, (made, 1.0), {}, out, None),
    ]
    a, b = values(), np.empty(COUNT, "float32")
    a.flags.writeable = False
    Chain(links, [x], [out])(a, b)
    assert b.tobytes() == (a * a + 1).tobytes()
    assert native == ([] if way == "reference" else [True])
