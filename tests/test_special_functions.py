"""Special functions: as many right digits as stated, over their whole domains, and their edges."""

import importlib
import math

import numpy
import pytest

import minigrad
from minigrad import special
from minigrad.errors import NoDerivativeError

mp = pytest.importorskip("mpmath", reason="the exact values are mpmath's, which comes with torch")
special_tables = importlib.import_module("tests.special_tables")

DIGITS = 40


def between(low, high, count=60):
    """Numbers evenly spread, and not round."""
    return numpy.linspace(low, high, count) + (high - low) * 0.3 / count


def powers(low, high, count=40):
    """Numbers of all sizes."""
    return numpy.exp(numpy.linspace(math.log(low), math.log(high), count))


def log_gamma(x):
    return mp.loggamma(x).real


def log_normal(x):
    return mp.log(mp.ncdf(x)) if x < 0 else mp.log1p(-mp.ncdf(-x))


def scaled(function, sign):
    return lambda x: mp.exp(sign * abs(x)) * function(x)


def bessel(kind, n):
    return lambda x: kind(n, x)


J0, J1 = bessel(mp.besselj, 0), bessel(mp.besselj, 1)
Y0, Y1 = bessel(mp.bessely, 0), bessel(mp.bessely, 1)
I0, I1 = bessel(mp.besseli, 0), bessel(mp.besseli, 1)
K0, K1 = bessel(mp.besselk, 0), bessel(mp.besselk, 1)

ALL_SIZES = numpy.concatenate([powers(1e-300, 1e-3), between(0, 12), powers(12, 1e300)])
AROUND_TEN = numpy.concatenate([powers(1e-300, 1e-3), between(0, 30), powers(30, 690)])
# mpmath is slow in these.
DECAYS = numpy.concatenate([powers(1e-300, 1e-3, 6), between(0, 4, 20), powers(4, 690, 8)])
WAVES = numpy.concatenate([powers(1e-6, 1), between(0, 30), powers(30, 1e4)])

# The largest error in units of the last place of the value.
RELATIVE = {
    "lgamma": (minigrad.lgamma, log_gamma, ALL_SIZES, 3),
    "lgamma near its zeros": (
        minigrad.lgamma, log_gamma,
        numpy.concatenate([1 + between(-0.1, 0.1) ** 3, 2 + between(-0.1, 0.1) ** 3]), 2,
    ),
    "digamma": (minigrad.digamma, mp.digamma, ALL_SIZES, 4),
    "digamma near its zero": (
        minigrad.digamma, mp.digamma, 1.4616321449683622 + between(-0.3, 0.3) ** 5, 4
    ),
    **{
        f"polygamma {n}": (
            lambda x, n=n: minigrad.polygamma(n, x), lambda x, n=n: mp.psi(n, x),
            numpy.concatenate([powers(1e-2, 1), between(0.1, 30), powers(30, 1e4)]), 6 + n // 2,
        )
        for n in (1, 2, 3, 10, 20)
    },
    **{
        f"zeta {s}": (
            lambda q, s=s: special.zeta(s, q), lambda q, s=s: mp.zeta(s, q),
            numpy.concatenate([powers(1e-2, 1), between(0.1, 30)]), 8,
        )
        for s in (1.0001, 1.5, 2, 3.7, 10)
    },
    "erfcx": (
        special.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x),
        numpy.concatenate([between(-26, 5), between(-0.6, 0.6), powers(5, 1e10)]), 6,
    ),
    "log_ndtr": (special.log_ndtr, log_normal, between(-30, 1), 8),
    "i0": (minigrad.i0, I0, AROUND_TEN, 6),
    "i1": (special.i1, I1, AROUND_TEN, 9),
    "i0e": (special.i0e, scaled(I0, -1), AROUND_TEN, 5),
    "i1e": (special.i1e, scaled(I1, -1), AROUND_TEN, 8),
    "modified_bessel_k0": (special.modified_bessel_k0, K0, DECAYS, 8),
    "modified_bessel_k1": (special.modified_bessel_k1, K1, DECAYS, 6),
    "scaled_modified_bessel_k0": (special.scaled_modified_bessel_k0, scaled(K0, 1), DECAYS, 9),
    "scaled_modified_bessel_k1": (special.scaled_modified_bessel_k1, scaled(K1, 1), DECAYS, 6),
    "bessel_j1 near 0": (special.bessel_j1, J1, powers(1e-300, 1), 4),
    "spherical_bessel_j0": (special.spherical_bessel_j0, lambda x: mp.sin(x) / x, WAVES, 2),
}  # fmt: skip


