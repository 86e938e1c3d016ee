"""The Kullback-Leibler divergence: which rule is for which pair of distributions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from minigrad.distributions.distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

_RULES: dict[tuple[Any, Any], Callable[[Any, Any], Any]] = {}
_FOUND: dict[tuple[Any, Any], Callable[[Any, Any], Any] | None] = {}


def register_kl(
    type_p: Any, type_q: Any
) -> Callable[[Callable[[Any, Any], Any]], Callable[[Any, Any], Any]]:
    """A decorator that registers a function of p and q as the divergence of two classes.

    It serves subclasses too. Where the nearest rule for p and the nearest for q differ, a rule
    for the pair settles which one is meant.
    """
    for name, kind in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(kind, type) or not issubclass(kind, Distribution):
            raise TypeError(
                f"register_kl(): argument '{name}' must be a subclass of Distribution, not {kind!r}"
            )

    def decorator(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        _RULES[type_p, type_q] = function
        _FOUND.clear()
        return function

    return decorator


def _find(type_p: Any, type_q: Any) -> Callable[[Any, Any], Any] | None:
    """The rule for the nearest classes, p's first; a warning where q's first says otherwise."""
    distances = {
        (type_p.__mro__.index(p), type_q.__mro__.index(q)): rule
        for (p, q), rule in _RULES.items()
        if issubclass(type_p, p) and issubclass(type_q, q)
    }
    if not distances:
        return None
    by_p = distances[min(distances)]
    by_q = distances[min(distances, key=lambda distance: distance[::-1])]
    if by_p is not by_q:
        warnings.warn(
            f"kl_divergence({type_p.__name__}, {type_q.__name__}) is ambiguous; settle it with "
            f"@register_kl({type_p.__name__}, {type_q.__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return by_p


def kl_divergence(p: Any, q: Any) -> Any:
    """The divergence of q from p, the mean of log(p(x) / q(x)) for x from p: [batch].

    Raises NotImplementedError where no rule is registered for the pair.

    >>> import minigrad
    >>> from minigrad.distributions import Normal, kl_divergence
    >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
    tensor(0.5000)
    """
    pair = (type(p), type(q))
    if pair not in _FOUND:
        _FOUND[pair] = _find(*pair)
    rule = _FOUND[pair]
    if rule is None:
        raise NotImplementedError(
            f"kl_divergence(): no rule for {type(p).__name__} and {type(q).__name__}; register one "
            f"with @register_kl({type(p).__name__}, {type(q).__name__}), or average "
            "p.log_prob(x) - q.log_prob(x) over samples x of p"
        )
    return rule(p, q)
