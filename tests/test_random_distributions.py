"""What the random generator draws: the distributions, against mathematics and statistics.

Seeds are fixed, so a test that passes once passes always; the bounds are those of chance, about
one in a thousand for a Kolmogorov-Smirnov distance and five standard errors elsewhere.
"""

from __future__ import annotations

import math
from itertools import permutations
from typing import Any

import numpy
import pytest

from minigrad.backend import philox, variates
from minigrad.backend.quantiles import DOUBLE, SINGLE, minus_log, normal_quantiles
from minigrad.backend.random import Generator

INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")


def seeded() -> Generator:
    return Generator().manual_seed(12345)


def kolmogorov_distance(values: Any, distribution: Any) -> float:
    """The Kolmogorov-Smirnov distance times the root of the number of values.

    It exceeds 1.95 once in a thousand samples of the right distribution.
    """
    ordered = numpy.sort(values.astype(float).ravel())
    expected = numpy.array([distribution(value) for value in ordered.tolist()])
    steps = numpy.arange(ordered.size + 1) / ordered.size
    distance = max((expected - steps[:-1]).max(), (steps[1:] - expected).max())
    return float(distance) * math.sqrt(ordered.size)


def normal_distribution(value: float) -> float:
    return math.erfc(-value / math.sqrt(2)) / 2


@pytest.mark.parametrize(
    ("dtype", "digits"), [("float16", 11), ("float32", 24), ("float64", 53), ("bfloat16", 8)]
)
def test_uniform_has_every_digit_and_is_below_one(dtype: str, digits: int):
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    variate = variates.UNIFORM[dtype]
    ones = numpy.full(4, 2**64 - 1, numpy.uint64)
    assert variate.make(numpy, ones, 1).tolist() == [1 - 2.0**-digits]
    assert variate.make(numpy, numpy.zeros(4, numpy.uint64), 1).tolist() == [0]
    drawn = seeded().uniform(numpy, 4000, dtype).astype(float) * 2**digits
    assert (drawn == numpy.floor(drawn)).all()
    assert (drawn % 2 == 1).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_is_uniform(dtype: str):
    drawn = seeded().uniform(numpy, 100_000, dtype)
    assert kolmogorov_distance(drawn, lambda value: value) < 1.95
    # Neighbours know nothing of each other: five standard errors of a correlation.
    correlation = numpy.corrcoef(drawn[:-1], drawn[1:])[0, 1]
    assert abs(correlation) < 5 / math.sqrt(drawn.size)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_uniform_leaves_the_upper_end_out(dtype: str):
    # In this narrow range rounding would reach the end every other time.
    step = float(numpy.finfo(dtype).eps)
    drawn = seeded().uniform(numpy, 1000, dtype, 1.0, 1.0 + step)
    assert (drawn == 1.0).all()
    drawn = seeded().uniform(numpy, 10_000, dtype, -3.0, 5.0)
    assert -3.0 <= drawn.min() < -2.9
    assert 4.9 < drawn.max() < 5.0
    assert (seeded().uniform(numpy, 3, dtype, 2.0, 2.0) == 2.0).all()


def quantile_error(z: float, steps: int, width: int) -> float:
    """How far the normal number z is, relatively, from the quantile of (steps + 1/2) / 2**width.

    One step of Newton's method with the C library's error function, good to 1e-16.
    """
    centred = (steps + 0.5) / 2.0**width
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    if abs(centred) < 0.25:
        difference = math.erf(z / math.sqrt(2)) / 2 - centred
    else:
        half = 1 << (width - 1)
        outer = ((steps + half if steps < 0 else half - 1 - steps) + 0.5) / 2.0**width
        difference = math.erfc(abs(z) / math.sqrt(2)) / 2 - outer
    return abs(difference / density / z)


@pytest.mark.parametrize(
    ("form", "tolerance"),
    # Three units in the last place, and the approximation's own 1e-7 and 1e-16.
    [pytest.param(SINGLE, 4.5e-7, id="single"), pytest.param(DOUBLE, 1.5e-15, id="double")],
)
def test_normal_numbers_are_the_quantiles(form: Any, tolerance: float):
    largest = 2 ** (form.width - 1) - 1
    random_bits = numpy.random.default_rng(0)
    near_the_ends = (2.0 ** random_bits.uniform(0, form.width - 2, 5000)).astype(form.signed)
    steps = numpy.concatenate(
        [
            random_bits.integers(-largest - 1, largest, 20_000, form.signed, endpoint=True),
            largest - near_the_ends,
            near_the_ends - largest - 1,
            near_the_ends,
            numpy.array([-largest - 1, -1, 0, largest], form.signed),
        ]
    )
    values = normal_quantiles(numpy, steps, form)
    assert values.dtype == form.floating
    errors = [
        quantile_error(z, k, form.width)
        for z, k in zip(values.astype(float).tolist(), steps.tolist())
    ]
    assert max(errors) < tolerance
    mirrored = normal_quantiles(numpy, ~steps, form)
    numpy.testing.assert_allclose(mirrored, -values, rtol=2 * tolerance, atol=0)


