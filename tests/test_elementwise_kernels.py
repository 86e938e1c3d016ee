"""The compiled loops over elements equal their references, at special numbers and in any layout."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

import minigrad
from minigrad import kernels

pytest.importorskip("numba", reason="compares the kernels that Numba compiles")

from minigrad.kernels.compiled import activation, elementwise, exponential, reductions
from minigrad.ops import activation as smooth
from minigrad.ops import functions, piecewise, reduce, special

FORWARD = {
    "sigmoid": (special._sigmoid_values, ()),
    "silu": (smooth._silu_values, ()),
    "gelu": (smooth._gelu_values, ()),
    "gelu_tanh": (smooth._gelu_tanh_values, ()),
    "softplus": (smooth._softplus_values, (1.5, 3.0)),
    "exp": (functions._exp_values, ()),
    "relu": (piecewise._relu_values, ()),
    "leaky_relu": (piecewise._leaky_relu_values, (0.1,)),
}
BACKWARD = {
    "sigmoid_grad": (special._sigmoid_grad_values, ()),
    "tanh_grad": (functions._tanh_grad_values, ()),
    "relu_grad": (piecewise._relu_grad_values, ()),
    "leaky_relu_grad": (piecewise._leaky_relu_grad_values, (0.1,)),
    "silu_grad": (smooth._silu_grad_values, ()),
    "gelu_grad": (smooth._gelu_grad_values, ()),
    "gelu_tanh_grad": (smooth._gelu_tanh_grad_values, ()),
    "softplus_grad": (smooth._softplus_grad_values, (1.5, 3.0)),
}
ALL = {**FORWARD, **BACKWARD}
# A few units in the last place, of the number or of 1: the gate beside which it is added.
TOLERANCE = {"float32": 1e-6, "float64": 4e-15}
SPECIAL = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-40, -1e-40, 1.0, -90.0, 90.0, -800.0, 800.0)


def both(name, *arrays):
    kernel, numbers = ALL[name]
    return kernel.plain(np, *arrays, *numbers), getattr(activation, name)(np, *arrays, *numbers)


def draw(name, shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    count = 2 if name in BACKWARD else 1
    return [rng.normal(0, 3, shape).astype(dtype) for _ in range(count)]


def assert_close(name, plain, compiled, dtype):
    assert compiled.dtype == plain.dtype
    assert compiled.shape == plain.shape
    tolerance = TOLERANCE[dtype] * (10 if "tanh_grad" in name else 1)
    np.testing.assert_allclose(compiled, plain, tolerance, tolerance, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_it_equals_its_reference(name, dtype, shape, seed):
    arrays = draw(name, shape, dtype, seed)
    assert_close(name, *both(name, *arrays), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_any_layout_will_do(name, dtype):
    arrays = [a[::-1, :, ::2].swapaxes(0, 1) for a in draw(name, (4, 5, 30), dtype)]
    for array in arrays:
        array.flags.writeable = False
    assert_close(name, *both(name, *arrays), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ALL)
def test_infinities_nans_and_the_edges_of_the_range(name, dtype):
    values = np.array(SPECIAL, dtype)
    if name in BACKWARD:
        # The reference's slope far below 0 is a rounding error, and so much larger times 800.
        grads = values[np.abs(values) <= 1] if name == "gelu_grad" else values
        grad, values = (a.ravel() for a in np.meshgrid(grads, values))
        arrays = grad.copy(), values.copy()
    else:
        arrays = (values,)
    with np.errstate(all="ignore"):
        assert_close(name, *both(name, *arrays), dtype)


@pytest.mark.parametrize("name", BACKWARD)
def test_a_cotangent_that_is_one_number_seen_everywhere(name):
    (_, x) = draw(name, (3, elementwise.LEAST), "float32")
    grad = np.broadcast_to(np.float32(0.7), x.shape)
    assert_close(name, *both(name, grad, x), "float32")


@pytest.mark.parametrize("name", BACKWARD)
def test_other_shapes_and_dtypes_are_left_to_the_reference(name):
    numbers = ALL[name][1]
    twin = getattr(activation, name)
    x = np.ones((2, 3), "float32")
    assert twin(np, np.ones(3, "float32"), x, *numbers) is None
    assert twin(np, np.ones((2, 3)), x, *numbers) is None


@pytest.mark.parametrize("name", ["exp", "gelu", "gelu_grad", "silu_grad", "relu_grad"])
def test_the_number_of_threads_changes_no_bit(name, monkeypatch):
    arrays = draw(name, 5 * elementwise.LEAST + 13, "float32")
    # One extreme number decides nothing for those beside it.
    arrays[0][2 * elementwise.LEAST + 2] = 95
    results = []
    for count in (1, 2, 3):
        monkeypatch.setattr(minigrad.backend.threads, "_count", count)
        results.append(both(name, *arrays)[1])
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@elementwise.elementwise
def exponentials(x, out):
    for i in range(len(out)):
        out[i] = exponential.exponential(x[i])


@elementwise.elementwise
def moderates(x, out):
    for i in range(len(out)):
        out[i] = exponential.moderate(x[i])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_exponential_of_moderate_and_of_extreme_blocks(dtype):
    x = np.random.default_rng(1).normal(0, 20, 5 * activation._BLOCK + 3).astype(dtype)
    extreme = activation._BLOCK * 2
    x[extreme : extreme + len(SPECIAL)] = SPECIAL
    with np.errstate(over="ignore"):
        assert_close("exp", np.exp(x), activation.exp(np, x), dtype)


@elementwise.elementwise
def decays(x, out):
    for i in range(len(out)):
        out[i] = exponential.decay(x[i])


@pytest.mark.parametrize(
    ("loop", "dtype", "low", "high"),
    [
        (exponentials, "float32", -103.0, 88.7),
        (exponentials, "float64", -744.0, 709.7),
        (decays, "float32", -87.2, 88.2),
        (moderates, "float32", -87.2, 88.2),
        (moderates, "float64", -744.0, 709.7),
    ],
)
def test_exponentials_are_good_to_two_units_in_the_last_place(loop, dtype, low, high):
    rng = np.random.default_rng(1)
    x = np.concatenate([np.linspace(low, high, 100_001), rng.normal(size=50_000)]).astype(dtype)
    out = np.empty_like(x)
    loop(x, out)
    exact = np.exp(x.astype(np.longdouble))
    unit = np.spacing(np.abs(exact.astype(dtype))).astype(np.longdouble)
    assert (np.abs(out - exact) / unit).max() < 2


def test_the_normal_distribution_is_good_to_a_few_units_in_the_last_place():
    x = np.concatenate([np.linspace(-7, 7, 20_001), [1e-30, -1e-30, 40, -40]]).astype("float32")
    found = activation.gelu(np, x), activation.gelu_grad(np, np.ones_like(x), x)
    cumulative = np.array([0.5 * math.erfc(-v * math.sqrt(0.5)) for v in x.astype(float)])
    density = np.exp(-0.5 * x.astype(float) ** 2) / math.sqrt(2 * math.pi)
    # The distribution itself is good to 3e-8, and goes up to 1, where steps are 6e-8.
    np.testing.assert_allclose(found[0], x * cumulative, 2e-7, 2e-7)
    np.testing.assert_allclose(found[1], cumulative + x * density, 0, 3.5e-7)


def test_exponentials_beyond_the_range():
    x = np.array([math.nan, math.inf, -math.inf, -0.0, 1e30, -1e30], "float32")
    for loop in (exponentials, decays):
        for dtype in ("float32", "float64"):
            out = np.empty(6, dtype)
            loop(x.astype(dtype), out)
            np.testing.assert_array_equal(out, [math.nan, math.inf, 0, 1, math.inf, 0])


@pytest.mark.parametrize("name", ["gelu", "sigmoid"])
def test_formulas_for_compiled_code_alone_say_so(name):
    function = {"gelu": exponential.normal, "sigmoid": exponential.logistic}[name]
    with pytest.raises(TypeError, match="for compiled loops alone"):
        function(1.0)


@pytest.mark.parametrize(
    "name", ["gelu", "silu", "sigmoid", "softplus", "tanh", "relu", "leaky_relu"]
)
def test_large_arrays_take_the_compiled_way_and_have_two_derivatives(name):
    function = getattr(minigrad.nn.functional, name)
    values = np.random.default_rng(2).normal(size=70_000)
    results = []
    for implementation in ("reference", "auto"):
        with kernels.use(implementation):
            x = minigrad.tensor(values, requires_grad=True)
            (first,) = minigrad.autograd.grad((function(x) ** 2).sum(), x, create_graph=True)
            found = [function(x), first]
            if "relu" not in name:
                found += minigrad.autograd.grad((first * x).sum(), x)
            results.append([f.detach().numpy() for f in found])
    for plain, compiled in zip(*results):
        np.testing.assert_allclose(compiled, plain, 1e-12, 1e-12)


SUMS = [
    ((5, 1024 * 3 + 7), None), ((3, 40, 50), None), ((3, 40, 50), (2,)), ((7, 3000), (1,)),
    ((2, 0), None), ((4, 0), (1,)), ((1, 1), (1,)), ((), None), ((3, 4), (0,)), ((2, 70_000), (1,)),
    ((90, 100), (0,)), ((30, 70, 80), (0, 1)), ((30, 70, 80), (0,)),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), SUMS)
def test_sums_equal_their_reference(shape, dim, keepdim, dtype):
    values = np.random.default_rng(3).normal(1, 1, shape).astype(dtype)
    plain = reduce._sum_values.plain(np, values, dim, keepdim)
    with kernels.use("numba", "sum"):
        compiled = reduce._sum_values(np, values, dim, keepdim)
    assert np.shape(compiled) == np.shape(plain)
    assert compiled.dtype == plain.dtype
    # NumPy adds up 2100 rows one by one, and its own error grows with their number.
    np.testing.assert_allclose(compiled, plain, 4e-6 if dtype == "float32" else 1e-14)


def test_a_sum_of_many_equal_numbers_loses_no_more_digits_than_numpys():
    values = np.full(1 << 22, 0.1, "float32")
    exact = float(np.float32(0.1)) * values.size
    found = reductions.sum(np, values, None, False)
    assert abs(found - exact) <= max(abs(values.sum() - exact), exact * 2**-23)


@pytest.mark.parametrize(("place", "value"), [(5, math.nan), (70_000, math.inf)])
def test_sums_hand_on_what_is_no_number(place, value):
    values = np.ones(100_000, "float32")
    values[place] = value
    np.testing.assert_equal(reductions.sum(np, values, None, False), np.float32(value))


def test_sums_do_not_depend_on_the_threads(monkeypatch):
    values = np.random.default_rng(4).normal(size=(700, 1000)).astype("float32")
    results = []
    for count in (1, 2, 3):
        monkeypatch.setattr(minigrad.backend.threads, "_count", count)
        results.append([reductions.sum(np, values, dim, False) for dim in (None, (1,), (0,))])
    for found in results[1:]:
        for one, other in zip(results[0], found, strict=True):
            np.testing.assert_array_equal(one, other)
    exact = values.sum(0, dtype="float64")
    # In 16 blocks of 44 rows, four at a time, no sum has more than 27 roundings to its name.
    bound = 27 * 2**-24 * np.abs(values).sum(0)
    assert (np.abs(results[0][2] - exact) <= bound).all()