def errors(function, exact, points):
    """The values found, the exact ones, and the errors as doubles."""
    found = function(minigrad.tensor(points)).numpy()
    assert found.dtype == numpy.float64
    with mp.workdps(DIGITS):
        values = [exact(mp.mpf(x)) for x in points.tolist()]
        gaps = [float(abs(mp.mpf(f) - v)) for f, v in zip(found.tolist(), values)]
    return found, numpy.array([float(v) for v in values]), numpy.array(gaps)


@pytest.mark.parametrize("name", RELATIVE)
def test_relative_accuracy(name):
    function, exact, points, units = RELATIVE[name]
    _, values, gaps = errors(function, exact, points)
    assert (gaps / numpy.spacing(numpy.abs(values))).max() <= units


def wave(x):
    """The height of the Bessel functions' waves."""
    return numpy.minimum(1.0, numpy.sqrt(2 / math.pi / numpy.abs(x)))


def airy_wave(x):
    return numpy.where(x < 2, numpy.maximum(1.0, numpy.abs(x)) ** -0.25 * 0.1, 0.0)


def airy_exponent(x):
    """Rounding of the exponent, or angle, 2 / 3 |x| ** 1.5."""
    return 1 + numpy.abs(x) ** 1.5


def one(x):
    return numpy.ones_like(x)


NEGATIVE = -numpy.concatenate([powers(1e-300, 0.9), between(0, 20)])

# The largest error in units of the last place of a value, or of the size given beside it, with
# what the rounding of the argument is worth.
ABSOLUTE = {
    "lgamma below 0": (minigrad.lgamma, log_gamma, NEGATIVE, 6, one, one),
    "digamma below 0": (minigrad.digamma, mp.digamma, NEGATIVE, 8, one, one),
    "polygamma 1 below 0": (
        lambda x: minigrad.polygamma(1, x), lambda x: mp.psi(1, x), NEGATIVE[41:], 8, one, one
    ),
    "polygamma 2 below 0": (
        lambda x: minigrad.polygamma(2, x), lambda x: mp.psi(2, x), NEGATIVE[41:], 24, one, one
    ),
    "bessel_j0": (special.bessel_j0, J0, WAVES, 12, wave, one),
    "bessel_j1": (special.bessel_j1, J1, WAVES, 6, wave, one),
    "bessel_y0": (special.bessel_y0, Y0, WAVES, 12, wave, one),
    "bessel_y1": (special.bessel_y1, Y1, WAVES, 8, wave, one),
    "airy_ai": (
        special.airy_ai, mp.airyai, numpy.concatenate([between(-40, 100), between(-5, 2)]), 8,
        airy_wave, airy_exponent,
    ),
    "log_ndtr above 0": (special.log_ndtr, log_normal, between(1, 30), 4, one, lambda x: 1 + x * x),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSOLUTE)
def test_accuracy_beside_a_size(name):
    function, exact, points, units, size, worth = ABSOLUTE[name]
    _, values, gaps = errors(function, exact, points)
    if name == "log_ndtr above 0":
        steps = numpy.spacing(numpy.abs(values))
    else:
        steps = numpy.spacing(numpy.maximum(numpy.abs(values), size(points)))
    assert (gaps / steps / worth(points)).max() <= units


def lower(a, x):
    return mp.gammainc(a, 0, x, regularized=True)


def upper(a, x):
    return mp.gammainc(a, x, mp.inf, regularized=True)


