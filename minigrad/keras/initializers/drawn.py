"""Initializers that draw their numbers, from minigrad's generator or one of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.initializers.initializer import Initializer, compute_fans, unchanged
from minigrad.modes import no_grad
from minigrad.nn import init
from minigrad.random import Generator

__all__ = [
    "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform",
    "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
]  # fmt: skip

# The standard deviation of a standard normal cut off at -2 and 2.
_TRUNCATED_STD = 0.87962566103423978


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
