"""The compiled steps of the optimizers equal the plain ones bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad import kernels

pytest.importorskip("numba", reason="compares the steps that Numba compiles")

SIZES = [0, 1, 7, 33, 1000, 40_000]
numbers = st.floats(0, 0.99, allow_subnormal=False)


def arrays(data, dtype, count):
    """Flat arrays or matrices, some with NaNs, infinities and zeros; the last two positive."""
    size = data.draw(st.sampled_from(SIZES), label="size")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), label="seed"))
    found = []
    for number in range(count):
        array = rng.normal(size=size).astype(dtype)
        if number > 2:
            array = abs(array)
        if size and data.draw(st.booleans(), label="special"):
            array[rng.integers(0, size, 3)] = data.draw(
                st.sampled_from([np.nan, np.inf, 0.0]), label="value"
            )
        found.append(array.reshape(-1, 10) if size % 10 == 0 else array)
    if data.draw(st.booleans(), label="strided gradient"):
        found[1] = np.repeat(found[1], 2, axis=-1)[..., ::2]
    return found


@np.errstate(all="ignore")
def assert_equal_bits(function, given_arrays, *rest):
    results = []
    for implementation in ("reference", "numba"):
        copies = [None if a is None else a.copy() for a in given_arrays]
        # The copy of a strided gradient is strided no more, so it goes in as it is.
        copies[1] = given_arrays[1]
        with kernels.use(implementation):
            function(np, *copies, *rest)
        results.append(copies)
    for plain, compiled in zip(*results):
        assert plain is None or plain.dtype == compiled.dtype
        np.testing.assert_array_equal(compiled, plain)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["float32", "float64"]), numbers, numbers, st.booleans())
def test_adam(data, dtype, first, second, amsgrad):
    p, g, mean, square, largest = arrays(data, dtype, 5)
    shrink = data.draw(st.sampled_from([None, 0.9, 0.999999]))
    decay = data.draw(st.sampled_from([0, 0.0, 0.01]))
    largest = largest if amsgrad else None
    rest = (shrink, decay, (first, second), 1e-8, 1e-3)
    assert_equal_bits(kernels.adam_update, (p, g, mean, square, largest), *rest)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["float32", "float64"]), numbers, numbers, st.booleans())
def test_sgd(data, dtype, momentum, share, nesterov):
    p, g, velocity = arrays(data, dtype, 3)
    velocity = velocity if momentum else None
    decay = data.draw(st.sampled_from([0, 0.01]))
    nesterov = nesterov and bool(momentum)
    assert_equal_bits(kernels.sgd_update, (p, g, velocity), 0.1, momentum, share, decay, nesterov)


@settings(deadline=None)
@given(st.data(), st.sampled_from(["float32", "float64"]), numbers, numbers, st.booleans())
def test_rmsprop(data, dtype, alpha, momentum, centred):
    p, g, velocity, square, mean = arrays(data, dtype, 5)
    given_arrays = (p, g, square, mean if centred else None, velocity if momentum else None)
    decay = data.draw(st.sampled_from([0, 0.01]))
    assert_equal_bits(kernels.rmsprop_update, given_arrays, 0.1, alpha, 1e-8, momentum, decay)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Adam", {"amsgrad": True, "weight_decay": 0.1}),
        ("AdamW", {"weight_decay": 0.1}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1, "maximize": True}),
        ("RMSprop", {"centered": True, "momentum": 0.9}),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_steps_of_large_and_transposed_parameters(name, options, threads):
    before = minigrad.get_num_threads()
    minigrad.set_num_threads(threads)
    results = []
    try:
        for implementation in ("reference", "numba"):
            rng = np.random.default_rng(5)
            large = minigrad.from_numpy(rng.normal(size=200_001))
            turned = minigrad.from_numpy(rng.normal(size=(200, 300)).T)
            leaves = [large.requires_grad_(), turned.requires_grad_()]
            optimizer = getattr(minigrad.optim, name)(leaves, **options)
            with kernels.use(implementation):
                for _ in range(3):
                    for leaf in leaves:
                        leaf.grad = minigrad.from_numpy(rng.normal(size=leaf.shape))
                    optimizer.step()
            results.append([leaf.detach().numpy() for leaf in leaves])
    finally:
        minigrad.set_num_threads(before)
    for plain, compiled in zip(*results):
        np.testing.assert_array_equal(compiled, plain)
