"""Transposed convolutions, which enlarge: the gradients of convolutions as layers of their own."""

from __future__ import annotations

from typing import Any

from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras import regularizers
from minigrad.keras.layers.convolution import Windowed, kernel_axes
from minigrad.keras.layers.layout import (
    channels_back,
    channels_first,
    check_image,
    each,
    positive,
    reach,
    spatial,
    with_spatial,
)
from minigrad.keras.layers.options import keep, options
from minigrad.nn import functional as F

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose",
    "Convolution2DTranspose", "Convolution3DTranspose",
]  # fmt: skip

_MODULES: dict[int, Any] = {
    1: nn.ConvTranspose1d,
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
_FUNCTIONS: dict[int, Any] = {
    1: F.conv_transpose1d,
    2: F.conv_transpose2d,
    3: F.conv_transpose3d,
}


class _ConvTranspose(Windowed):
    """A transposed convolution with TensorFlow's paddings."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self._window(kernel_size, strides, padding, data_format, dilation_rate, activation)
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = each(self, "output_padding", output_padding, self.dims, 0)
            for cells, step in zip(self.output_padding, self.strides):
                if cells >= step:
                    raise ArgumentError(
                        f"{type(self).__name__}(): output_padding must be less than strides="
                        f"{self.strides}, got {self.output_padding}"
                    )
        self.use_bias = use_bias
        keep(self, "kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        keep(self, "bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias."""
        channels = self._channels(input_shape)
        self.conv = _MODULES[self.dims](
            channels,
            self.filters,
            self.kernel_size,
            stride=self.strides,
            dilation=self.dilation_rate,
            bias=self.use_bias,
            dtype=self.dtype,
        )
        self.kernel = self.track(
            self.conv, "weight", "kernel", axes=kernel_axes(self.dims), **options(self, "kernel")
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.track(self.conv, "bias", "bias", **options(self, "bias"))

    def call(self, inputs: Any) -> Any:
        """The activation of the enlarged feature maps."""
        x = channels_first(inputs, self.data_format)
        cuts, extra, wanted = [], [], []
        for axis, size in enumerate(x.shape[2:]):
            cut, target = self._place(axis, size)
            span = reach(self.kernel_size[axis], self.dilation_rate[axis])
            # nn crops both ends alike and adds to the end: crop the start's part of the whole
            # transposed convolution, add what then misses, and cut what is too much below.
            whole = (size - 1) * self.strides[axis] + span - 2 * cut
            cuts.append(cut)
            extra.append(max(0, target - whole))
            wanted.append(target)
        maps = _FUNCTIONS[self.dims](
            x,
            self.conv.weight,
            self.conv.bias,
            self.strides,
            tuple(cuts),
            tuple(extra),
            1,
            self.dilation_rate,
        )
        if tuple(maps.shape[2:]) != tuple(wanted):
            maps = maps[(slice(None), slice(None), *(slice(size) for size in wanted))]
        return self.activation(channels_back(maps, self.data_format))

    def _place(self, axis: int, size: int) -> tuple[int, int]:
        """How much of the whole transposed convolution's start is cropped, and what size stays."""
        step, whole = self.strides[axis], reach(self.kernel_size[axis], self.dilation_rate[axis])
        extra = None if self.output_padding is None else self.output_padding[axis]
        if self.padding == "valid":
            extra = max(step - whole, 0) if extra is None else extra
            return 0, (size - 1) * step + whole + extra
        if extra is None:
            return max(0, (whole - step) // 2), size * step
        odd = whole % 2
        filled = whole + odd - 2 + extra
        return max(0, whole - 1 - (filled + 1) // 2), (size - 1) * step + odd + extra

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the feature maps."""
        check_image(self, input_shape, self.dims, self.data_format)
        sizes = [
            None if size is None else self._place(axis, size)[1]
            for axis, size in enumerate(spatial(input_shape, self.data_format))
        ]
        return with_spatial(input_shape, sizes, self.filters, self.data_format)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution of sequences; see Conv2DTranspose."""

    dims = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of images: (batch, height, width, channels) to (..., filters).

    kernel: (height, width, filters, channels), bias: (filters,). With padding="same" the output
    is `strides` times as large, with "valid" what the kernel reaches beyond that is added.

    >>> Conv2DTranspose(8, 3, strides=2, padding="same").compute_output_shape((None, 7, 7, 16))
    (None, 14, 14, 8)
    """

    dims = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of volumes; see Conv2DTranspose."""

    dims = 3


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
