"""Samples against their distributions: Kolmogorov-Smirnov, frequencies, moments, gradients."""

from __future__ import annotations

import math

import numpy
import pytest

import minigrad
from minigrad import distributions
from minigrad.ops.drawn import dirichlet, standard_gamma
from minigrad.ops.implicit import dirichlet_slope, gamma_slope
from tests.distribution_cases import CASES
from tests.test_distributions import drawn, ours

stats = pytest.importorskip("scipy.stats", reason="the distribution functions are SciPy's")
special = pytest.importorskip("scipy.special", reason="the distribution functions are SciPy's")
torch = pytest.importorskip("torch", reason="gradients are compared with torch's")

COUNT = 4000
UNLIKELY = 1e-4
"""The seeds are fixed: a test that passes once passes always."""

CONTINUOUS = {
    "Normal": ((0.5, 2.0), stats.norm(0.5, 2.0)),
    "Laplace": ((0.5, 2.0), stats.laplace(0.5, 2.0)),
    "Cauchy": ((0.5, 2.0), stats.cauchy(0.5, 2.0)),
    "Gumbel": ((0.5, 2.0), stats.gumbel_r(0.5, 2.0)),
    "LogNormal": ((0.5, 0.7), stats.lognorm(0.7, scale=math.exp(0.5))),
    "HalfNormal": ((2.0,), stats.halfnorm(0, 2.0)),
    "HalfCauchy": ((2.0,), stats.halfcauchy(0, 2.0)),
    "Exponential": ((2.0,), stats.expon(scale=0.5)),
    "Weibull": ((2.0, 1.5), stats.weibull_min(1.5, scale=2.0)),
    "Pareto": ((2.0, 1.5), stats.pareto(1.5, scale=2.0)),
    "GeneralizedPareto": ((1.0, 2.0, 0.3), stats.genpareto(0.3, 1.0, 2.0)),
    "Uniform": ((-1.0, 2.0), stats.uniform(-1.0, 3.0)),
    "Gamma": ((2.5, 2.0), stats.gamma(2.5, scale=0.5)),
    "InverseGamma": ((2.5, 2.0), stats.invgamma(2.5, scale=2.0)),
    "Chi2": ((0.7,), stats.chi2(0.7)),
    "StudentT": ((2.5, 1.0, 2.0), stats.t(2.5, 1.0, 2.0)),
    "FisherSnedecor": ((3.0, 5.0), stats.f(3.0, 5.0)),
    "Beta": ((0.5, 2.0), stats.beta(0.5, 2.0)),
    "VonMises": ((1.0, 2.0), stats.vonmises(2.0, 1.0)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONTINUOUS)
def test_samples_have_their_distribution_function(name, dtype):
    arguments, reference = CONTINUOUS[name]
    parameters = [minigrad.tensor(value, dtype=dtype) for value in arguments]
    x = getattr(distributions, name)(*parameters).sample((COUNT,)).numpy().astype(float)
    if name == "VonMises":
        x = (x - 1.0 + math.pi) % (2 * math.pi) - math.pi + 1.0
    assert stats.kstest(x, reference.cdf).pvalue > UNLIKELY


@pytest.mark.parametrize("concentration", [0.05, 0.9, 1.0, 30.0, 1e6])
def test_gamma_numbers_of_any_concentration(concentration):
    x = standard_gamma(minigrad.full((COUNT,), concentration, dtype="float64")).numpy()
    assert stats.kstest(x, stats.gamma(concentration).cdf).pvalue > UNLIKELY


def frequencies_fit(values, reference):
    """Chi-squared of counts against probabilities, rare values taken together."""
    top = int(values.max()) + 1
    expected = reference.pmf(numpy.arange(top + 1)) * values.size
    counts = numpy.bincount(values.astype(int), minlength=top + 1)
    often = expected >= 5
    seen = numpy.append(counts[often], counts[~often].sum())
    wanted = numpy.append(expected[often], values.size - expected[often].sum())
    if wanted[-1] < 1:
        seen, wanted = seen[:-1], wanted[:-1]
    return (
        len(seen) == 1
        or stats.chisquare(seen, wanted * seen.sum() / wanted.sum()).pvalue > UNLIKELY
    )


@pytest.mark.parametrize("rate", [0.3, 4.0, 9.99, 10.01, 60.0, 1e4])
def test_poisson_numbers_have_their_frequencies(rate):
    x = minigrad.poisson(minigrad.full((COUNT,), rate, dtype="float64")).numpy()
    assert frequencies_fit(x, stats.poisson(rate))


@pytest.mark.parametrize(
    ("count", "chance"), [(5, 0.3), (40, 0.9), (30, 0.5), (200, 0.4), (10_000, 0.7), (7, 1.0)]
)
def test_binomial_numbers_have_their_frequencies(count, chance):
    trials = minigrad.full((COUNT,), float(count), dtype="float64")
    x = minigrad.binomial(trials, minigrad.full_like(trials, chance)).numpy()
    assert frequencies_fit(x, stats.binom(count, chance))


def test_counts_at_the_edges_and_refusals():
    zero, one = minigrad.zeros(3), minigrad.ones(3)
    assert minigrad.poisson(zero).tolist() == [0, 0, 0]
    assert minigrad.binomial(5 * one, zero).tolist() == [0, 0, 0]
    assert minigrad.binomial(zero, 0.5 * one).tolist() == [0, 0, 0]
    assert tuple(minigrad.binomial(minigrad.ones(2, 1), minigrad.rand(3)).shape) == (2, 3)
    assert tuple(minigrad.poisson(minigrad.ones(0, 2)).shape) == (0, 2)
    with pytest.raises(RuntimeError, match=r"poisson\(\): argument 'input'"):
        minigrad.poisson(-one)
    with pytest.raises(RuntimeError, match="argument 'count'"):
        minigrad.binomial(-one, one)
    with pytest.raises(RuntimeError, match="argument 'prob'"):
        minigrad.binomial(one, 2 * one)
    with pytest.raises(TypeError, match="floating"):
        minigrad.poisson(minigrad.arange(3))
    with pytest.raises(TypeError, match="must be equal"):
        minigrad.binomial(one.double(), one)


FAR = {
    "Cauchy",
    "HalfCauchy",
    "VonMises",
    "Categorical",
    "GeneralizedPareto",
    "Pareto",
    "LogNormal",
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.name not in FAR], ids=lambda case: case.id
)
def test_samples_have_their_mean_and_variance(case):
    parameters, _ = drawn(case, ())
    mine, _ = ours(case, parameters)
    try:
        mean, variance = mine.mean.numpy(), mine.variance.numpy()
    except NotImplementedError:
        pytest.skip("there is no closed form")
    x = mine.sample((COUNT,)).numpy().astype(float)
    if not numpy.isfinite(variance).all():
        return
    error = numpy.sqrt(variance / COUNT)
    assert (numpy.abs(x.mean(0) - mean) <= 5 * error + 1e-12).all()
    # The error of the variance follows from the fourth moment of the very sample.
    squares = (x - mean) ** 2
    spread = squares.std(0) / math.sqrt(COUNT)
    assert (numpy.abs(squares.mean(0) - variance) <= 6 * spread + 1e-9).all()


