"""Divergences between two distributions of one family."""

from __future__ import annotations

import math
from typing import Any

import minigrad
from minigrad.distributions.bernoulli import Bernoulli
from minigrad.distributions.beta import Beta
from minigrad.distributions.binomial import Binomial
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.cauchy import Cauchy
from minigrad.distributions.continuous_bernoulli import ContinuousBernoulli
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.exp_family import ExponentialFamily
from minigrad.distributions.exponential import Exponential
from minigrad.distributions.gamma import Gamma
from minigrad.distributions.geometric import Geometric
from minigrad.distributions.gumbel import Gumbel
from minigrad.distributions.half_normal import HalfNormal
from minigrad.distributions.independent import Independent
from minigrad.distributions.kl import kl_divergence, register_kl
from minigrad.distributions.laplace import Laplace
from minigrad.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from minigrad.distributions.multivariate_normal import (
    MultivariateNormal,
    log_diagonal,
    solved_columns,
)
from minigrad.distributions.normal import Normal
from minigrad.distributions.one_hot_categorical import OneHotCategorical
from minigrad.distributions.parameters import EULER_GAMMA, sum_rightmost
from minigrad.distributions.pareto import Pareto
from minigrad.distributions.poisson import Poisson
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.uniform import Uniform
from minigrad.errors import ArgumentError
from minigrad.linalg import solve_triangular
from minigrad.ops.activation import softplus


def _weighted(p: Any, q: Any, difference: Any) -> Any:
    """A probability of p times a difference of logarithms: 0 where p is 0, else inf where q is."""
    never, surely = p == 0, (q == 0) & (p != 0)
    product = p * minigrad.where(never | surely, 0, difference)
    return minigrad.where(surely, math.inf, product)


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Any:
    def soft(x: Any) -> Any:
        return softplus(x, threshold=math.inf)

    ones = _weighted(p.probs, q.probs, soft(-q.logits) - soft(-p.logits))
    return ones + _weighted(1 - p.probs, 1 - q.probs, soft(q.logits) - soft(p.logits))


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Any:
    return _weighted(p.probs, q.probs, p.logits - q.logits).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Any:
    return _categorical(p._categorical, q._categorical)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Any:
    if bool((p.total_count < q.total_count).any()):
        raise NotImplementedError(
            "kl_divergence(): between Binomials there is no closed form where q.total_count is "
            "above p.total_count"
        )
    each = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return minigrad.where(p.total_count > q.total_count, math.inf, p.total_count * each)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Any:
    # A rate of 0 weighs its logarithm with 0.
    return minigrad.xlogy(p.rate, p.rate) - minigrad.xlogy(p.rate, q.rate) - (p.rate - q.rate)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Any:
    mine = p._cont_bern_log_norm() + (-p.probs).log1p()
    other = q._cont_bern_log_norm() + (-q.probs).log1p()
    return p.mean * (p.logits - q.logits) + mine - other


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Any:
    total_p, total_q = p.concentration.sum(-1), q.concentration.sum(-1)
    totals = minigrad.lgamma(total_p) - minigrad.lgamma(total_q)
    parts = (minigrad.lgamma(p.concentration) - minigrad.lgamma(q.concentration)).sum(-1)
    logs = minigrad.digamma(p.concentration) - minigrad.digamma(total_p).unsqueeze(-1)
    return totals - parts + ((p.concentration - q.concentration) * logs).sum(-1)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Any:
    return _dirichlet(p._pair, q._pair)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Any:
    normalizers = minigrad.lgamma(q.concentration) - minigrad.lgamma(p.concentration)
    slope = (p.concentration - q.concentration) * minigrad.digamma(p.concentration)
    rates = q.concentration * (p.rate / q.rate).log() + (q.rate - p.rate) * p.mean
    return normalizers + slope + rates


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    shift = (q.loc - p.loc) / q.scale
    spread = (shift + minigrad.lgamma(1 + ratio)).exp()
    return ratio * EULER_GAMMA - ratio.log() - shift + spread - (1 + EULER_GAMMA)


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).square()
    shift = ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (ratio + shift - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Any:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc).abs()
    return distance / q.scale + ratio * (-distance / p.scale).exp() - 1 - ratio.log()


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Any:
    """F. Chyzak and F. Nielsen, "A closed-form formula for the KL divergence of Cauchy", 2019."""
    apart = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return apart.log() - (4 * p.scale * q.scale).log()


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    result = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return minigrad.where(p.scale < q.scale, math.inf, result)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Any:
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return minigrad.where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Any:
    """The Bregman divergence of the log normaliser between the natural parameters."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"kl_divergence(): no rule for {type(p).__name__} and {type(q).__name__}, which are "
            "different exponential families; register one with @register_kl, or average "
            "p.log_prob(x) - q.log_prob(x) over samples x of p"
        )
    naturals, normalizer, slopes = p._normalizer_and_slopes()
    others = q._natural_params
    result = q._log_normalizer(*others) - normalizer
    for mine, other, slope in zip(naturals, others, slopes):
        events = mine.ndim - len(p.batch_shape)
        result = result - sum_rightmost((other - mine) * slope, events)
    return result


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            f"kl_divergence(): between {type(p).__name__} and {type(q).__name__} there is a rule "
            "only where their transforms and events are equal"
        )
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "kl_divergence(): between Independents there is a rule only where their "
            "reinterpreted_batch_ndims are equal"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


def _check_events(p: Any, q: Any) -> None:
    if p.event_shape != q.event_shape:
        raise ArgumentError(
            f"kl_divergence(): events of p have shape {list(p.event_shape)} and of q "
            f"{list(q.event_shape)}; they must be equal"
        )


def _log_determinant(normal: Any) -> Any:
    if isinstance(normal, LowRankMultivariateNormal):
        return normal._log_determinant()
    return 2 * log_diagonal(normal._unbroadcasted_scale_tril)


def _distance(normal: Any, difference: Any) -> Any:
    if isinstance(normal, LowRankMultivariateNormal):
        return normal._distance(difference)
    return solved_columns(normal._unbroadcasted_scale_tril, difference)


def _roots(normal: Any) -> list[Any]:
    """Matrices whose products with their transposes sum to the covariance."""
    if isinstance(normal, LowRankMultivariateNormal):
        diagonal = normal._unbroadcasted_cov_diag.sqrt().diag_embed()
        return [normal._unbroadcasted_cov_factor, diagonal]
    return [normal._unbroadcasted_scale_tril]


def _trace(q: Any, root: Any) -> Any:
    """The trace of q's inverse covariance times root @ root.mT."""
    if isinstance(q, LowRankMultivariateNormal):
        scaled = root * q._unbroadcasted_cov_diag.rsqrt().unsqueeze(-1)
        return scaled.square().sum((-2, -1)) - (q._whitened() @ root).square().sum((-2, -1))
    factor = q._unbroadcasted_scale_tril
    lead = minigrad.broadcast_shapes(tuple(factor.shape[:-2]), tuple(root.shape[:-2]))
    factor, root = (x.expand((*lead, *x.shape[-2:])) for x in (factor, root))
    return solve_triangular(factor, root, upper=False).square().sum((-2, -1))


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Any:
    _check_events(p, q)
    determinants = _log_determinant(q) - _log_determinant(p)
    trace = sum(_trace(q, root) for root in _roots(p))
    return 0.5 * (determinants + trace + _distance(q, q.loc - p.loc) - p.event_shape[0])
