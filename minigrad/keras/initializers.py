"""First values of weights: Keras's names and conventions over `nn.init`.

An initializer fills a parameter in place, as the function of `nn.init` that it stands for does, so
`GlorotUniform().fill_(linear.weight, view)` draws the very numbers of
`nn.init.xavier_uniform_(linear.weight)`. `view` turns a parameter in torch's layout into a view of
it in Keras's; fans are counted in the latter. Called with a shape of Keras's, an initializer makes
a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import minigrad
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.lookup import Lookup
from minigrad.modes import no_grad
from minigrad.nn import init
from minigrad.random import Generator

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal",
    "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "compute_fans", "constant",
    "deserialize", "fill_", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform",
    "identity", "lecun_normal", "lecun_uniform", "ones", "orthogonal", "random_normal",
    "random_uniform", "serialize", "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

# The standard deviation of a standard normal cut off at -2 and 2.
_TRUNCATED_STD = 0.87962566103423978


def unchanged(tensor: Any) -> Any:
    """The view of a weight whose layout is the same in torch and Keras."""
    return tensor


def kernel_view(tensor: Any) -> Any:
    """Keras's view (..., in, out) of a torch weight (out, in, ...); other ranks as they are."""
    if tensor.ndim < 2:
        return tensor
    return tensor.permute(*range(2, tensor.ndim), 1, 0)


def compute_fans(shape: Any) -> tuple[int, int]:
    """The inputs of one output and the outputs of one input, for a shape of Keras's.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class Initializer:
    """What gives a weight its first values; a subclass has `fill_`, or overrides `__call__`."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it; `view` gives Keras's layout of it."""
        target = view(parameter.detach())
        with no_grad():
            target.copy_(_checked(self, self(tuple(target.shape), target.dtype), target))
        return parameter

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """A new tensor of this shape, in Keras's layout (..., in, out)."""
        if type(self).fill_ is Initializer.fill_:
            raise ArgumentError(
                f"{type(self).__name__} says nothing of how weights start; write "
                f"`def __call__(self, shape, dtype=None): ...` in it"
            )
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        torch_shape = (shape[-1], shape[-2], *shape[:-2]) if len(shape) > 1 else shape
        made = minigrad.empty(*torch_shape, dtype=dtype)
        self.fill_(made, kernel_view)
        return kernel_view(made)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The initializer of these arguments."""
        return cls(**config)

    def clone(self) -> Self:
        """An equal initializer."""
        return type(self).from_config(self.get_config())


class Constant(Initializer):
    """One number everywhere."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = float(value)

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.constant_(parameter, self.value)

    def get_config(self) -> dict[str, Any]:
        """The number."""
        return {"value": self.value}


class Zeros(Initializer):
    """Zeros."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.zeros_(parameter)


class Ones(Initializer):
    """Ones."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.ones_(parameter)


class Identity(Initializer):
    """The identity matrix times `gain`."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a matrix in place and return it."""
        init.eye_(parameter)
        if self.gain != 1:
            with no_grad():
                parameter.mul_(self.gain)
        return parameter

    def get_config(self) -> dict[str, Any]:
        """The factor."""
        return {"gain": self.gain}


class _Random(Initializer):
    """An initializer that draws; with a seed every call draws the same numbers."""

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def generator(self) -> Any:
        """The generator of the seed, at its start; None, the default one, without a seed."""
        return None if self.seed is None else Generator().manual_seed(self.seed)


class RandomNormal(_Random):
    """Normal."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.normal_(parameter, self.mean, self.stddev, generator=self.generator())

    def get_config(self) -> dict[str, Any]:
        """The mean, standard deviation and seed."""
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class TruncatedNormal(RandomNormal):
    """Normal, with values further than two standard deviations from the mean drawn again."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        reach = 2 * self.stddev
        return init.trunc_normal_(
            parameter, self.mean, self.stddev, self.mean - reach, self.mean + reach,
            generator=self.generator(),
        )  # fmt: skip


class RandomUniform(_Random):
    """Uniform in [minval, maxval)."""

    def __init__(
        self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None
    ) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        return init.uniform_(parameter, self.minval, self.maxval, generator=self.generator())

    def get_config(self) -> dict[str, Any]:
        """The interval and the seed."""
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


_MODES = ("fan_in", "fan_out", "fan_avg")
_DISTRIBUTIONS = ("truncated_normal", "untruncated_normal", "uniform")