def test_correlations_come_as_they_should():
    cover = numpy.array([[2.0, 0.6], [0.6, 1.0]])
    normal = distributions.MultivariateNormal(minigrad.zeros(2).double(), minigrad.tensor(cover))
    numpy.testing.assert_allclose(numpy.cov(normal.sample((20_000,)).numpy().T), cover, atol=0.07)
    low = distributions.LowRankMultivariateNormal(
        minigrad.zeros(2), minigrad.tensor([[1.0], [0.5]]), minigrad.tensor([1.0, 0.5])
    )
    found = numpy.cov(low.sample((20_000,)).numpy().T)
    numpy.testing.assert_allclose(found, low.covariance_matrix.numpy(), atol=0.07)


def doubles(value):
    return torch.tensor(value, dtype=torch.float64)


GAMMAS = [(a, u) for a in (1e-3, 0.1, 0.7, 1.0, 3.0, 40.0, 900.0) for u in (0.01, 0.4, 0.9, 0.999)]


@pytest.mark.parametrize(("concentration", "level"), GAMMAS)
def test_gamma_numbers_move_as_their_quantiles(concentration, level):
    value = special.gammaincinv(concentration, level)
    if value < 1e-280:
        return
    found = gamma_slope(numpy.asarray(concentration), numpy.asarray(value))
    theirs = torch._standard_gamma_grad(doubles(concentration), doubles(value))
    assert float(found) == pytest.approx(float(theirs), rel=3e-3)  # torch approximates it
    step = 1e-4 * concentration
    ends = special.gammaincinv([concentration - step, concentration + step], level)
    assert float(found) == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=2e-6)


