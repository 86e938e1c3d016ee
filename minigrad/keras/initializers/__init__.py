"""First values of weights: Keras's names and conventions over `nn.init`."""

from __future__ import annotations

from typing import Any

from minigrad.graph import Traced
from minigrad.keras.initializers.drawn import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
)
from minigrad.keras.initializers.fixed import Constant, Identity, Ones, Zeros
from minigrad.keras.initializers.initializer import (
    Given,
    Initializer,
    compute_fans,
    draws_in_place,
    fill_,
)
from minigrad.keras.lookup import Lookup

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "draws_in_place",
    "fill_",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]  # fmt: skip

zeros = Zeros
ones = Ones
constant = Constant
identity = Identity
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_uniform = GlorotUniform
glorot_normal = GlorotNormal
he_uniform = HeUniform
he_normal = HeNormal
lecun_uniform = LecunUniform
lecun_normal = LecunNormal

_CLASSES: tuple[type[Initializer], ...] = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal,
    LecunUniform, Ones, Orthogonal, RandomNormal, RandomUniform, TruncatedNormal,
    VarianceScaling, Zeros, Given,
)  # fmt: skip

LOOKUP = Lookup(
    "keras.initializers",
    "initializer",
    {
        **{found.__name__: found for found in _CLASSES},
        "normal": RandomNormal,
        "one": Ones,
        "uniform": RandomUniform,
        "zero": Zeros,
    },
)


def get(identifier: Any) -> Any:
    """The initializer of a name, configuration, class, callable or array; None stays None.

    A callable is `f(shape, dtype=None)` with a shape in Keras's layout; an array or tensor is the
    values themselves. Raises ArgumentError for an unknown name, with the nearest known ones.

    >>> get("he_normal").get_config()
    {'seed': None}
    """
    if isinstance(identifier, Traced) or hasattr(identifier, "__array__"):
        return Given(identifier)
    return LOOKUP.get(identifier)


def serialize(initializer: Any) -> Any:
    """A configuration that `get` takes back."""
    return LOOKUP.to_config(initializer)


def deserialize(config: Any) -> Any:
    """The initializer that `serialize` gave this for."""
    return get(config)