class VarianceScaling(_Random):
    """Variance `scale / n`, with n the inputs, the outputs or their mean, by `mode`.

    `distribution` is "truncated_normal", "untruncated_normal" or "uniform". The Glorot, He and
    LeCun initializers are cases of it. Source: He et al. 2015.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
    ) -> None:
        if scale <= 0:
            raise ArgumentError(f"VarianceScaling(): scale must be positive, got {scale}")
        if mode not in _MODES:
            raise ArgumentError(f"VarianceScaling(): mode must be one of {_MODES}, got {mode!r}")
        distribution = "truncated_normal" if distribution == "normal" else distribution
        if distribution not in _DISTRIBUTIONS:
            raise ArgumentError(
                f"VarianceScaling(): distribution must be one of {_DISTRIBUTIONS}, got "
                f"{distribution!r}"
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        inputs, outputs = compute_fans(view(parameter.detach()).shape)
        gain, generator = math.sqrt(self.scale), self.generator()
        # In the words of nn.init's formulas, so that the last bit agrees with them.
        if self.mode == "fan_avg":
            fans = max(2, inputs + outputs)
            bound, std = gain * math.sqrt(6.0 / fans), gain * math.sqrt(2.0 / fans)
        else:
            std = gain / math.sqrt(max(1, inputs if self.mode == "fan_in" else outputs))
            bound = math.sqrt(3.0) * std
        if self.distribution == "uniform":
            return init.uniform_(parameter, -bound, bound, generator)
        if self.distribution == "untruncated_normal":
            return init.normal_(parameter, 0.0, std, generator)
        std /= _TRUNCATED_STD
        return init.trunc_normal_(parameter, 0.0, std, -2 * std, 2 * std, generator)

    def get_config(self) -> dict[str, Any]:
        """The scale, mode, distribution and seed."""
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "seed": self.seed,
        }


class _Scaled(VarianceScaling):
    """A case of VarianceScaling that has only a seed to choose."""

    case: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.case, seed=seed)

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


class GlorotUniform(_Scaled):
    """Uniform within sqrt(6 / (inputs + outputs)); `nn.init.xavier_uniform_`."""

    case = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal of variance 2 / (inputs + outputs) (Glorot and Bengio 2010)."""

    case = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform within sqrt(6 / inputs); `nn.init.kaiming_uniform_(nonlinearity="relu")`."""

    case = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal of variance 2 / inputs (He et al. 2015)."""

    case = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform within sqrt(3 / inputs); `nn.init.kaiming_uniform_(nonlinearity="linear")`."""

    case = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal of variance 1 / inputs (LeCun et al. 1998)."""

    case = (1.0, "fan_in", "truncated_normal")


class Orthogonal(_Random):
    """A (semi-)orthogonal matrix times `gain`, the last dimension against the rest.

    Source: Saxe et al. 2014.
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it."""
        target = view(parameter.detach())
        if target.ndim < 2:
            raise ArgumentError(
                f"Orthogonal(): the weight must have at least 2 dimensions, got shape "
                f"{tuple(target.shape)}"
            )
        if target.shape[-1] == parameter.shape[0]:
            return init.orthogonal_(parameter, self.gain, generator=self.generator())
        # The outputs are not the first dimension of this parameter, as orthogonal_ takes them.
        columns = math.prod(target.shape[:-1])
        matrix = minigrad.empty(target.shape[-1], columns, dtype=target.dtype)
        init.orthogonal_(matrix, self.gain, generator=self.generator())
        with no_grad():
            target.copy_(matrix.T.reshape(target.shape))
        return parameter

    def get_config(self) -> dict[str, Any]:
        """The factor and the seed."""
        return {"gain": self.gain, "seed": self.seed}


class Given(Initializer):
    """Values that are given, in Keras's layout."""

    def __init__(self, values: Any) -> None:
        self.values = minigrad.as_tensor(values)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The values; the shape must be theirs."""
        if tuple(shape) != tuple(self.values.shape):
            raise ArgumentError(
                f"initializer: the given values have shape {tuple(self.values.shape)} and the "
                f"weight has shape {tuple(shape)}"
            )
        return minigrad.as_tensor(self.values, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The values as nested lists."""
        return {"values": self.values.tolist()}


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


def fill_(initializer: Any, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
    """Fill a parameter in place by what `get` returned, and return it.

    `view` gives Keras's layout of the parameter, for a user's own callable `f(shape, dtype)`.
    """
    if isinstance(initializer, Initializer):
        return initializer.fill_(parameter, view)
    target = view(parameter.detach())
    with no_grad():
        values = initializer(tuple(target.shape), dtype=target.dtype)
        target.copy_(_checked(initializer, values, target))
    return parameter


def draws_in_place(initializer: Any) -> bool:
    """Whether an initializer fills a parameter in torch's layout, and not by Keras's shape."""
    return isinstance(initializer, Initializer) and type(initializer).fill_ is not Initializer.fill_


def _checked(initializer: Any, values: Any, target: Any) -> Any:
    """The values that an initializer gave as a tensor, if they have the weight's shape."""
    values = minigrad.as_tensor(values, dtype=target.dtype).to(target.device)
    if tuple(values.shape) != tuple(target.shape):
        name = getattr(initializer, "__name__", type(initializer).__name__)
        raise ArgumentError(
            f"initializer {name} gave values of shape {tuple(values.shape)} for a weight of shape "
            f"{tuple(target.shape)}"
        )
    return values


def serialize(initializer: Any) -> Any:
    """A configuration that `get` takes back."""
    return LOOKUP.to_config(initializer)


def deserialize(config: Any) -> Any:
    """The initializer that `serialize` gave this for."""
    return get(config)
