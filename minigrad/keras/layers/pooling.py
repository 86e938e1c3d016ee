"""Pooling: the maximum or mean of windows, or of everything."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy

import minigrad
from minigrad import nn
from minigrad.keras.layers.base import Layer
from minigrad.keras.layers.layout import (
    channel_axis,
    channels_back,
    channels_first,
    check_image,
    choice,
    each,
    flat_pads,
    format_of,
    same_pads,
    spatial,
    window_sizes,
    with_spatial,
)
from minigrad.nn import functional as F

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D",
    "AvgPool3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D",
    "GlobalMaxPool2D", "GlobalMaxPool3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "MaxPool1D", "MaxPool2D",
    "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip

_MAX: dict[int, Any] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_MEAN: dict[int, Any] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_MODULES: dict[tuple[str, int], Any] = {
    ("max", 1): nn.MaxPool1d, ("max", 2): nn.MaxPool2d, ("max", 3): nn.MaxPool3d,
    ("mean", 1): nn.AvgPool1d, ("mean", 2): nn.AvgPool2d, ("mean", 3): nn.AvgPool3d,
}  # fmt: skip


class _Pooling(Layer):
    """Windows of `pool_size` every `strides` cells, of `dims` spatial dimensions."""

    dims: ClassVar[int]
    kind: ClassVar[str]
    keeps_dtype = True

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        dims = self.dims
        self.pool_size = each(self, "pool_size", pool_size, dims)
        self.strides = self.pool_size if strides is None else each(self, "strides", strides, dims)
        self.padding = choice(self, "padding", padding, ("valid", "same"))
        self.data_format = format_of(self, data_format)
        self.pool = _MODULES[self.kind, dims](self.pool_size, self.strides)

    def _check_input(self, shape: Any) -> None:
        check_image(self, shape, self.dims, self.data_format)

    def call(self, inputs: Any) -> Any:
        """The pooled inputs."""
        x = channels_first(inputs, self.data_format)
        pads = [(0, 0)] * self.dims
        if self.padding == "same":
            ones = (1,) * self.dims
            pads = same_pads(x.shape[2:], self.pool_size, self.strides, ones)
        if not any(behind for _, behind in pads):
            return channels_back(self.pool(x), self.data_format)
        return channels_back(self._padded(x, pads), self.data_format)

    def _padded(self, x: Any, pads: list[tuple[int, int]]) -> Any:
        """The pooled inputs, with cells around them that do not count."""
        border = flat_pads(pads)
        if self.kind == "max":
            low = -math.inf if x.dtype.kind == "f" else int(numpy.iinfo(x.dtype).min)
            return _MAX[self.dims](F.pad(x, border, value=low), self.pool_size, self.strides)
        if all(before == behind for before, behind in pads):
            edges = tuple(before for before, _ in pads)
            return _MEAN[self.dims](x, self.pool_size, self.strides, edges, count_include_pad=False)
        inside = minigrad.ones(1, 1, *x.shape[2:], dtype=x.dtype, device=x.device)
        part = _MEAN[self.dims](F.pad(inside, border), self.pool_size, self.strides)
        return _MEAN[self.dims](F.pad(x, border), self.pool_size, self.strides) / part

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape with fewer cells."""
        check_image(self, input_shape, self.dims, self.data_format)
        ones = (1,) * self.dims
        sizes = spatial(input_shape, self.data_format)
        counts = window_sizes(self, sizes, self.pool_size, self.strides, ones, self.padding)
        channels = input_shape[channel_axis(self.data_format)]
        return with_spatial(input_shape, counts, channels, self.data_format)


class MaxPooling1D(_Pooling):
    """The largest of every `pool_size` steps of (batch, steps, channels)."""

    dims, kind = 1, "max"


class MaxPooling2D(_Pooling):
    """The largest of every window of (batch, height, width, channels).

    `strides` is the pool_size unless given. With padding="same" the output has size
    ceil(size / stride), and cells outside the image do not count.

    >>> MaxPooling2D((2, 2)).compute_output_shape((None, 28, 28, 16))
    (None, 14, 14, 16)
    """

    dims, kind = 2, "max"


class MaxPooling3D(_Pooling):
    """The largest of every window of (batch, depth, height, width, channels)."""

    dims, kind = 3, "max"


class AveragePooling1D(_Pooling):
    """The mean of every `pool_size` steps of (batch, steps, channels)."""

    dims, kind = 1, "mean"


class AveragePooling2D(_Pooling):
    """The mean of every window of (batch, height, width, channels); see MaxPooling2D."""

    dims, kind = 2, "mean"


class AveragePooling3D(_Pooling):
    """The mean of every window of (batch, depth, height, width, channels)."""

    dims, kind = 3, "mean"


class _GlobalPooling(Layer):
    """One number for each channel: (batch, ..., channels) to (batch, channels)."""

    dims: ClassVar[int]
    kind: ClassVar[str]
    keeps_dtype = True

    def __init__(
        self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = format_of(self, data_format)
        self.keepdims = keepdims

    def _check_input(self, shape: Any) -> None:
        check_image(self, shape, self.dims, self.data_format)

    def call(self, inputs: Any) -> Any:
        """The maximum or mean over all cells."""
        first = 1 if self.data_format == "channels_last" else 2
        axes = tuple(range(first, first + self.dims))
        if self.kind == "max":
            return minigrad.amax(inputs, axes, keepdim=self.keepdims)
        return inputs.mean(axes, keepdim=self.keepdims)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """(batch, channels)."""
        check_image(self, input_shape, self.dims, self.data_format)
        channels = input_shape[channel_axis(self.data_format)]
        if not self.keepdims:
            return (input_shape[0], channels)
        return with_spatial(input_shape, (1,) * self.dims, channels, self.data_format)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest step of each channel: (batch, steps, channels) to (batch, channels)."""

    dims, kind = 1, "max"


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest cell of each channel: (batch, height, width, channels) to (batch, channels)."""

    dims, kind = 2, "max"


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest cell of each channel of volumes."""

    dims, kind = 3, "max"


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean over the steps: (batch, steps, channels) to (batch, channels)."""

    dims, kind = 1, "mean"


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel: (batch, height, width, channels) to (batch, channels)."""

    dims, kind = 2, "mean"


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel of volumes."""

    dims, kind = 3, "mean"


MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D
AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool3D = GlobalAveragePooling3D