@pytest.mark.parametrize(("function", "exact"), [("igamma", lower), ("igammac", upper)])
@pytest.mark.parametrize(
    ("shapes", "ratios"),
    [
        ((1e-10, 2), (1e-10, 1e9)), ((1e-3, 20), (1e-2, 10)), ((20, 300), (0.5, 2)),
        ((20, 300), (0.9, 1.1)), ((300, 3000), (0.97, 1.03)), ((10, 20), (1e-9, 1e-2)),
    ],
)  # fmt: skip
def test_incomplete_gamma(function, exact, shapes, ratios):
    rng = numpy.random.default_rng(7)
    a = numpy.exp(rng.uniform(*numpy.log(shapes), 25))
    x = numpy.minimum(a * numpy.exp(rng.uniform(*numpy.log(ratios), 25)), 4000)
    found = getattr(minigrad, function)(minigrad.tensor(a), minigrad.tensor(x)).numpy()
    with mp.workdps(DIGITS):
        values = [exact(mp.mpf(p), mp.mpf(q)) for p, q in zip(a.tolist(), x.tolist())]
        gaps = [float(abs(mp.mpf(f) - v)) for f, v in zip(found.tolist(), values)]
    wanted = numpy.array([float(v) for v in values])
    normal = wanted > 1e-290
    # Half a unit of the exponent, which is the value's logarithm, is half a unit of the value.
    allowed = 16 + 8 * numpy.abs(numpy.log(wanted[normal]))
    units = numpy.array(gaps)[normal] / numpy.spacing(wanted[normal])
    assert (units <= allowed).all()


def test_incomplete_gamma_at_the_ends():
    inf, nan = math.inf, math.nan
    a = numpy.array([0.0, 0.0, 2.0, 2.0, inf, inf, -1.0, 2.0, nan, 1e-300, 1e10])
    x = numpy.array([0.0, 3.0, 0.0, inf, 3.0, inf, 2.0, -1.0, 1.0, 1e-300, 1e10])
    expected = numpy.array([nan, 1, 0, 1, 0, nan, nan, nan, nan, 1, 0.5])
    found = minigrad.igamma(minigrad.tensor(a), minigrad.tensor(x)).numpy()
    numpy.testing.assert_allclose(found, expected, rtol=1e-5)
    complement = minigrad.igammac(minigrad.tensor(a), minigrad.tensor(x)).numpy()
    numpy.testing.assert_allclose(complement, 1 - expected, rtol=1e-5, atol=1e-290)


def test_the_two_incomplete_gammas_add_to_one():
    rng = numpy.random.default_rng(3)
    a = minigrad.tensor(numpy.exp(rng.uniform(-20, 20, 4000)))
    x = a * minigrad.tensor(numpy.exp(rng.normal(size=4000)))
    total = (minigrad.igamma(a, x) + minigrad.igammac(a, x)).numpy()
    numpy.testing.assert_allclose(total, 1, atol=1e-14)


@pytest.mark.parametrize("p", [1e-300, 1e-20, 1e-3, 0.07, 0.3, 0.5, 0.52, 0.93, 0.999])
def test_normal_quantile(p):
    found = special.ndtri(minigrad.tensor(p, dtype=minigrad.float64)).item()
    with mp.workdps(DIGITS):
        # One step of Newton's from what was found is exact to twice its digits.
        exact = found - (mp.ncdf(found) - mp.mpf(p)) / mp.npdf(found)
        assert abs(found - exact) <= 4 * numpy.spacing(abs(found))


def second_kind(n, x):
    return mp.chebyu(n, x) if n >= 0 else 0


def laguerre(n, x):
    return mp.fsum((-1) ** k * mp.binomial(n, k) * x**k / mp.factorial(k) for k in range(n + 1))