@pytest.mark.parametrize(("form", "units"), [(SINGLE, 2.5), (DOUBLE, 3.0)])
def test_logarithms(form: Any, units: float):
    generator = numpy.random.default_rng(1)
    x = numpy.concatenate(
        [
            generator.uniform(0, 1, 50_000),
            2.0 ** -generator.uniform(0, form.width + 1, 50_000),
            1 - 2.0 ** -generator.uniform(1, form.mantissa_bits, 50_000),
        ]
    ).astype(form.floating)
    x = x[(x > 0) & (x < 1)]
    expected = -numpy.log(x.astype(float))
    error = numpy.abs(minus_log(x, form) / expected - 1) * 2.0**form.mantissa_bits
    assert error.max() < units


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_is_normal(dtype: str):
    drawn = seeded().normal(numpy, (100, 1000), dtype)
    assert drawn.shape == (100, 1000)
    assert kolmogorov_distance(drawn, normal_distribution) < 1.95
    moved = seeded().normal(numpy, (100, 1000), dtype, 2.0, 3.0)
    numpy.testing.assert_array_equal(moved, drawn * 3 + 2)


def test_normal_of_half_precision_is_rounded_once():
    expected = seeded().normal(numpy, 1000, "float32", 1.0, 3.0).astype("float16")
    numpy.testing.assert_array_equal(seeded().normal(numpy, 1000, "float16", 1.0, 3.0), expected)


@pytest.mark.parametrize(("dtype", "part"), [("complex64", "float32"), ("complex128", "float64")])
def test_complex_numbers_have_two_parts(dtype: str, part: str):
    drawn = seeded().normal(numpy, (50, 400), dtype)
    assert drawn.dtype == dtype
    # Unit variance in all: five standard errors of the mean of 20,000 exponentials of rate 1.
    assert abs((numpy.abs(drawn) ** 2).mean() - 1) < 5 / math.sqrt(drawn.size)
    pairs = seeded().normal(numpy, (50, 400, 2), part)
    numpy.testing.assert_array_equal(drawn.imag, pairs[..., 1] * pairs.dtype.type(math.sqrt(0.5)))
    flat = seeded().uniform(numpy, 6, dtype)
    numpy.testing.assert_array_equal(flat.real, seeded().uniform(numpy, 12, part)[0::2])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponential_is_exponential_and_never_zero(dtype: str):
    drawn = seeded().exponential(numpy, 100_000, dtype, 2.0)
    assert kolmogorov_distance(drawn, lambda value: -math.expm1(-2.0 * value)) < 1.95
    for word in (0, 2**64 - 1):
        made = variates.EXPONENTIAL[dtype].make(numpy, numpy.full(4, word, numpy.uint64), 1)
        assert 0 < made[0] < 40


def test_bernoulli():
    drawn = seeded().bernoulli(numpy, 0.3, (100, 1000))
    assert drawn.dtype == bool
    assert abs(drawn.mean() - 0.3) < 5 * math.sqrt(0.21 / drawn.size)
    assert not seeded().bernoulli(numpy, 0.0, 10_000).any()
    assert seeded().bernoulli(numpy, 1.0, 10_000).all()
    probabilities = numpy.repeat(numpy.array([0.0, 0.2, 1.0]), 20_000).reshape(3, -1)
    for dtype in ("float16", "float32", "float64"):
        drawn = seeded().bernoulli(numpy, probabilities.astype(dtype), dtype="float32")
        assert drawn.dtype == numpy.float32
        assert drawn.shape == probabilities.shape
        assert drawn[0].sum() == 0
        assert abs(drawn[1].mean() - 0.2) < 5 * math.sqrt(0.16 / 20_000)
        assert drawn[2].all()
    assert seeded().bernoulli(numpy, numpy.array(0.5)).shape == ()
    assert (
        seeded().bernoulli(numpy, numpy.array([1.0, 0.0]), (3, 2)).tolist() == [[True, False]] * 3
    )


def chi_squared_is_likely(counts: Any, expected: Any) -> bool:
    """True but once in three million samples: five standard errors of the statistic."""
    statistic = ((counts - expected) ** 2 / expected).sum()
    freedom = counts.size - 1
    return bool(statistic < freedom + 5 * math.sqrt(2 * freedom))


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_cover_their_range_evenly(dtype: str):
    low, high = (0, 2) if dtype == "bool" else (3, 27)
    drawn = seeded().integers(numpy, low, high, (200, 500), dtype)
    assert drawn.dtype == dtype
    assert drawn.shape == (200, 500)
    counts = numpy.bincount(drawn.ravel().astype(int), minlength=high)
    assert counts[:low].sum() == 0
    assert counts.size == high
    assert chi_squared_is_likely(counts[low:], drawn.size / (high - low))


