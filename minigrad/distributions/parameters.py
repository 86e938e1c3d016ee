"""What distributions do to their parameters: broadcasting, probabilities and logits, laziness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.ops.fused import softmax

EULER_GAMMA = 0.57721566490153286060651209008240243


def is_number(value: Any) -> bool:
    """Whether a parameter is a Python number, and so has no shape of its own."""
    return isinstance(value, (bool, int, float))


def finfo(dtype: Any) -> Any:
    """NumPy's description of a floating dtype; that of `ml_dtypes` for bfloat16."""
    if dtype.name == "bfloat16":
        import ml_dtypes

        return ml_dtypes.finfo(dtype)
    return numpy.finfo(dtype)


def broadcast_all(*values: Any) -> tuple[Any, ...]:
    """Tensors of one shape; numbers take the dtype and device of the first tensor.

    Numbers alone become 0-d tensors of the default dtype. Raises ArgumentError for anything that
    is neither a Tensor nor a number.
    """
    like = None
    for value in values:
        if isinstance(value, minigrad.Tensor):
            like = value if like is None else like
        elif not is_number(value):
            raise ArgumentError(
                "a distribution's parameters must be Tensors or numbers, not "
                f"{type(value).__name__}; for example minigrad.tensor({value!r})"
            )
    dtype = minigrad.get_default_dtype() if like is None else like.dtype
    device = None if like is None else like.device
    tensors = [
        minigrad.tensor(value, dtype=dtype, device=device) if is_number(value) else value
        for value in values
    ]
    shape = tuple(minigrad.broadcast_shapes(*(tensor.shape for tensor in tensors)))
    # What has the shape is left as it is: a node would be freed by the first backward.
    return tuple(
        tensor if tuple(tensor.shape) == shape else tensor.expand(shape) for tensor in tensors
    )


def as_value(value: Any, like: Any) -> Any:
    """A value to be judged: a number as a tensor in the dtype of a parameter."""
    return like.new_tensor(float(value)) if is_number(value) else value


def exactly_one(distribution: str, **parameters: Any) -> None:
    """Raise ArgumentError unless one parameter, and no other, is given."""
    given = [name for name, value in parameters.items() if value is not None]
    if len(given) != 1:
        names = " or ".join(f"'{name}'" for name in parameters)
        found = " and ".join(f"'{name}'" for name in given) or "none of them"
        raise ArgumentError(f"{distribution}(): give exactly one of {names}; {found} was given")


def sum_rightmost(value: Any, count: int) -> Any:
    """The sum over so many dimensions at the end."""
    return value.sum(tuple(range(-count, 0))) if count else value


def logits_to_probs(logits: Any, is_binary: bool = False) -> Any:
    """Probabilities of log odds, or of unnormalised log probabilities in the last dimension."""
    return minigrad.sigmoid(logits) if is_binary else softmax(logits, -1)


def clamp_probs(probs: Any) -> Any:
    """Probabilities kept off 0 and 1 by the dtype's epsilon."""
    eps = float(finfo(probs.dtype).eps)
    return probs.clamp(eps, 1 - eps)


def probs_to_logits(probs: Any, is_binary: bool = False) -> Any:
    """Log odds of probabilities, or logarithms of those in the last dimension."""
    inside = clamp_probs(probs)
    if is_binary:
        return inside.log() - (-inside).log1p()
    return inside.log()


class lazy_property:
    """A property that is computed when first asked for, recorded, and then kept."""

    def __init__(self, wrapped: Callable[[Any], Any]) -> None:
        self.wrapped = wrapped
        self.__doc__ = wrapped.__doc__

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with minigrad.enable_grad():
            value = self.wrapped(instance)
        instance.__dict__[self.wrapped.__name__] = value
        return value


class Odds:
    """Parameters that are given either as probabilities or as logits; the other one follows."""

    is_binary = True

    def _take(self, probs: Any, logits: Any) -> None:
        """Keep what was given."""
        exactly_one(type(self).__name__, probs=probs, logits=logits)
        name = "logits" if probs is None else "probs"
        self.__dict__[name] = logits if probs is None else probs

    @lazy_property
    def logits(self) -> Any:
        """Log odds, or log probabilities in the last dimension."""
        return probs_to_logits(self.probs, is_binary=self.is_binary)

    @lazy_property
    def probs(self) -> Any:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=self.is_binary)

    @property
    def _param(self) -> Any:
        return self.probs if "probs" in self.__dict__ else self.logits

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter that was given."""
        return self._param.shape
