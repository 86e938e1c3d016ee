"""Divergences against torch's and against the definition, and how a rule is found."""

from __future__ import annotations

import importlib

import numpy
import pytest

import minigrad
from minigrad import distributions
from minigrad.distributions import (
    ContinuousBernoulli,
    Distribution,
    Independent,
    Normal,
    TransformedDistribution,
    Uniform,
    kl_divergence,
    register_kl,
)
from minigrad.distributions.kl import _RULES
from minigrad.distributions.transforms import AffineTransform, ExpTransform
from tests.distribution_cases import CASES
from tests.test_distributions import assert_same, doubles, drawn, ours, theirs

torch = pytest.importorskip("torch", reason="the values are compared with torch's")
assert doubles

BY_NAME = {case.name: case for case in reversed(CASES)}
PAIRS = sorted(
    (p.__name__, q.__name__)
    for p, q in _RULES
    if p.__name__ in BY_NAME and q.__name__ in BY_NAME and p.__name__ != "Binomial"
)
# torch calls a uniform p with an end at 0 or 1 infinitely far from a continuous Bernoulli, and
# the other way round; it is not.
OTHERWISE = {("ContinuousBernoulli", "Uniform")}


def parameters_of(name, seed):
    """Parameters such that supports lie in each other where they may."""
    parameters, _ = drawn(BY_NAME[name], (2, 3), seed)
    if name == "Uniform":
        parameters = {"low": parameters["low"] * 0.1 + 0.35, "high": parameters["high"] / 10 + 0.6}
    if name == "Pareto":
        parameters = {**parameters, "scale": parameters["scale"] * 0.1}
    return parameters


def test_all_of_torchs_pairs_have_a_rule():
    table = importlib.import_module("torch.distributions.kl")._KL_REGISTRY
    wanted = {(p.__name__, q.__name__) for p, q in table}
    assert wanted == {(p.__name__, q.__name__) for p, q in _RULES}


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair not in OTHERWISE], ids="-".join)
def test_values_and_gradients_equal_torchs(pair):
    made = [ours(BY_NAME[name], parameters_of(name, i), requires_grad=True) for i, name in
            enumerate(pair)]  # fmt: skip
    wanted = [theirs(BY_NAME[name], parameters_of(name, i), requires_grad=True) for i, name in
              enumerate(pair)]  # fmt: skip
    found = kl_divergence(made[0][0], made[1][0])
    expected = torch.distributions.kl_divergence(wanted[0][0], wanted[1][0])
    assert_same(found, expected, 1e-9, "the divergence")
    if not expected.requires_grad or bool(torch.isinf(expected).all()):
        return
    finite = torch.isfinite(expected)
    leaves = [*made[0][1].values(), *made[1][1].values()]
    their_leaves = [*wanted[0][1].values(), *wanted[1][1].values()]
    gradients = minigrad.autograd.grad(
        found[minigrad.tensor(finite.numpy())].sum(), leaves, allow_unused=True
    )
    their_gradients = torch.autograd.grad(expected[finite].sum(), their_leaves, allow_unused=True)
    for gradient, want in zip(gradients, their_gradients):
        if want is not None:
            assert gradient is not None
            assert_same(gradient, torch.nan_to_num(want), 1e-8, "the gradient")


def test_the_divergence_is_the_mean_of_the_difference_of_logarithms():
    p = Uniform(minigrad.tensor([0.0, 0.2, -0.5]), minigrad.tensor([1.0, 0.7, 0.5]))
    q = ContinuousBernoulli(minigrad.tensor([0.3, 0.8, 0.3]))
    x = p.sample((40_000,))
    mean = (p.log_prob(x) - q.log_prob(x.clamp(0, 1))).mean(0)[:2]
    found = kl_divergence(p, q)
    numpy.testing.assert_allclose(found[:2].numpy(), mean.numpy(), atol=0.01)
    assert float(found[2]) == numpy.inf
    back = kl_divergence(q, Uniform(minigrad.tensor([0.0, 0.1, 0.0]), minigrad.ones(3)))
    numpy.testing.assert_allclose(back[0].numpy(), -q.entropy()[0].numpy(), rtol=1e-6)
    assert numpy.isinf(back.numpy()).tolist() == [False, True, False]