BETAS = [(a, b, u) for a in (0.1, 1.0, 5.0, 200.0) for b in (0.2, 1.0, 30.0)
         for u in (0.05, 0.5, 0.95)]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "level"), BETAS)
def test_beta_numbers_move_as_their_quantiles(a, b, level):
    x = special.betaincinv(a, b, level)
    if x > 1 - 1e-6:
        return
    found = dirichlet_slope(*(numpy.asarray(value) for value in (x, a, a + b)))
    theirs = torch._dirichlet_grad(*(doubles([value]) for value in (x, a, a + b)))
    assert float(found) == pytest.approx(float(theirs), rel=1e-2)  # torch approximates it
    step = 1e-4 * a
    ends = special.betaincinv([a - step, a + step], b, level)
    assert float(found) * (1 - x) == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-5)


def test_gradients_of_the_gamma_family_are_those_of_quantiles():
    """Of beta numbers by both concentrations, of gamma numbers by the rate, of t by df."""
    a, b = (minigrad.tensor(x, dtype="float64", requires_grad=True) for x in (2.0, 3.5))
    x = distributions.Beta(a, b).rsample()
    x.backward()
    level = special.betainc(2.0, 3.5, x.item())
    step = 1e-5
    for leaf, shifts in ((a, (step, 0)), (b, (0, step))):
        ends = [special.betaincinv(2 + s * shifts[0], 3.5 + s * shifts[1], level) for s in (-1, 1)]
        assert leaf.grad.item() == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-5)
    rate = minigrad.tensor(2.0, dtype="float64", requires_grad=True)
    y = distributions.Gamma(a.detach(), rate).rsample()
    y.backward()
    assert rate.grad.item() == pytest.approx(-y.item() / 2.0)
    df = minigrad.tensor(3.0, dtype="float64", requires_grad=True)
    t = distributions.StudentT(df).rsample((20_000,))
    (slope,) = minigrad.autograd.grad(t.square().clamp_max(4.0).mean(), df)
    grid = numpy.linspace(1e-4, 1 - 1e-4, 20_001)
    ends = [numpy.minimum(stats.t(v).ppf(grid) ** 2, 4).mean() for v in (2.9, 3.1)]
    assert slope.item() == pytest.approx((ends[1] - ends[0]) / 0.2, abs=0.03)


def test_tiny_concentrations_give_neither_zero_nor_nan():
    for dtype in ("float16", "float32", "float64"):
        x = distributions.Gamma(minigrad.full((500,), 1e-3, dtype=dtype), 1.0).sample()
        assert x.dtype == dtype
        assert distributions.Normal(x, x).sample().dtype == dtype
        assert bool((x > 0).all())
        vectors = dirichlet(minigrad.full((500, 3), 1e-3, dtype=dtype))
        assert bool((vectors > 0).all())
        assert bool(((vectors.double().sum(-1) - 1).abs() < 1e-3).all())
        weights = minigrad.full((500, 3), 1e-3, dtype=dtype, requires_grad=True)
        distributions.Dirichlet(weights).rsample()[:, 0].sum().backward()
        assert bool(weights.grad.isfinite().all())


def test_a_straight_through_sample_gives_its_gradient_to_the_probabilities():
    logits = minigrad.tensor([0.5, -0.5, 1.0], requires_grad=True)
    one_hot = distributions.OneHotCategoricalStraightThrough(logits=logits)
    sample = one_hot.rsample()
    assert sorted(sample.tolist()) == [0, 0, 1]
    weights = minigrad.tensor([1.0, 2.0, 3.0])
    (found,) = minigrad.autograd.grad((sample * weights).sum(), logits)
    (wanted,) = minigrad.autograd.grad((logits.softmax(0) * weights).sum(), logits)
    assert minigrad.allclose(found, wanted)