POLYNOMIALS = {
    "chebyshev_polynomial_t": mp.chebyt,
    "chebyshev_polynomial_u": second_kind,
    "chebyshev_polynomial_v": lambda n, x: second_kind(n, x) - second_kind(n - 1, x),
    "chebyshev_polynomial_w": lambda n, x: second_kind(n, x) + second_kind(n - 1, x),
    "legendre_polynomial_p": mp.legendre,
    "laguerre_polynomial_l": laguerre,
    "hermite_polynomial_h": mp.hermite,
    "hermite_polynomial_he": lambda n, x: 2 ** (-mp.mpf(n) / 2) * mp.hermite(n, x / mp.sqrt(2)),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
@pytest.mark.parametrize("n", [0, 1, 2, 7, 39, 40, 101])
def test_polynomials(name, n):
    points = numpy.array([-3.0, -1.001, -1.0, -0.7, -1e-3, 0.0, 0.2, 0.95, 1.0, 1.02, 2.5])
    found = getattr(special, name)(minigrad.tensor(points), n).numpy()
    with mp.workdps(DIGITS):
        exact = [float(POLYNOMIALS[name](n, mp.mpf(x))) for x in points.tolist()]
    # Steps lose a unit each, of the largest of the values within.
    scale = numpy.maximum(numpy.abs(exact), numpy.median(numpy.abs(exact)))
    assert (numpy.abs(found - exact) <= 4e-16 * (n + 2) ** 1.5 * scale).all()


def test_polynomials_take_numbers_and_cut_degrees():
    degrees = minigrad.tensor([-2.0, -0.5, 0.0, 1.9, 2.0, math.nan])
    found = special.hermite_polynomial_he(3, degrees).tolist()
    assert found[:5] == [0, 1, 1, 3, 8]
    assert math.isnan(found[5])
    assert special.legendre_polynomial_p(minigrad.tensor([2]), 2).dtype == minigrad.float32


def test_large_degrees_take_no_steps():
    x = minigrad.tensor([-1.0, -0.3, 0.0, 1.0], dtype=minigrad.float64)
    found = special.chebyshev_polynomial_t(x, 10**9).tolist()
    with mp.workdps(DIGITS):
        exact = float(mp.cos(10**9 * mp.acos(mp.mpf(-0.3))))
    assert found[0] == found[3] == 1
    assert abs(found[1] - exact) < 1e-6
    assert special.chebyshev_polynomial_w(x, 10**6).tolist()[3] == 2 * 10**6 + 1


def test_derivatives_of_polynomials_have_no_seam_at_the_ends():
    x = minigrad.tensor([-1.0, 1.0], dtype=minigrad.float64, requires_grad=True)
    special.legendre_polynomial_p(x, 4).sum().backward()
    assert x.grad.tolist() == [-10, 10]  # n (n + 1) / 2


SINGLE = [
    (minigrad.lgamma, log_gamma, between(0.1, 30)),
    (minigrad.digamma, mp.digamma, between(0.1, 30)),
    (special.bessel_j0, J0, between(-30, 30)),
    (special.bessel_y1, Y1, between(0.1, 30)),
    (special.airy_ai, mp.airyai, between(-12, 8)),
    (special.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x), between(-6, 30)),
    (special.log_ndtr, log_normal, between(-20, 5)),
    (special.i1e, scaled(I1, -1), between(-20, 20)),
]


@pytest.mark.parametrize(("function", "exact", "points"), SINGLE)
def test_single_precision_is_rounded_once(function, exact, points):
    points = points.astype("float32")
    found = function(minigrad.tensor(points)).numpy()
    assert found.dtype == numpy.float32
    with mp.workdps(DIGITS):
        values = numpy.array([float(exact(mp.mpf(x))) for x in points.tolist()])
    units = numpy.abs(found - values) / numpy.spacing(numpy.abs(values).astype("float32"))
    assert units.max() <= 0.51


def test_edges():
    inf, nan = math.inf, math.nan
    x = minigrad.tensor([0.0, -0.0, -1.0, inf, -inf, nan], dtype=minigrad.float64)
    table = {
        minigrad.lgamma: [inf, inf, inf, inf, inf, nan],
        minigrad.digamma: [-inf, inf, nan, inf, nan, nan],
        special.i0: [1, 1, None, inf, inf, nan],
        special.i1e: [0, 0, None, 0, 0, nan],
        special.modified_bessel_k0: [inf, inf, nan, 0, nan, nan],
        special.scaled_modified_bessel_k1: [inf, inf, nan, 0, nan, nan],
        special.bessel_j0: [1, 1, None, 0, 0, nan],
        special.bessel_j1: [0, 0, None, 0, 0, nan],
        special.bessel_y0: [-inf, -inf, nan, 0, nan, nan],
        special.bessel_y1: [-inf, -inf, nan, 0, nan, nan],
        special.airy_ai: [None, None, None, 0, 0, nan],
        special.spherical_bessel_j0: [1, 1, None, 0, 0, nan],
        special.erfcx: [1, 1, None, 0, inf, nan],
        special.log_ndtr: [-math.log(2), -math.log(2), None, 0, -inf, nan],
        special.ndtri: [-inf, -inf, nan, nan, nan, nan],
    }
    for function, expected in table.items():
        for found, wanted in zip(function(x).tolist(), expected):
            same = wanted is None or found == wanted or (math.isnan(found) and math.isnan(wanted))
            assert same, (function.__name__, found, wanted)
    for n, at_poles in ((1, inf), (2, -inf)):
        assert minigrad.polygamma(n, x).tolist()[:4] == [at_poles] * 3 + [0]


