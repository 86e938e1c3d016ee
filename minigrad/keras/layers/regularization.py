"""Layers that act while training: dropout and noise; and penalties on what a layer gives."""

from __future__ import annotations

from math import sqrt
from typing import Any

import minigrad
from minigrad import nn
from minigrad.backend import device_of
from minigrad.errors import ArgumentError
from minigrad.keras import regularizers
from minigrad.keras.layers.base import InputSpec, Layer
from minigrad.keras.layers.layout import format_of, fraction
from minigrad.nn import functional as F
from minigrad.ops.dropout import masked
from minigrad.ops.windows import raw
from minigrad.random import Generator

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip


class _Random(Layer):
    """A layer that draws while training, from its own generator if it has a seed."""

    def __init__(self, seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self._generator = None if seed is None else Generator().manual_seed(seed)

    def _normal(self, inputs: Any) -> Any:
        """Standard normal numbers, one for each element."""
        return minigrad.empty_like(inputs).normal_(generator=self._generator)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


class Dropout(_Random):
    """In training, each element is zero with probability `rate`, the others times 1 / (1 - rate).

    `noise_shape`, with None for the lengths of the input, has 1 for the axes along which elements
    fall together. Source: Srivastava et al. 2014.
    """

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, **kwargs)
        self.rate = fraction(self, "rate", rate)
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.dropout = nn.Dropout(self.rate)

    def call(self, inputs: Any) -> Any:
        """The inputs, in training with elements dropped."""
        if not self.training or not self.rate:
            return inputs
        shape = self._noise_shape(tuple(inputs.shape))
        if shape is None and self._generator is None:
            return self.dropout(inputs)
        mask = drawn_mask(inputs, shape or tuple(inputs.shape), 1 - self.rate, self._generator)
        scale = 1 / (1 - self.rate) if self.rate < 1 else 0.0
        return masked(inputs, mask=mask, scale=scale)

    def _noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        if self.noise_shape is None:
            return None
        if len(self.noise_shape) != len(shape) or any(
            noise not in (None, 1, size) for noise, size in zip(self.noise_shape, shape)
        ):
            raise ArgumentError(
                f"layer '{self.name}' (Dropout): noise_shape {self.noise_shape} must have None, 1 "
                f"or its length for each axis of the input, of shape {shape}"
            )
        pairs = zip(self.noise_shape, shape)
        return tuple(size if noise is None else noise for noise, size in pairs)


def drawn_mask(inputs: Any, shape: tuple[int, ...], chance: float, generator: Any) -> Any:
    """A raw mask of this shape beside the inputs, each element true with this chance."""
    kept = minigrad.full(shape, chance, device=device_of(raw(inputs)))
    return minigrad.bernoulli(kept, generator=generator).bool().detach()._array


class _SpatialDropout(Dropout):
    """Dropout of whole channels."""

    dims: int

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = format_of(self, data_format)
        self.input_spec = InputSpec(ndim=self.dims + 2)

    def _noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        ones = (1,) * self.dims
        if self.data_format == "channels_last":
            return (shape[0], *ones, shape[-1])
        return (*shape[:2], *ones)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of (batch, steps, channels)."""

    dims = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of images (batch, height, width, channels) (Tompson 2014)."""

    dims = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole channels of volumes."""

    dims = 3


class GaussianNoise(_Random):
    """In training, normal numbers of standard deviation `stddev` added to the inputs."""

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        if not stddev >= 0:
            raise ArgumentError(f"GaussianNoise(): stddev must not be negative, got {stddev}")
        self.stddev = stddev

    def call(self, inputs: Any) -> Any:
        """The inputs, in training with noise."""
        if not self.training or not self.stddev:
            return inputs
        return inputs + self.stddev * self._normal(inputs)


class GaussianDropout(_Random):
    """In training, the inputs times normal numbers of mean 1 and variance rate / (1 - rate).

    Source: Srivastava et al. 2014.
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.rate = fraction(self, "rate", rate)
        if self.rate == 1:
            raise ArgumentError("GaussianDropout(): rate must be below 1")

    def call(self, inputs: Any) -> Any:
        """The inputs, in training with multiplied noise."""
        if not self.training or not self.rate:
            return inputs
        return inputs * (1 + sqrt(self.rate / (1 - self.rate)) * self._normal(inputs))


class AlphaDropout(_Random):
    """Dropout for SELU networks: it keeps zero mean and unit variance (Klambauer et al. 2017)."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(None, **kwargs)
        self.rate = fraction(self, "rate", rate)

    def call(self, inputs: Any) -> Any:
        """The inputs, in training with elements dropped."""
        return F.alpha_dropout(inputs, self.rate, self.training)


class ActivityRegularization(Layer):
    """The inputs themselves, with `l1 * sum(|x|) + l2 * sum(x^2)` over the batch in the loss."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape
