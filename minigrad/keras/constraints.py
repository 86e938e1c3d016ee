"""What a weight is made to satisfy after each step of the optimizer."""

from __future__ import annotations

from typing import Any, Self

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.lookup import Lookup

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
    "min_max_norm", "non_neg", "serialize", "unit_norm",
]  # fmt: skip

_EPSILON = 1e-7


class Constraint:
    """A function of a weight, in Keras's layout of it, that gives the weight to go on with.

    A user's own one is a subclass or any callable `f(w)`.
    """

    def __call__(self, w: Any) -> Any:
        """The weight itself, unless a subclass says otherwise."""
        return w

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal constraint."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The constraint of these arguments."""
        return cls(**config)


def _norms(w: Any, axis: Any) -> Any:
    dims = [axis] if isinstance(axis, int) else list(axis)
    if not all(-w.ndim <= dim < w.ndim for dim in dims):
        raise ArgumentError(
            f"the constraint's axis {axis} does not exist in a weight of shape {tuple(w.shape)}"
        )
    return w.square().sum(dim=dims, keepdim=True).sqrt()


class MaxNorm(Constraint):
    """Norms along `axis` at most `max_value`; axis 0 is the inputs of each unit of a Dense layer.

    For the kernel of a convolution, (height, width, in, out), use axis=[0, 1, 2].

    >>> MaxNorm(1.0)(minigrad.tensor([[3.0, 0.1], [4.0, 0.0]]))
    tensor([[0.6000, 0.1000],
            [0.8000, 0.0000]])
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight, long vectors shortened."""
        norms = _norms(w, self.axis)
        return w * (minigrad.clamp(norms, 0, self.max_value) / (_EPSILON + norms))

    def get_config(self) -> dict[str, Any]:
        """The largest norm and the axis."""
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No weight below 0."""

    def __call__(self, w: Any) -> Any:
        """The weight, negative numbers replaced by 0."""
        return minigrad.clamp(w, min=0)


class UnitNorm(Constraint):
    """Norms along `axis` equal to 1."""

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight over its norms."""
        return w / (_EPSILON + _norms(w, self.axis))

    def get_config(self) -> dict[str, Any]:
        """The axis."""
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms along `axis` moved by the fraction `rate` towards [min_value, max_value]."""

    def __init__(
        self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        """The weight, its vectors made longer or shorter."""
        norms = _norms(w, self.axis)
        inside = minigrad.clamp(norms, self.min_value, self.max_value)
        desired = self.rate * inside + (1 - self.rate) * norms
        return w * (desired / (_EPSILON + norms))

    def get_config(self) -> dict[str, Any]:
        """The interval, the rate and the axis."""
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


max_norm = MaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
min_max_norm = MinMaxNorm

LOOKUP = Lookup(
    "keras.constraints",
    "constraint",
    {
        "Constraint": Constraint,
        "MaxNorm": MaxNorm,
        "MinMaxNorm": MinMaxNorm,
        "NonNeg": NonNeg,
        "UnitNorm": UnitNorm,
        "max_norm": MaxNorm,
        "min_max_norm": MinMaxNorm,
        "non_neg": NonNeg,
        "unit_norm": UnitNorm,
    },
)


def get(identifier: Any) -> Any:
    """The constraint of a name, a configuration, a class or a callable; None stays None.

    Raises ArgumentError for an unknown name, with the nearest known ones.
    """
    return LOOKUP.get(identifier)


def serialize(constraint: Any) -> Any:
    """A configuration that `get` takes back."""
    return LOOKUP.to_config(constraint)


def deserialize(config: Any) -> Any:
    """The constraint that `serialize` gave this for."""
    return get(config)