@pytest.mark.parametrize("dtype", INTEGERS[1:])
def test_integers_reach_both_ends_of_their_dtype(dtype: str):
    limits = numpy.iinfo(dtype)
    low, high = int(limits.min), int(limits.max) + 1
    for span_low in (low, high - 3):
        variate = variates.integers(span_low, high, dtype)
        least = variate.make(numpy, numpy.zeros(4, numpy.uint64), 1)
        most = variate.make(numpy, numpy.full(4, 2**64 - 1, numpy.uint64), 1)
        assert (int(least[0]), int(most[0])) == (span_low, high - 1)
    drawn = seeded().integers(numpy, low, high, 10_000, dtype).astype(float)
    assert abs(drawn.mean() - (low + high) / 2) < 5 * (high - low) / math.sqrt(12 * drawn.size)


@pytest.mark.parametrize("span", [1, 10, 2**32 - 5, 2**32, 2**32 + 1, 3 * 2**61, 2**64 - 1, 2**64])
def test_integers_are_fractions_of_the_span(span: int):
    words = philox.plain_words(numpy, 5, 0, 100)
    if span <= 2**32:
        expected = [(word * span) >> 64 for word in words.tolist()]
    else:
        pairs = words.reshape(-1, 2).tolist()
        expected = [((high << 64 | low) * span) >> 128 for low, high in pairs]
    made = variates.integers(0, span, "uint64").make(numpy, words.copy(), len(expected))
    assert made.tolist() == expected


def test_integers_in_floating_dtypes():
    drawn = seeded().integers(numpy, -5, 5, 1000, "float32")
    assert drawn.dtype == numpy.float32
    assert set(drawn.tolist()) == set(range(-5, 5))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000, 65_536, 100_000])
def test_permutations_hold_every_index_once(count: int):
    drawn = seeded().permutation(numpy, count)
    assert drawn.dtype == numpy.int64
    numpy.testing.assert_array_equal(numpy.sort(drawn), numpy.arange(count))
    if count >= 1000:
        # Displacements as of chance: the mean of |i - p(i)| is n / 3, its deviation below n / 4.
        moved = numpy.abs(drawn - numpy.arange(count)).mean()
        assert abs(moved / count - 1 / 3) < 5 / 4 / math.sqrt(count)


def test_permutations_are_equally_likely():
    generator = seeded()
    orders = dict.fromkeys(permutations(range(4)), 0)
    for _ in range(4800):
        orders[tuple(generator.permutation(numpy, 4).tolist())] += 1
    assert chi_squared_is_likely(numpy.array(list(orders.values())), 200)


WEIGHTS = numpy.array([[1.0, 2.0, 0.0, 5.0], [0.0, 3.0, 1.0, 0.0]])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("scale", [1.0, 1e-7])
def test_multinomial_with_replacement(dtype: str, scale: float):
    count = 20_000
    weights = (WEIGHTS * scale).astype(dtype)
    drawn = seeded().multinomial(numpy, weights, count, replacement=True)
    assert drawn.shape == (2, count)
    assert drawn.dtype == numpy.int64
    for row, of_row in zip(weights.astype(float), drawn):
        counts = numpy.bincount(of_row, minlength=4)
        possible = row > 0
        assert counts[~possible].sum() == 0
        expected = row[possible] / row.sum() * count
        assert chi_squared_is_likely(counts[possible], expected)
    alone = seeded().multinomial(numpy, weights[0], 7, replacement=True)
    assert alone.shape == (7,)


class SameWord(Generator):
    """Draws one word over and over."""

    word = 0

    def bits(self, xp: Any, count: int) -> Any:
        return numpy.full(count, self.word, numpy.uint64)


def test_multinomial_at_the_ends_of_the_range():
    generator = SameWord()
    weights = numpy.array([[0.0, 2.0, 1e-12, 0.0], [3.0, 0.0, 0.0, 1e-12]])
    assert generator.multinomial(numpy, weights, 2, True).tolist() == [[1, 1], [0, 0]]
    generator.word = 2**64 - 1
    assert generator.multinomial(numpy, weights, 2, True).tolist() == [[2, 2], [3, 3]]


def test_multinomial_without_replacement():
    rows = numpy.tile(WEIGHTS[:1], (20_000, 1))
    drawn = seeded().multinomial(numpy, rows, 3)
    assert drawn.shape == (20_000, 3)
    assert (numpy.sort(drawn, axis=1) == [0, 1, 3]).all()
    # The chance of an order is the product of each draw's share of what is left.
    weights = WEIGHTS[0]
    counts, expected = [], []
    for order in permutations([0, 1, 3]):
        counts.append((drawn == order).all(axis=1).sum())
        left = [weights[list(order[place:])].sum() for place in range(3)]
        shares = [weights[index] / rest for index, rest in zip(order, left)]
        expected.append(20_000 * math.prod(shares))
    assert chi_squared_is_likely(numpy.array(counts), numpy.array(expected))
    first = seeded().multinomial(numpy, rows, 1)
    assert chi_squared_is_likely(
        numpy.bincount(first.ravel(), minlength=4)[[0, 1, 3]], numpy.array([2500, 5000, 12_500])
    )
