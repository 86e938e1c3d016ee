"""Penalties on weights or outputs that are added to the loss."""

from __future__ import annotations

import math
from typing import Any, Self

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.lookup import Lookup, plain

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "l1",
    "l1_l2", "l2", "orthogonal_regularizer", "serialize",
]  # fmt: skip


class Regularizer:
    """A function of a tensor, in Keras's layout of it, that gives a penalty: a scalar tensor."""

    def __call__(self, x: Any) -> Any:
        """The penalty, 0 unless a subclass says otherwise."""
        return minigrad.zeros((), dtype=x.dtype, device=x.device)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal regularizer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The regularizer of these arguments."""
        return cls(**config)


def _factor(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ArgumentError(
            f"{name}: a regularization factor is a number such as 0.01, got {value!r}"
        )
    if value < 0 or not math.isfinite(value):
        raise ArgumentError(
            f"{name}: a regularization factor is finite and not negative, got {value}"
        )
    return float(value)


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x^2)`.

    The string "l1_l2" means L1L2(l1=0.01, l2=0.01); the class has 0 for both.

    >>> L1L2(l1=0.5, l2=0.1)(minigrad.tensor([1.0, -2.0])).item()
    2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _factor("L1L2(): l1", l1 or 0.0)
        self.l2 = _factor("L1L2(): l2", l2 or 0.0)

    def __call__(self, x: Any) -> Any:
        """The penalty."""
        if self.l1 and self.l2:
            return self.l1 * x.abs().sum() + self.l2 * x.square().sum()
        if self.l1:
            return self.l1 * x.abs().sum()
        if self.l2:
            return self.l2 * x.square().sum()
        return super().__call__(x)

    def get_config(self) -> dict[str, Any]:
        """The two factors."""
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """`l1 * sum(|x|)`."""

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _factor("L1(): l1", l1)

    def __call__(self, x: Any) -> Any:
        """The penalty."""
        return self.l1 * x.abs().sum()

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x^2)`.

    Its gradient is `2 * l2 * x`: it does what an optimizer's `weight_decay=2 * l2` does in SGD.
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _factor("L2(): l2", l2)

    def __call__(self, x: Any) -> Any:
        """The penalty."""
        return self.l2 * x.square().sum()

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean |cosine| between the rows (or columns) of a matrix.

    Zero when they are orthogonal; `mode` is "rows" or "columns".
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        if mode not in ("rows", "columns"):
            raise ArgumentError(
                f"OrthogonalRegularizer(): mode must be 'rows' or 'columns', got {mode!r}"
            )
        self.factor = _factor("OrthogonalRegularizer(): factor", factor)
        self.mode = mode

    def __call__(self, x: Any) -> Any:
        """The penalty of a matrix."""
        if x.ndim != 2:
            raise ArgumentError(
                f"OrthogonalRegularizer: the weight must be a matrix, got shape {tuple(x.shape)}"
            )
        vectors = minigrad.nn.functional.normalize(x if self.mode == "rows" else x.T, dim=1)
        count = vectors.shape[0]
        if count < 2:
            return super().__call__(x)
        cosines = minigrad.matmul(vectors, vectors.T)
        pairs = count * (count - 1.0) / 2.0
        return self.factor * minigrad.triu(cosines, 1).abs().sum() / pairs

    def get_config(self) -> dict[str, Any]:
        """The factor and the mode."""
        return {"factor": self.factor, "mode": self.mode}


l1 = L1
l2 = L2
orthogonal_regularizer = OrthogonalRegularizer


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """`L1L2` with the defaults that its name as a string has."""
    return L1L2(l1, l2)


LOOKUP = Lookup(
    "keras.regularizers",
    "regularizer",
    {
        "L1": L1,
        "L2": L2,
        "L1L2": L1L2,
        "OrthogonalRegularizer": OrthogonalRegularizer,
        "Regularizer": Regularizer,
        "l1": L1,
        "l2": L2,
        "l1_l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
    },
)


def get(identifier: Any) -> Any:
    """The regularizer of a name, a configuration, a class or a callable; None stays None.

    Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> get("l2").get_config()
    {'l2': 0.01}
    """
    if isinstance(identifier, str) and plain(identifier) == "l1l2":
        return l1_l2()
    return LOOKUP.get(identifier)


def serialize(regularizer: Any) -> Any:
    """A configuration that `get` takes back."""
    return LOOKUP.to_config(regularizer)


def deserialize(config: Any) -> Any:
    """The regularizer that `serialize` gave this for."""
    return get(config)
