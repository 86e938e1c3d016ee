"""Convolutions of every channel by itself, alone or with a mixing of the channels behind them."""

from __future__ import annotations

from typing import Any

from minigrad.keras import regularizers
from minigrad.keras.layers.convolution import MODULES, Windowed, kernel_axes
from minigrad.keras.layers.layout import channel_axis, channels_back, channels_first, positive
from minigrad.keras.layers.options import keep, options

__all__ = [
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "SeparableConvolution1D", "SeparableConvolution2D",
]  # fmt: skip


class _Depthwise(Windowed):
    """Every channel convolved with `depth_multiplier` kernels of its own."""

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self._window(kernel_size, strides, padding, data_format, dilation_rate, activation)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        keep(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Make the kernels and the bias."""
        channels = self._channels(input_shape)
        self.depthwise, self.kernel = depthwise_kernel(self, channels, "kernel", self.use_bias)
        self.bias = None
        if self.use_bias:
            self.bias = self.track(
                self.depthwise,
                "bias",
                "bias",
                **options(self, "bias"),
            )

    def call(self, inputs: Any) -> Any:
        """The activation of the feature maps."""
        maps = self._convolve(self.depthwise, channels_first(inputs, self.data_format))
        return self.activation(channels_back(maps, self.data_format))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the feature maps."""
        channels = input_shape[channel_axis(self.data_format)]
        return self._shape(input_shape, channels and channels * self.depth_multiplier)


def depthwise_kernel(layer: Any, channels: int, name: str, bias: bool) -> tuple[Any, Any]:
    """The module of a depthwise convolution, and its kernel (..., channels, multiplier)."""
    dims, multiplier = layer.dims, layer.depth_multiplier
    module = layer._module(channels, channels * multiplier, layer.kernel_size, channels, bias)
    weight = layer.track(
        module,
        "weight",
        name,
        view=(channels, multiplier, *layer.kernel_size),
        axes=(*range(2, dims + 2), 0, 1),
        **options(layer, "depthwise"),
    )
    return module, weight


class DepthwiseConv1D(_Depthwise):
    """Depthwise convolution of sequences (batch, steps, channels)."""

    dims = 1


class DepthwiseConv2D(_Depthwise):
    """Depthwise convolution of images: (batch, height, width, channels) to (..., channels * m).

    kernel: (height, width, channels, m) with m = depth_multiplier, bias: (channels * m,).
    """

    dims = 2


class _Separable(Windowed):
    """A depthwise convolution and one of size 1 over the channels behind it."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.filters = positive(self, "filters", filters)
        self._window(kernel_size, strides, padding, data_format, dilation_rate, activation)
        self.depth_multiplier = positive(self, "depth_multiplier", depth_multiplier)
        self.use_bias = use_bias
        keep(self, "depthwise", depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        keep(self, "pointwise", pointwise_initializer, pointwise_regularizer, pointwise_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        channels = self._channels(input_shape)
        self.depthwise, self.depthwise_kernel = depthwise_kernel(
            self, channels, "depthwise_kernel", False
        )
        self.pointwise = MODULES[self.dims](
            channels * self.depth_multiplier,
            self.filters,
            1,
            bias=self.use_bias,
            dtype=self.dtype,
        )
        self.pointwise_kernel = self.track(
            self.pointwise,
            "weight",
            "pointwise_kernel",
            axes=kernel_axes(self.dims),
            **options(self, "pointwise"),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.track(
                self.pointwise,
                "bias",
                "bias",
                **options(self, "bias"),
            )

    def call(self, inputs: Any) -> Any:
        """The activation of the feature maps."""
        maps = self._convolve(self.depthwise, channels_first(inputs, self.data_format))
        return self.activation(channels_back(self.pointwise(maps), self.data_format))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the feature maps."""
        return self._shape(input_shape, self.filters)


class SeparableConv1D(_Separable):
    """Separable convolution of sequences; see SeparableConv2D. padding may be "causal"."""

    dims = 1
    paddings = ("valid", "same", "causal")


class SeparableConv2D(_Separable):
    """Each channel convolved by itself, then all mixed: (batch, height, width, channels).

    depthwise_kernel: (height, width, channels, m), pointwise_kernel: (1, 1, channels * m,
    filters), bias: (filters,). Source: Chollet, "Xception", 2017.
    """

    dims = 2


SeparableConvolution1D = SeparableConv1D
SeparableConvolution2D = SeparableConv2D
