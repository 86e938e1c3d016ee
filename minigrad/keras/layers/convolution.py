"""Convolutions over an nn.Conv that holds the weights, and what all convolutions share."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras import activations, regularizers
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
    image_spec,
    known_channels,
    positive,
    reach,
    same_pads,
    spatial,
    window_sizes,
    with_spatial,
)
from minigrad.keras.layers.options import keep, options
from minigrad.nn import functional as F

__all__ = [
    "Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D",
]  # fmt: skip

MODULES: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_FUNCTIONS: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


def kernel_axes(dims: int) -> tuple[int, ...]:
    """From torch's (out, in, ...) to Keras's (..., in, out)."""
    return (*range(2, dims + 2), 1, 0)


class Windowed(Layer):
    """What all convolutions share: the sizes of the window, the padding, and the weights' options.

    `dims` counts the spatial dimensions.
    """

    dims: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")

    def _window(
        self,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: Any,
        dilation_rate: Any,
        activation: Any,
    ) -> None:
        dims = self.dims
        self.kernel_size = each(self, "kernel_size", kernel_size, dims)
        self.strides = each(self, "strides", strides, dims)
        self.padding = choice(self, "padding", padding, self.paddings)
        self.data_format = format_of(self, data_format)
        self.dilation_rate = each(self, "dilation_rate", dilation_rate, dims)
        self.activation = activations.get(activation)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"{type(self).__name__}(): strides above 1 and dilation_rate above 1 cannot be "
                f"combined, got strides={self.strides} and dilation_rate={self.dilation_rate}"
            )

    def _channels(self, input_shape: Any) -> int:
        """The number of channels that the weights are made for."""
        check_image(self, input_shape, self.dims, self.data_format)
        channels = known_channels(self, input_shape, channel_axis(self.data_format))
        self.input_spec = image_spec(self.dims, self.data_format, channels)
        return channels

    def _check_input(self, shape: Any) -> None:
        check_image(self, shape, self.dims, self.data_format)
        super()._check_input(shape)

    def _module(self, inputs: int, outputs: int, size: Any, groups: int, bias: bool) -> Any:
        """The nn module that holds a kernel and a bias."""
        if outputs % groups or inputs % groups:
            raise ArgumentError(
                f"layer '{self.name}' ({type(self).__name__}): groups={groups} must divide the "
                f"{inputs} channels of the input and the {outputs} filters"
            )
        return MODULES[self.dims](
            inputs,
            outputs,
            size,
            stride=self.strides,
            dilation=self.dilation_rate,
            groups=groups,
            bias=bias,
            dtype=self.dtype,
        )

    def _convolve(self, module: Any, x: Any) -> Any:
        """The convolution of channels-first inputs with the layer's own padding."""
        pads = self._pads(tuple(x.shape[2:]))
        edges: Any = 0
        if all(before == behind for before, behind in pads):
            edges = tuple(before for before, _ in pads)
        else:
            x = F.pad(x, flat_pads(pads))
        return _FUNCTIONS[self.dims](
            x, module.weight, module.bias, self.strides, edges, self.dilation_rate, module.groups
        )

    def _pads(self, sizes: Any) -> list[tuple[int, int]]:
        """The zeros before and behind each dimension."""
        if self.padding == "same":
            return same_pads(sizes, self.kernel_size, self.strides, self.dilation_rate)
        if self.padding == "causal":
            return [(reach(self.kernel_size[0], self.dilation_rate[0]) - 1, 0)]
        return [(0, 0)] * self.dims

    def _shape(self, input_shape: Any, filters: int) -> tuple[Any, ...]:
        """The shape of the output with that many channels."""
        check_image(self, input_shape, self.dims, self.data_format)
        sizes = window_sizes(
            self,
            spatial(input_shape, self.data_format),
            self.kernel_size,
            self.strides,
            self.dilation_rate,
            self.padding,
        )
        return with_spatial(input_shape, sizes, filters, self.data_format)


class _Conv(Windowed):
    """A convolution with `filters` kernels over all channels, or those of a group."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=regularizers.get(activity_regularizer), **kwargs)
        self.filters = positive(self, "filters", filters)
        self.groups = positive(self, "groups", groups)
        self._window(kernel_size, strides, padding, data_format, dilation_rate, activation)
        if self.filters % self.groups:
            raise ArgumentError(
                f"{type(self).__name__}(): groups={groups} must divide filters={filters}"
            )
        self.use_bias = use_bias
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = self._channels(input_shape)
        self.conv = self._module(
            channels, self.filters, self.kernel_size, self.groups, self.use_bias
        )
        self.kernel = self.track(
            self.conv,
            "weight",
            "kernel",
            axes=kernel_axes(self.dims),
            **options(self, "kernel"),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.track(
                self.conv,
                "bias",
                "bias",
                **options(self, "bias"),
            )

    def call(self, inputs: Any) -> Any:
        """The activation of the feature maps."""
        maps = self._convolve(self.conv, channels_first(inputs, self.data_format))
        return self.activation(channels_back(maps, self.data_format))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the feature maps."""
        return self._shape(input_shape, self.filters)


class Conv1D(_Conv):
    """Convolution of sequences: (batch, steps, channels) to (batch, new steps, filters).

    kernel: (kernel_size, channels / groups, filters), bias: (filters,). padding is "valid",
    "same" or "causal"; with "causal" a step sees itself and earlier ones only.
    """

    dims = 1
    paddings = ("valid", "same", "causal")


class Conv2D(_Conv):
    """Convolution of images: (batch, height, width, channels) to (..., filters).

    kernel: (height, width, channels / groups, filters), bias: (filters,). padding is "valid" or
    "same", TensorFlow's: the output has size ceil(size / stride), and an odd zero goes below and
    to the right. With data_format="channels_first" images are (batch, channels, height, width).

    >>> import minigrad
    >>> Conv2D(8, 3, activation="relu", padding="same")(minigrad.ones(2, 28, 28, 1)).shape
    minigrad.Size([2, 28, 28, 8])
    """

    dims = 2


class Conv3D(_Conv):
    """Convolution of volumes: (batch, depth, height, width, channels) to (..., filters)."""

    dims = 3


Convolution1D = Conv1D
Convolution2D = Conv2D
Convolution3D = Conv3D
