"""The base of all distributions: shapes, validation of parameters and values, what may be asked."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import minigrad
from minigrad.distributions import constraints
from minigrad.distributions.parameters import lazy_property
from minigrad.errors import ArgumentError

_SHOWN = 5
"""So many offending values are shown."""


class Distribution:
    """A family of distributions over a batch of parameters: [batch] of events [event].

    A sample has the shape sample_shape + batch_shape + event_shape. Subclasses name their
    parameters in `_parameters`, with the number of event dimensions that each has, and give
    `arg_constraints` and `support`.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    arg_constraints: ClassVar[Any] = None
    support: ClassVar[Any] = None
    _parameters: ClassVar[Any] = {}
    _validate_args = __debug__

    def __init__(
        self, batch_shape: Any = (), event_shape: Any = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape = minigrad.Size(batch_shape)
        self._event_shape = minigrad.Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Switch the checks of parameters and values on or off for what is made from now on."""
        if value not in (True, False):
            raise ArgumentError(
                f"set_default_validate_args(): argument 'value' is {value!r}; give True or False"
            )
        Distribution._validate_args = value

    def _check_parameters(self) -> None:
        if self.arg_constraints is None:
            warnings.warn(
                f"{type(self).__name__} has no arg_constraints, so its parameters go unchecked; "
                "give it arg_constraints = {...}, or validate_args=False",
                stacklevel=4,
            )
            return
        for name, constraint in self.arg_constraints.items():
            lazy = isinstance(getattr(type(self), name, None), lazy_property)
            if constraints.is_dependent(constraint) or (lazy and name not in self.__dict__):
                continue
            value = getattr(self, name)
            valid = constraint.check(value)
            if not bool(valid.all()):
                raise ArgumentError(
                    f"{type(self).__name__}(): argument '{name}' of shape {list(value.shape)} must "
                    f"satisfy {constraint!r}, but it holds {_offending(value, valid)}"
                )

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its batch expanded to this shape, without copying."""
        new = self._get_checked_instance(self._owner(), _instance)
        shape = minigrad.Size(batch_shape)
        for name, event_dims in self._parameters.items():
            value = self.__dict__.get(name)
            if isinstance(value, minigrad.Tensor):
                kept = tuple(value.shape)[value.ndim - event_dims :]
                value = value.expand((*shape, *kept))
            if name in self.__dict__:
                new.__dict__[name] = value
        Distribution.__init__(new, shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _owner(self) -> Any:
        """The class that says which the parameters are."""
        return next(kind for kind in type(self).__mro__ if "_parameters" in vars(kind))

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        if _instance is None and (cls is Distribution or type(self).__init__ is not cls.__init__):
            raise NotImplementedError(
                f"{type(self).__name__} has an __init__ of its own and must define expand() too"
            )
        return type(self).__new__(type(self)) if _instance is None else _instance

    @property
    def batch_shape(self) -> Any:
        """The shape over which parameters are batched."""
        return self._batch_shape

    @property
    def event_shape(self) -> Any:
        """The shape of one sample of one set of parameters."""
        return self._event_shape

    @property
    def mean(self) -> Any:
        """The mean, [batch + event]."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Any:
        """The likeliest value, [batch + event]."""
        raise self._lacks("mode")

    @property
    def variance(self) -> Any:
        """The variance, [batch + event]."""
        raise self._lacks("variance")

    @property
    def stddev(self) -> Any:
        """The standard deviation, [batch + event]."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Any:
        """Draw without recording, [sample_shape + batch + event]."""
        with minigrad.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Any:
        """Draw such that gradients reach the parameters, [sample_shape + batch + event]."""
        raise self._lacks("rsample()", "; sample() draws without gradients")

    def sample_n(self, n: int) -> Any:
        """Draw n times, [n + batch + event]; `sample((n,))` does the same."""
        return self.sample((n,))

    def log_prob(self, value: Any) -> Any:
        """The logarithm of the density or probability of a value, [batch]."""
        raise self._lacks("log_prob()")

    def cdf(self, value: Any) -> Any:
        """The probability of a number at most `value`."""
        raise self._lacks("cdf()")

    def icdf(self, value: Any) -> Any:
        """The number that has the probability `value` at or below it."""
        raise self._lacks("icdf()")

    def enumerate_support(self, expand: bool = True) -> Any:
        """All values of a discrete distribution, along dimension 0.

        The shape is [values] + batch + event, or without `expand` with ones for the batch.
        """
        raise self._lacks("enumerate_support()")

    def entropy(self) -> Any:
        """The entropy in nats, [batch]."""
        raise self._lacks("entropy()")

    def perplexity(self) -> Any:
        """The exponential of the entropy, [batch]."""
        return minigrad.exp(self.entropy())

    def _lacks(self, what: str, instead: str = "") -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} has no {what}{instead}")

    def _extended_shape(self, sample_shape: Any = ()) -> Any:
        return minigrad.Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _enumerated(self, values: Any, expand: bool) -> Any:
        """Numbers along dimension 0, before dimensions for the batch."""
        values = values.reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand((-1, *self._batch_shape)) if expand else values

    def _validate_sample(self, value: Any) -> None:
        """Raise ArgumentError for a value of another shape, or outside the support."""
        name = type(self).__name__
        if not isinstance(value, minigrad.Tensor):
            raise ArgumentError(
                f"{name}: argument 'value' must be a Tensor, not {type(value).__name__}; "
                f"for example minigrad.tensor({value!r})"
            )
        shape, expected = tuple(value.shape), (*self._batch_shape, *self._event_shape)
        events = len(self._event_shape)
        pairs = zip(reversed(shape), reversed(expected))
        fits = all(a == b or 1 in (a, b) for a, b in pairs)
        if not fits or shape[len(shape) - events :] != tuple(self._event_shape):
            raise ArgumentError(
                f"{name}: argument 'value' has shape {list(shape)}, which does not fit batch "
                f"{list(self._batch_shape)} of events {list(self._event_shape)}"
            )
        if self.support is None:
            warnings.warn(
                f"{name} has no support, so values go unchecked; give it one, or "
                "validate_args=False",
                stacklevel=3,
            )
            return
        valid = self.support.check(value)
        if not bool(valid.all()):
            raise ArgumentError(
                f"{name}: argument 'value' of shape {list(shape)} must lie in the support "
                f"{self.support!r}, but it holds {_offending(value, valid)}"
            )

    def __repr__(self) -> str:
        shown = []
        for name in self.arg_constraints or ():
            value = self.__dict__.get(name)
            if isinstance(value, minigrad.Tensor):
                text = f"{value.item():g}" if value.numel() == 1 else f"{value.shape}"
                shown.append(f"{name}: {text}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _offending(value: Any, valid: Any) -> str:
    """The first of the elements, or events, that a constraint refused."""
    value, valid = value.detach(), valid.detach()
    events = value.ndim - valid.ndim
    if events < 0 or tuple(value.shape[: valid.ndim]) != tuple(valid.shape):
        value = value.broadcast_to((*valid.shape, *value.shape[value.ndim - max(events, 0) :]))
    refused = value[valid.logical_not()].tolist()
    text = ", ".join(f"{item}" for item in refused[:_SHOWN])
    return text if len(refused) <= _SHOWN else f"{text} and {len(refused) - _SHOWN} more"
