"""erf, erfc and erfinv: NumPy has none of them, so their accuracy is ours to show."""

import math

import numpy
import pytest

import minigrad
from minigrad.ops.blocks import BLOCK
from minigrad.ops.error_function import FEW

DOUBLE = numpy.concatenate([
    numpy.linspace(-6.5, 6.5, 1999),
    numpy.linspace(-0.47, 0.47, 333),
    [0.46875, -0.46875, 4.0, -4.0, 1e-300, 1e-20, 26.0, -26.0],
])  # fmt: skip


def units_off(found, expected, dtype):
    """The largest error in units of the last place of the expected value."""
    step = numpy.spacing(numpy.abs(expected).astype(dtype)).astype(numpy.float64)
    return float(numpy.max(numpy.abs(found.astype(numpy.float64) - expected) / step))


# The C library is right to a unit or two; the published ratios and their rounding add some.
@pytest.mark.parametrize(
    ("name", "dtype", "units"),
    [("erf", "float64", 6), ("erf", "float32", 5), ("erfc", "float64", 8), ("erfc", "float32", 1)],
)
def test_equals_the_c_library(name, dtype, units):
    x = DOUBLE.astype(dtype)
    if dtype == "float32" and name == "erfc":
        x = x[x < 9]  # beyond, single precision has only denormal numbers
    assert x.size > FEW
    expected = numpy.array([getattr(math, name)(value) for value in x.tolist()])
    found = getattr(minigrad, name)(minigrad.tensor(x)).numpy()
    assert found.dtype == dtype
    assert units_off(found, expected, dtype) <= units


@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_few_elements_equal_many(name):
    x = minigrad.tensor(numpy.linspace(-3, 3, FEW))
    few = getattr(minigrad, name)(x).numpy()
    many = getattr(minigrad, name)(minigrad.cat([x, x])).numpy()[:FEW]
    numpy.testing.assert_allclose(few, many, rtol=2e-15)


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 500])
def test_limits(size):
    x = numpy.zeros(size)
    for value, erf, erfc in [(math.inf, 1, 0), (-math.inf, -1, 2), (0.0, 0, 1), (40.0, 1, 0)]:
        x[...] = value
        assert (minigrad.erf(minigrad.tensor(x)).numpy() == erf).all()
        assert (minigrad.erfc(minigrad.tensor(x)).numpy() == erfc).all()
    assert minigrad.erf(minigrad.tensor(x * math.nan)).isnan().all()
    assert minigrad.erfc(minigrad.tensor(x * math.nan)).isnan().all()


def test_negative_zero_keeps_its_sign():
    for size in (1, 100):
        zeros = minigrad.tensor(numpy.full(size, -0.0))
        assert minigrad.erf(zeros).signbit().all()
        assert minigrad.erf(zeros.float()).signbit().all()


def test_erfinv_undoes_erf():
    x = numpy.linspace(-4.5, 4.5, 2001)
    y = numpy.array([math.erf(value) for value in x])
    found = minigrad.erfinv(minigrad.tensor(y)).numpy()
    # Near 1 a unit of y's last place is worth 1 / slope in x.
    worth = numpy.spacing(numpy.abs(y)) * math.sqrt(math.pi) / 2 * numpy.exp(x * x)
    assert (numpy.abs(found - x) <= 2 * worth + 6 * numpy.spacing(numpy.abs(x))).all()


def test_erfinv_at_and_beyond_the_ends():
    found = minigrad.erfinv(minigrad.tensor([-1.0, 1.0, -1.5, 1.5, 0.0])).tolist()
    assert found[:2] == [-math.inf, math.inf]
    assert math.isnan(found[2])
    assert math.isnan(found[3])
    assert found[4] == 0


@pytest.mark.parametrize("function", ["erf", "sigmoid", "gelu", "silu", "softplus", "elu"])
def test_blocks_meet_without_a_seam(function):
    """A large array, whatever its strides, gives what its parts give."""
    function = getattr(minigrad, function, None) or getattr(minigrad.nn.functional, function)
    rng = numpy.random.default_rng(3)
    x = rng.standard_normal((3, BLOCK // 2 + 7)).astype("float32")
    for array in (x, x.T, x[:, ::-1]):
        whole = function(minigrad.tensor(array)).numpy()
        rows = [function(minigrad.tensor(row)).numpy() for row in array]
        # Elements in the middle and at the end of a vector may round differently, and gelu
        # multiplies x, up to 5, with what two numbers near 1 leave.
        numpy.testing.assert_allclose(whole, numpy.stack(rows), rtol=1e-6, atol=5e-7)


def test_half_precision_is_computed_in_single():
    x = numpy.linspace(-3, 3, 100)
    found = minigrad.erf(minigrad.tensor(x.astype("float16"))).numpy()
    expected = [math.erf(value) for value in x.astype("float16").astype("float64").tolist()]
    assert found.dtype == numpy.float16
    assert units_off(found, numpy.array(expected), "float16") <= 0.51


def test_complex_is_refused():
    with pytest.raises(TypeError, match=r"erf\(\): argument 'input' is complex"):
        minigrad.erf(minigrad.tensor([1j]))
