"""One row for each distribution: its parameters and values, drawn, and what the tests need know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy

Rng = numpy.random.Generator
SHAPES = ((), (2, 3))


@dataclass(frozen=True)
class Case:
    """How to make a distribution, and values in its support.

    `parameters` draws arrays for a batch shape; `values` draws a value from them. `discrete`
    values carry no gradient. `skip` are the properties that torch lacks or answers otherwise, and
    `tolerance` is what is allowed beside float64's exactness, where torch computes with less.
    """

    name: str
    parameters: Callable[[Rng, tuple[int, ...]], dict[str, Any]]
    values: Callable[[Rng, tuple[int, ...], dict[str, Any]], Any]
    discrete: bool = False
    constants: dict[str, Any] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    tolerance: float = 1e-9
    label: str = ""
    triangular: bool = False
    """Whether the last parameter is a factor of which only the lower triangle is read."""

    @property
    def id(self) -> str:
        """The name that pytest shows."""
        return self.name + (f"-{self.label}" if self.label else "")


def positive(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.3, 3.0, shape)


def real(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.normal(0, 1.5, shape)


def probability(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.05, 0.95, shape)


def simplex(rng: Rng, shape: tuple[int, ...], count: int = 4) -> Any:
    return rng.dirichlet(numpy.ones(count), shape)


def cool(rng: Rng, shape: tuple[int, ...]) -> Any:
    return numpy.asarray(0.7)


def warm(rng: Rng, shape: tuple[int, ...]) -> Any:
    return numpy.asarray(1.5)


def named(**drawers: Callable[[Rng, tuple[int, ...]], Any]) -> Any:
    """A drawer of several parameters."""
    return lambda rng, shape: {name: draw(rng, shape) for name, draw in drawers.items()}


def any_real(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return real(rng, shape)


def any_positive(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return positive(rng, shape)


def any_probability(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return probability(rng, shape)


def counts(high: int) -> Any:
    """Integers from 0 to `high`, as floats."""
    return lambda rng, shape, _: rng.integers(0, high + 1, shape).astype(float)


def one_hot(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return numpy.eye(4)[rng.integers(0, 4, shape)]


def positive_vectors(rng: Rng, shape: tuple[int, ...]) -> Any:
    return positive(rng, (*shape, 4))


def real_vectors(rng: Rng, shape: tuple[int, ...]) -> Any:
    return real(rng, (*shape, 4))


def any_real_vectors(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return real_vectors(rng, shape)


def any_simplex(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return simplex(rng, shape)


def covariance(rng: Rng, shape: tuple[int, ...], size: int = 4) -> Any:
    """Positive definite matrices, none nearly singular."""
    factor = 0.4 * rng.normal(size=(*shape, size, size))
    return factor @ numpy.swapaxes(factor, -1, -2) + 0.5 * numpy.eye(size)


def scale_tril(rng: Rng, shape: tuple[int, ...]) -> Any:
    return numpy.linalg.cholesky(covariance(rng, shape))


def any_covariance(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return covariance(rng, shape)


def any_correlation_factor(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    factor = scale_tril(rng, shape)
    return factor / numpy.linalg.norm(factor, axis=-1, keepdims=True)


def multinomial_counts(rng: Rng, shape: tuple[int, ...], _: Any) -> Any:
    return rng.multinomial(6, numpy.full(4, 0.25), shape).astype(float)


def above(low: float) -> Any:
    return lambda rng, shape: low + positive(rng, shape)


LOC_SCALE = named(loc=real, scale=positive)
TWO_CONCENTRATIONS = named(concentration1=positive, concentration0=positive)
INTERVAL = lambda rng, shape: {"low": -positive(rng, shape), "high": positive(rng, shape)}  # noqa: E731

CASES = [
    Case("Normal", LOC_SCALE, any_real),
    Case("Laplace", LOC_SCALE, any_real),
    Case("Cauchy", LOC_SCALE, any_real),
    Case("Gumbel", LOC_SCALE, any_real),
    Case("LogNormal", LOC_SCALE, any_positive),
    Case("VonMises", named(loc=real, concentration=positive), any_real, tolerance=1e-6),
    Case("HalfNormal", named(scale=positive), any_positive),
    Case("HalfCauchy", named(scale=positive), any_positive),
    Case("Exponential", named(rate=positive), any_positive),
    Case(
        "Weibull",
        named(scale=positive, concentration=positive),
        any_positive,
        skip=("mode",),  # torch answers nan below 1, where it is 0
    ),
    Case(
        "Pareto",
        named(scale=positive, alpha=above(2.1)),
        lambda rng, shape, p: p["scale"] + positive(rng, shape),
    ),
    Case(
        "GeneralizedPareto",
        lambda rng, shape: {
            "loc": real(rng, shape),
            "scale": positive(rng, shape),
            "concentration": rng.choice([-0.3, 0.2, 0.7, 0.0], shape),
        },
        lambda rng, shape, p: p["loc"] + p["scale"] * probability(rng, shape),
    ),
    Case(
        "Uniform",
        INTERVAL,
        lambda rng, shape, p: p["low"] + probability(rng, shape) * (p["high"] - p["low"]),
    ),
    Case("Gamma", named(concentration=positive, rate=positive), any_positive),
    Case("InverseGamma", named(concentration=positive, rate=positive), any_positive),
    Case("Chi2", named(df=positive), any_positive),
    Case("StudentT", named(df=above(0.7), loc=real, scale=positive), any_real),
    Case("FisherSnedecor", named(df1=above(1.5), df2=above(4.2)), any_positive),
    Case("Beta", TWO_CONCENTRATIONS, any_probability),
    Case(
        "Kumaraswamy",
        TWO_CONCENTRATIONS,
        any_probability,
        skip=("mode",),  # torch answers nan throughout
    ),
    Case("ContinuousBernoulli", named(probs=probability), any_probability),
    Case("ContinuousBernoulli", named(logits=real), any_probability, label="logits"),
    Case(
        "ContinuousBernoulli",
        named(probs=lambda rng, shape: rng.uniform(0.4991, 0.5009, shape)),
        any_probability,
        label="half",
    ),
    Case(
        "RelaxedBernoulli",
        named(probs=probability, temperature=cool),
        any_probability,
    ),
    Case(
        "RelaxedBernoulli",
        named(logits=real, temperature=warm),
        any_probability,
        label="logits",
    ),
    Case("Bernoulli", named(probs=probability), counts(1), discrete=True),
    Case("Bernoulli", named(logits=real), counts(1), discrete=True, label="logits"),
    Case("Geometric", named(probs=probability), counts(6), discrete=True),
    Case("Geometric", named(logits=real), counts(6), discrete=True, label="logits"),
    Case("Poisson", named(rate=positive), counts(6), discrete=True),
    Case(
        "Binomial",
        named(probs=probability),
        counts(5),
        discrete=True,
        constants={"total_count": 5},
    ),
    Case(
        "Binomial",
        named(logits=real),
        counts(5),
        discrete=True,
        constants={"total_count": 5},
        label="logits",
    ),
    Case(
        "NegativeBinomial",
        named(total_count=positive, probs=probability),
        counts(5),
        discrete=True,
    ),
    Case(
        "NegativeBinomial",
        named(total_count=positive, logits=real),
        counts(5),
        discrete=True,
        label="logits",
    ),
    Case("Categorical", named(probs=simplex), counts(3), discrete=True),
    Case("Categorical", named(logits=real_vectors), counts(3), discrete=True, label="logits"),
    Case("OneHotCategorical", named(probs=simplex), one_hot, discrete=True),
    Case("OneHotCategoricalStraightThrough", named(logits=real_vectors), one_hot, discrete=True),
    Case(
        "Multinomial",
        named(probs=simplex),
        multinomial_counts,
        discrete=True,
        constants={"total_count": 6},
    ),
    Case(
        "RelaxedOneHotCategorical",
        named(probs=simplex, temperature=cool),
        any_simplex,
    ),
    Case(
        "RelaxedOneHotCategorical",
        named(logits=real_vectors, temperature=warm),
        any_simplex,
        label="logits",
    ),
    Case("Dirichlet", named(concentration=positive_vectors), any_simplex),
    Case(
        "LogisticNormal",
        lambda rng, shape: {
            "loc": real(rng, (*shape, 3)),
            "scale": positive(rng, (*shape, 3)),
        },
        any_simplex,
    ),
    Case(
        "MultivariateNormal",
        named(loc=real_vectors, covariance_matrix=covariance),
        any_real_vectors,
    ),
    Case(
        "MultivariateNormal",
        named(loc=real_vectors, precision_matrix=covariance),
        any_real_vectors,
        label="precision",
    ),
    Case(
        "MultivariateNormal",
        named(loc=real_vectors, scale_tril=scale_tril),
        any_real_vectors,
        label="factor",
    ),
    Case(
        "LowRankMultivariateNormal",
        named(
            loc=real_vectors,
            cov_factor=lambda rng, shape: real(rng, (*shape, 4, 2)),
            cov_diag=positive_vectors,
        ),
        any_real_vectors,
    ),
    Case(
        "Wishart",
        named(df=above(4.0), covariance_matrix=covariance),
        any_covariance,
    ),
    Case(
        "Wishart",
        named(df=above(4.0), scale_tril=scale_tril),
        any_covariance,
        label="factor",
        triangular=True,
    ),
    Case(
        "LKJCholesky",
        named(concentration=positive),
        any_correlation_factor,
        constants={"dim": 4},
    ),
]