def test_the_growing_functions_reach_the_largest_number():
    """The exponential overflows at 709.8, the modified Bessel functions only later."""
    x = minigrad.tensor([713.0], dtype=minigrad.float64)
    with mp.workdps(DIGITS):
        assert math.isclose(minigrad.i0(x).item(), float(mp.besseli(0, 713)), rel_tol=1e-13)


def test_frexp_and_ldexp_undo_each_other():
    x = minigrad.tensor([6.0, -0.1, 0.0, 1e308, 5e-324], dtype=minigrad.float64)
    mantissa, exponent = minigrad.frexp(x)
    assert mantissa.tolist()[0] == 0.75
    assert exponent.dtype == minigrad.int32
    assert minigrad.ldexp(mantissa, exponent).tolist() == x.tolist()


def test_what_has_no_derivative_says_so():
    a = minigrad.tensor([1.5], requires_grad=True)
    x = minigrad.tensor([2.0])
    for result in (minigrad.igamma(a, x), minigrad.igammac(a, x), special.zeta(a, x)):
        with pytest.raises(NoDerivativeError, match="argument 'input' is not implemented"):
            result.sum().backward()
    x.requires_grad_()
    minigrad.igamma(a.detach(), x).sum().backward()
    assert x.grad is not None


def test_refusals():
    x = minigrad.tensor([1.0])
    with pytest.raises(ValueError, match=r"polygamma\(\): argument 'n' must not be negative"):
        minigrad.polygamma(-1, x)
    with pytest.raises(ValueError, match=r"mvlgamma\(\): argument 'p' must be at least 1"):
        minigrad.mvlgamma(x, 0)
    with pytest.raises(TypeError, match="complex"):
        minigrad.lgamma(minigrad.tensor([1j]))
    with pytest.raises(TypeError, match=r"gcd\(\): argument 'input' must be an integer tensor"):
        minigrad.gcd(x, x)
    with pytest.raises(TypeError, match=r"igamma\(\): argument 'input' must be floating"):
        minigrad.igamma(minigrad.tensor([1]), minigrad.tensor([1]))


def test_methods_change_a_tensor_in_place():
    x = minigrad.tensor([6.0, 0.5])
    expected = minigrad.polygamma(2, x).tolist()
    assert x.polygamma_(2) is x
    assert x.tolist() == expected
    assert minigrad.tensor([12, -8]).gcd_(minigrad.tensor([18, 12])).tolist() == [6, 4]


def test_all_names_of_torch():
    torch = pytest.importorskip("torch", reason="compares the names")
    names = [name for name in torch.special.__all__ if name != "torch"]
    assert [name for name in names if not hasattr(special, name)] == []
    assert sorted(special.__all__) == special.__all__


def test_large_arrays_are_taken_block_by_block():
    x = numpy.linspace(0.1, 20, 70001)[::-1]
    whole = minigrad.lgamma(minigrad.tensor(x)).numpy()
    parts = [minigrad.lgamma(minigrad.tensor(part)).numpy() for part in numpy.array_split(x, 7)]
    numpy.testing.assert_array_equal(whole, numpy.concatenate(parts))


@pytest.mark.parametrize("file", ["bessel_tables", "modified_tables", "airy_tables"])
def test_tables_are_what_the_definitions_give(file):
    """The first of each file; all of them take half a minute."""
    tables = importlib.import_module(f"minigrad.ops.formulas.{file}")
    name, function = next(iter(special_tables.FILES[f"{file}.py"][1].items()))
    assert special_tables.series(function) == list(getattr(tables, name))
