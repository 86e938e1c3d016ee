"""autograd.scipy.stats: densities by SciPy's names, over minigrad.distributions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import distributions
from minigrad.distributions import Distribution
from minigrad.numpy.base import floating
from minigrad.numpy.elementwise import exp, log

__all__ = [
    "beta", "chi2", "dirichlet", "gamma", "multivariate_normal", "norm", "poisson", "t",
]  # fmt: skip


def _tensor(value: Any) -> Any:
    """A value as a plain Tensor, which has the methods that distributions call."""
    return floating(value).to_tensor()


class Law:
    """A family of distributions: functions of a place and of SciPy's parameters.

    `made` makes the distribution of the parameters; with `moves`, the last two, `loc` and `scale`,
    shift and stretch it.
    """

    def __init__(
        self, name: str, made: Callable[..., Distribution], parameters: int, moves: bool = True
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.made = made
        self.parameters = parameters
        self.moves = moves

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def _placed(self, x: Any, args: Any, named: Any) -> tuple[Any, Any, Any]:
        """The place in units of the scale, the distribution, and the scale or None."""
        args = list(args)
        shapes = [_tensor(value) for value in args[: self.parameters]]
        loc, scale = [*args[self.parameters :], None, None][:2]
        loc, scale = named.pop("loc", loc), named.pop("scale", scale)
        shapes += [_tensor(value) for value in named.values()]
        x = floating(x)
        if not self.moves and (loc is not None or scale is not None):
            raise TypeError(f"{self.__name__}: it takes no loc or scale")
        x = x if loc is None else x - floating(loc)
        scale = None if scale is None else floating(scale)
        return (x if scale is None else x / scale), self.made(*shapes), scale

    def logpdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the density."""
        x, law, scale = self._placed(x, args, named)
        found = floating(law.log_prob(_tensor(x)))
        return found if scale is None else found - log(scale)

    def pdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The density."""
        return exp(self.logpdf(x, *args, **named))

    def cdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of what is at most `x`; NotImplementedError where none is known."""
        x, law, _ = self._placed(x, args, named)
        return floating(law.cdf(_tensor(x)))

    def logcdf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of `cdf`."""
        return log(self.cdf(x, *args, **named))

    def sf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The probability of what is above `x`."""
        return 1.0 - self.cdf(x, *args, **named)

    def logsf(self, x: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of `sf`."""
        return log(self.sf(x, *args, **named))

    def entropy(self, *args: Any, **named: Any) -> Any:
        """The differential entropy."""
        _, law, scale = self._placed(0.0, args, named)
        found = floating(law.entropy())
        return found if scale is None else found + log(scale)


class Counts(Law):
    """A family of distributions on whole numbers."""

    def logpmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The logarithm of the probability of `k`."""
        return self.logpdf(k, *args, **named)

    def pmf(self, k: Any, *args: Any, **named: Any) -> Any:
        """The probability of `k`."""
        return self.pdf(k, *args, **named)


def _gaussian(mean: Any = 0.0, cov: Any = 1.0) -> Distribution:
    mean, cov = _tensor(mean), _tensor(cov)
    mean = mean if mean.ndim else mean[None]
    cov = cov if cov.ndim else cov[None, None]
    return distributions.MultivariateNormal(mean, cov, validate_args=False)


norm = Law("norm", lambda: distributions.Normal(_tensor(0.0), _tensor(1.0), False), 0)
beta = Law("beta", lambda a, b: distributions.Beta(a, b, False), 2)
gamma = Law("gamma", lambda a: distributions.Gamma(a, _tensor(1.0), False), 1)
chi2 = Law("chi2", lambda df: distributions.Chi2(df, False), 1)
t = Law("t", lambda df: distributions.StudentT(df, _tensor(0.0), _tensor(1.0), False), 1)
poisson = Counts("poisson", lambda mu: distributions.Poisson(mu, False), 1)
dirichlet = Law("dirichlet", lambda alpha: distributions.Dirichlet(alpha, False), 1, False)
multivariate_normal = Law("multivariate_normal", _gaussian, 2, False)
