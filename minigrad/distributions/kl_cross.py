"""Divergences between distributions of different families.

KL(p, q) is minus the entropy of p, less the mean of log q(x) for x from p. That mean asks of p a
few moments, the same for every p: of x, x ** 2, log x, log(1 - x) and exp(-t x).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import minigrad
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.beta import Beta
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.continuous_bernoulli import ContinuousBernoulli
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.gumbel import Gumbel
from minigrad.distributions.kl import register_kl
from minigrad.distributions.laplace import Laplace
from minigrad.distributions.normal import Normal
from minigrad.distributions.parameters import EULER_GAMMA
from minigrad.distributions.pareto import Pareto
from minigrad.distributions.poisson import Poisson
from minigrad.distributions.uniform import Uniform

Rule = Callable[[Any, Any], Any]


# The mean of log x.


def _mean_log(p: Any) -> Any:
    if isinstance(p, Beta):
        total = p.concentration1 + p.concentration0
        return minigrad.digamma(p.concentration1) - minigrad.digamma(total)
    if isinstance(p, Gamma):
        return minigrad.digamma(p.concentration) - p.rate.log()
    if isinstance(p, Exponential):
        return -EULER_GAMMA - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return _uniform_mean_log(p.low, p.high)


def _uniform_mean_log(low: Any, high: Any) -> Any:
    ends = minigrad.xlogy(high, high) - minigrad.xlogy(low, low)
    return ends / (high - low) - 1


# The mean of exp(-t x).


def _mean_exp(p: Any, t: Any) -> Any:
    if isinstance(p, Exponential):
        return p.rate / (p.rate + t)
    if isinstance(p, Gamma):
        return (-p.concentration * (t / p.rate).log1p()).exp()
    if isinstance(p, Normal):
        return (0.5 * (p.scale * t).square() - p.loc * t).exp()
    return ((-t * p.low).exp() - (-t * p.high).exp()) / (t * (p.high - p.low))


# The mean of log q(x).


def _in_exponential(p: Any, q: Any) -> Any:
    return q.rate.log() - q.rate * p.mean


def _in_gamma(p: Any, q: Any) -> Any:
    normalizer = q.concentration * q.rate.log() - minigrad.lgamma(q.concentration)
    return normalizer + (q.concentration - 1) * _mean_log(p) - q.rate * p.mean


def _in_normal(p: Any, q: Any) -> Any:
    squares = p.variance + (p.mean - q.loc).square()
    return -0.5 * squares / q.scale.square() - q.scale.log() - math.log(2 * math.pi) / 2


def _in_continuous_bernoulli(p: Any, q: Any) -> Any:
    return p.mean * q.logits + (-q.probs).log1p() + q._cont_bern_log_norm()


def _in_pareto(p: Any, q: Any) -> Any:
    return q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)


def _in_beta(p: Any, q: Any) -> Any:
    one, zero = q.concentration1, q.concentration0
    normalizer = minigrad.lgamma(one + zero) - minigrad.lgamma(one) - minigrad.lgamma(zero)
    rest = _uniform_mean_log(1 - p.high, 1 - p.low)
    return normalizer + (one - 1) * _mean_log(p) + (zero - 1) * rest


def _in_gumbel(p: Any, q: Any) -> Any:
    t = q.scale.reciprocal()
    return -q.scale.log() - (p.mean - q.loc) * t - _mean_exp(p, t) * (q.loc * t).exp()


def _in_uniform(p: Any, q: Any) -> Any:
    return -(q.high - q.low).log()


def _divergence(mean_log_density: Rule) -> Rule:
    return lambda p, q: -p.entropy() - mean_log_density(p, q)


_RULES: dict[Any, Rule] = {
    Beta: _in_beta,
    ContinuousBernoulli: _in_continuous_bernoulli,
    Exponential: _in_exponential,
    Gamma: _in_gamma,
    Gumbel: _in_gumbel,
    Normal: _in_normal,
    Pareto: _in_pareto,
    Uniform: _in_uniform,
}

_EVERYWHERE: dict[Any, tuple[Any, ...]] = {
    Beta: (ContinuousBernoulli, Exponential, Gamma, Normal),
    ContinuousBernoulli: (Exponential, Normal),
    Exponential: (Gamma, Gumbel, Normal),
    Gamma: (Exponential, Gumbel, Normal),
    Gumbel: (Normal,),
    Laplace: (Normal,),
    Normal: (Gumbel,),
    Pareto: (Exponential, Gamma, Normal),
    Uniform: (Gumbel, Normal),
}
"""Pairs of which q gives a density to all that p may draw."""

for _p, _others in _EVERYWHERE.items():
    for _q in _others:
        register_kl(_p, _q)(_divergence(_RULES[_q]))

_NOWHERE: dict[Any, tuple[Any, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gamma: (Beta, ContinuousBernoulli, Pareto, Uniform),
    Gumbel: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Laplace: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Uniform),
    Poisson: (Bernoulli, Binomial),
}
"""Pairs of which p may draw what q never does: infinitely far apart."""


def _infinite(p: Any, q: Any) -> Any:
    shape = minigrad.broadcast_shapes(tuple(p.batch_shape), tuple(q.batch_shape))
    like = p.mean
    return minigrad.full(shape, math.inf, dtype=like.dtype, device=like.device)


for _p, _others in _NOWHERE.items():
    for _q in _others:
        register_kl(_p, _q)(_infinite)


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _unit_interval_uniform(p: Any, q: Any) -> Any:
    outside = (q.low > 0) | (q.high < 1)
    return minigrad.where(outside, math.inf, _divergence(_in_uniform)(p, q))


def _uniform_inside(p: Any, low: Any, high: Any, rule: Rule, q: Any) -> Any:
    """A divergence of a uniform p, infinite where p leaves the interval from `low` to `high`."""
    outside = (p.low < low) | (p.high > high)
    # There the rule is asked of another interval, so that no logarithm spoils the gradients.
    middle = minigrad.where(outside, low + 0.5, p.low)
    end = minigrad.where(outside, low + 0.75, p.high)
    inside = Uniform(middle, end, validate_args=False)
    return minigrad.where(outside, math.inf, _divergence(rule)(inside, q))


@register_kl(Uniform, Beta)
def _uniform_beta(p: Any, q: Any) -> Any:
    return _uniform_inside(p, 0.0, 1.0, _in_beta, q)


@register_kl(Uniform, ContinuousBernoulli)
def _uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    return _uniform_inside(p, 0.0, 1.0, _in_continuous_bernoulli, q)


@register_kl(Uniform, Exponential)
def _uniform_exponential(p: Any, q: Any) -> Any:
    return _uniform_inside(p, 0.0, math.inf, _in_exponential, q)


@register_kl(Uniform, Gamma)
def _uniform_gamma(p: Any, q: Any) -> Any:
    return _uniform_inside(p, 0.0, math.inf, _in_gamma, q)


@register_kl(Uniform, Pareto)
def _uniform_pareto(p: Any, q: Any) -> Any:
    return _uniform_inside(p, q.scale, math.inf, _in_pareto, q)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


@register_kl(Normal, Laplace)
def _normal_laplace(p: Any, q: Any) -> Any:
    # The mean distance from q's middle is that of a folded normal number.
    shift = p.loc - q.loc
    standard = shift / p.scale
    spread = p.scale * math.sqrt(2 / math.pi) * (-0.5 * standard.square()).exp()
    distance = spread + shift * minigrad.erf(standard * math.sqrt(0.5))
    return (2 * q.scale).log() + distance / q.scale - p.entropy()
