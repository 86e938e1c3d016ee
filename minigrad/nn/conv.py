"""Convolution layers and transposed ones, in 1, 2 and 3 dimensions."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import empty

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, dims: int) -> tuple[int, ...]:
    """One number for each spatial dimension."""
    return (value,) * dims if isinstance(value, int) else tuple(value)


class _Convolution(Module):
    """What all convolution layers share: the fields, the weight and the bias."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    def _build(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        made: dict[str, Any],
    ) -> None:
        name, dims = type(self).__name__, self.dims
        if groups < 1:
            raise ArgumentError(f"{name}(): groups must be at least 1, got {groups}")
        for what, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ArgumentError(
                    f"{name}(): {what}={channels} cannot be split in groups={groups} equal parts"
                )
        if padding_mode not in _PADDING_MODES:
            raise ArgumentError(
                f"{name}(): padding_mode must be one of {_PADDING_MODES}, got {padding_mode!r}"
            )
        if self.transposed and padding_mode != "zeros":
            raise ArgumentError(f"{name}(): only padding_mode='zeros' exists for it")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = _each(kernel_size, dims)
        self.stride = _each(stride, dims)
        self.padding: Any = padding if isinstance(padding, str) else _each(padding, dims)
        self.output_padding = _each(output_padding, dims)
        self.dilation = _each(dilation, dims)
        self.groups = groups
        self.padding_mode = padding_mode
        sides = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (sides[0], sides[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(*shape, **made))
        self.bias = Parameter(empty(out_channels, **made)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new values, uniform within 1/sqrt(inputs of one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The fields of the layer, those at their defaults left out."""
        parts = [str(self.in_channels), str(self.out_channels)]
        parts += [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        zeros, ones = (0,) * self.dims, (1,) * self.dims
        for field, default in (
            ("padding", zeros),
            ("dilation", ones),
            ("output_padding", zeros),
            ("groups", 1),
            ("padding_mode", "zeros"),
        ):
            value = getattr(self, field)
            if value != default:
                parts.append(f"{field}={value!r}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


class _Conv(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias,
            padding_mode, {"device": device, "dtype": dtype},
        )  # fmt: skip

    def _convolve(self, function: Any, input: Any) -> Any:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._border(), mode=self.padding_mode)
            padding = 0
        return function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )

    def _border(self) -> list[int]:
        """The padding as `pad` takes it: two numbers a dimension, the last dimension first."""
        border = []
        for axis in reversed(range(self.dims)):
            if self.padding == "same":
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
                border += [total // 2, total - total // 2]
            elif self.padding == "valid":
                border += [0, 0]
            else:
                border += [self.padding[axis], self.padding[axis]]
        return border


class Conv1d(_Conv):
    """Cross-correlation of [N, C, L] or [C, L] with kernels of [out, C / groups, k].

    `padding` is a number, "same" or "valid"; out length: (L + 2 p - d (k - 1) - 1) / s + 1.
    """

    dims = 1

    def forward(self, input: Any) -> Any:
        """The feature maps."""
        return self._convolve(F.conv1d, input)


class Conv2d(_Conv):
    """Cross-correlation of [N, C, H, W] or [C, H, W] with kernels of [out, C / groups, kh, kw].

    >>> import minigrad
    >>> Conv2d(3, 8, 3, padding=1)(minigrad.zeros(2, 3, 5, 5)).shape
    minigrad.Size([2, 8, 5, 5])
    """

    dims = 2

    def forward(self, input: Any) -> Any:
        """The feature maps."""
        return self._convolve(F.conv2d, input)


class Conv3d(_Conv):
    """Cross-correlation of [N, C, D, H, W] or [C, D, H, W] with 3-dimensional kernels."""

    dims = 3

    def forward(self, input: Any) -> Any:
        """The feature maps."""
        return self._convolve(F.conv3d, input)


class _ConvTranspose(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self._build(
            in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation,
            groups, bias, padding_mode, {"device": device, "dtype": dtype},
        )  # fmt: skip

    def _transpose(self, function: Any, input: Any, output_size: Any) -> Any:
        output_padding = self.output_padding
        if output_size is not None:
            output_padding = self._output_padding(input, tuple(output_size)[-self.dims :])
        return function(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            output_padding,
            self.groups,
            self.dilation,
        )

    def _output_padding(self, input: Any, wanted: tuple[int, ...]) -> tuple[int, ...]:
        """The output padding that gives the wanted spatial size."""
        result = []
        for axis, size in enumerate(wanted):
            least = (
                (input.shape[axis - self.dims] - 1) * self.stride[axis]
                - 2 * self.padding[axis]
                + self.dilation[axis] * (self.kernel_size[axis] - 1)
                + 1
            )
            if not least <= size < least + self.stride[axis]:
                raise ArgumentError(
                    f"{type(self).__name__}: output_size[{axis}]={size} cannot be reached; sizes "
                    f"from {least} to {least + self.stride[axis] - 1} can"
                )
            result.append(size - least)
        return tuple(result)


class ConvTranspose1d(_ConvTranspose):
    """The gradient of Conv1d with respect to its input, as a layer of its own."""

    dims = 1

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The feature maps."""
        return self._transpose(F.conv_transpose1d, input, output_size)


class ConvTranspose2d(_ConvTranspose):
    """The gradient of Conv2d with respect to its input, as a layer of its own."""

    dims = 2

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The feature maps."""
        return self._transpose(F.conv_transpose2d, input, output_size)


class ConvTranspose3d(_ConvTranspose):
    """The gradient of Conv3d with respect to its input, as a layer of its own."""

    dims = 3

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The feature maps."""
        return self._transpose(F.conv_transpose3d, input, output_size)