def test_what_one_never_draws_makes_it_infinite_and_what_neither_draws_nothing():
    p = distributions.Categorical(minigrad.tensor([0.5, 0.5, 0.0]))
    q = distributions.Categorical(minigrad.tensor([1.0, 0.0, 0.0]))
    assert float(kl_divergence(p, q)) == numpy.inf
    assert abs(float(kl_divergence(q, p)) - numpy.log(2)) < 1e-6
    zero, one = (distributions.Bernoulli(minigrad.tensor(x)) for x in (0.0, 1.0))
    assert float(kl_divergence(zero, one)) == numpy.inf
    assert float(kl_divergence(one, one)) == 0


def test_binomials_need_as_many_trials():
    few, many = (distributions.Binomial(n, minigrad.tensor([0.3, 0.5])) for n in (3, 5))
    assert kl_divergence(many, few).tolist() == [numpy.inf, numpy.inf]
    with pytest.raises(NotImplementedError, match="total_count"):
        kl_divergence(few, many)
    same = torch.distributions.Binomial(5, torch.tensor([0.3, 0.5]).float())
    other = torch.distributions.Binomial(5, torch.tensor([0.2, 0.9]).float())
    found = kl_divergence(many, distributions.Binomial(5, minigrad.tensor([0.2, 0.9])))
    numpy.testing.assert_allclose(
        found.numpy(), torch.distributions.kl_divergence(same, other).numpy(), rtol=1e-5
    )


def test_compounds_ask_their_bases():
    p, q = (Normal(minigrad.zeros(2, 3) + i, minigrad.ones(2, 3)) for i in (0, 1))
    assert kl_divergence(Independent(p, 1), Independent(q, 1)).tolist() == [1.5, 1.5]
    with pytest.raises(NotImplementedError, match="reinterpreted"):
        kl_divergence(Independent(p, 1), Independent(q, 2))
    exps = [TransformedDistribution(base, [ExpTransform()]) for base in (p, q)]
    assert kl_divergence(*exps).tolist() == kl_divergence(p, q).tolist()
    with pytest.raises(NotImplementedError, match="transforms"):
        kl_divergence(exps[0], TransformedDistribution(q, [AffineTransform(0, 2)]))


def test_a_pair_without_a_rule_is_refused_with_what_would_help():
    with pytest.raises(NotImplementedError, match="register_kl"):
        kl_divergence(Normal(0.0, 1.0), distributions.Poisson(1.0))


def test_the_nearest_rule_is_taken_and_a_tie_is_said():
    class Left(Normal):
        """A subclass."""

    class Right(Normal):
        """Another one."""

    rules = dict(_RULES)
    try:
        assert float(kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0))) == 0
        register_kl(Left, Normal)(lambda p, q: "left")
        assert kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)) == "left"
        register_kl(Normal, Right)(lambda p, q: "right")
        with pytest.warns(RuntimeWarning, match="ambiguous"):
            assert kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)) == "left"
        register_kl(Left, Right)(lambda p, q: "both")
        assert kl_divergence(Left(0.0, 1.0), Right(0.0, 1.0)) == "both"
    finally:
        _RULES.clear()
        _RULES.update(rules)
        register_kl(Normal, Normal)(rules[Normal, Normal])
    with pytest.raises(TypeError, match="type_q"):
        register_kl(Distribution, int)


def test_gradients_reach_the_natural_parameters_of_both():
    def divergence(first, second):
        covariances = (minigrad.tensor(numpy.eye(2) * scale) for scale in (1.0, 2.0))
        p, q = (distributions.Wishart(df, c) for df, c in zip((first, second), covariances))
        return kl_divergence(p, q)

    dfs = tuple(minigrad.tensor(df, dtype="float64", requires_grad=True) for df in (4.0, 5.0))
    assert float(divergence(*dfs)) > 0.1
    assert minigrad.autograd.gradcheck(divergence, dfs)
