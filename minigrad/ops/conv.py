"""Convolutions and transposed convolutions of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from minigrad import kernels
from minigrad.errors import ArgumentError, DtypeError
from minigrad.ops.convolution import convolution, convolution_input_grad
from minigrad.ops.pad import pad_constant
from minigrad.ops.windows import LAYOUTS, Sizes, batched, per_dimension, same_dtype

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
]


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve signals (N, C, L) or (C, L) with filters (O, C / groups, K).

    `padding` is a number of zeros on both sides, 'valid' (none) or 'same' (stride 1 keeps L).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve images (N, C, H, W) or (C, H, W) with filters (O, C / groups, KH, KW).

    `padding` is a number of zeros on both sides, 'valid' (none) or 'same' (stride 1 keeps H, W).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.

    >>> import minigrad
    >>> minigrad.conv2d(minigrad.ones(1, 1, 3, 3), minigrad.ones(1, 1, 2, 2))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve volumes (N, C, D, H, W) or (C, D, H, W) with filters (O, C / groups, KD, KH, KW).

    `padding` is a number of zeros on both sides, 'valid' (none) or 'same' (stride 1 keeps sizes).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.
    """
    return _convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv1d`: signals (N, C, L) and filters (C, O / groups, K).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.
    """
    return _transpose(
        "conv_transpose1d",
        1,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv2d`: images (N, C, H, W) and filters (C, O / groups, KH, KW).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.
    """
    return _transpose(
        "conv_transpose2d",
        2,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of `conv3d`: volumes (N, C, D, H, W), filters (C, O / groups, KD, KH, KW).

    Raises ArgumentError for shapes that do not fit, DtypeError where dtypes differ.
    """
    return _transpose(
        "conv_transpose3d",
        3,
        input,
        weight,
        bias,
        stride,
        padding,
        output_padding,
        groups,
        dilation,
    )


def _convolve(
    operation: str,
    dims: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    input, had_batch = _checked(operation, dims, input, weight, bias, groups)
    filters, channels, *kernel = weight.shape
    if input.shape[1] != channels * groups:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has {input.shape[1]} "
            f"channels; argument 'weight' of shape {list(weight.shape)} with groups={groups} "
            f"expects {channels * groups}"
        )
    if filters % groups:
        raise ArgumentError(
            f"{operation}(): the {filters} filters of argument 'weight' do not divide into "
            f"groups={groups}"
        )
    _check_bias(operation, bias, filters)
    steps = per_dimension(operation, "stride", stride, dims, 1)
    gaps = per_dimension(operation, "dilation", dilation, dims, 1)
    if isinstance(padding, str):
        input, edges = _named_padding(operation, padding, input, tuple(kernel), steps, gaps)
    else:
        edges = per_dimension(operation, "padding", padding, dims, 0)
    sizes = tuple(input.shape[2:])
    count = kernels.output_sizes(sizes, tuple(kernel), steps, edges, gaps)
    if min(count) < 1 or min(kernel) < 1:
        raise ArgumentError(
            f"{operation}(): a kernel of size {kernel} and dilation {gaps} does not fit into "
            f"argument 'input' of shape {list(input.shape)} with padding {edges}"
        )
    out = convolution(
        input,
        weight,
        bias,
        stride=steps,
        padding=edges,
        dilation=gaps,
        groups=groups,
        count=count,
    )
    return out if had_batch else out[0]


def _transpose(
    operation: str,
    count: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    input, had_batch = _checked(operation, count, input, weight, bias, groups)
    channels, filters, *kernel = weight.shape
    if input.shape[1] != channels:
        raise ArgumentError(
            f"{operation}(): argument 'input' of shape {list(input.shape)} has {input.shape[1]} "
            f"channels; argument 'weight' of shape {list(weight.shape)} expects {channels}"
        )
    if channels % groups:
        raise ArgumentError(
            f"{operation}(): the {channels} input channels of argument 'weight' do not divide "
            f"into groups={groups}"
        )
    _check_bias(operation, bias, filters * groups)
    steps = per_dimension(operation, "stride", stride, count, 1)
    gaps = per_dimension(operation, "dilation", dilation, count, 1)
    edges = per_dimension(operation, "padding", padding, count, 0)
    extra = per_dimension(operation, "output_padding", output_padding, count, 0)
    if any(more >= step and more >= gap for more, step, gap in zip(extra, steps, gaps)):
        raise ArgumentError(
            f"{operation}(): argument 'output_padding' must be smaller than stride or dilation, "
            f"got output_padding {extra}, stride {steps}, dilation {gaps}"
        )
    size = tuple(
        (n - 1) * step - 2 * pad + gap * (k - 1) + more + 1
        for n, step, pad, gap, k, more in zip(input.shape[2:], steps, edges, gaps, kernel, extra)
    )
    if min(size) < 1:
        raise ArgumentError(
            f"{operation}(): argument 'padding' {edges} leaves nothing of the output: "
            f"its sizes would be {size}"
        )
    out = convolution_input_grad(
        input, weight, bias, size=size, stride=steps, padding=edges, dilation=gaps, groups=groups
    )
    return out if had_batch else out[0]


def _checked(
    operation: str, count: int, input: Any, weight: Any, bias: Any, groups: int
) -> tuple[Any, bool]:
    """The batched input and whether it was; dtypes, dimensions and groups checked."""
    input, had_batch = batched(operation, input, count, LAYOUTS[count])
    if getattr(weight, "ndim", None) != count + 2:
        shape = list(weight.shape) if hasattr(weight, "shape") else type(weight).__name__
        raise ArgumentError(
            f"{operation}(): argument 'weight' must have {count + 2} dimensions, got {shape}"
        )
    if input.dtype.kind == "b":
        raise DtypeError(
            f"{operation}(): argument 'input' must be numbers, got bool; convert it first, for "
            f"example input.float()"
        )
    same_dtype(operation, input, weight=weight, bias=bias)
    if type(groups) is not int or groups < 1:
        raise ArgumentError(
            f"{operation}(): argument 'groups' must be a positive integer, got {groups!r}"
        )
    return input, had_batch


def _check_bias(operation: str, bias: Any, filters: int) -> None:
    if bias is not None and tuple(bias.shape) != (filters,):
        raise ArgumentError(
            f"{operation}(): argument 'bias' must have shape [{filters}], one value for each "
            f"output channel, got {list(bias.shape)}"
        )


def _named_padding(
    operation: str, padding: str, input: Any, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> tuple[Any, Sizes]:
    """The padding that 'same' or 'valid' stands for; what it has more behind is added here."""
    if padding == "valid":
        return input, (0,) * len(kernel)
    if padding != "same":
        raise ArgumentError(
            f"{operation}(): argument 'padding' must be numbers, 'same' or 'valid', got {padding!r}"
        )
    if any(step != 1 for step in stride):
        raise ArgumentError(
            f"{operation}(): padding='same' needs stride 1, got stride {stride}; give the "
            f"padding as numbers"
        )
    totals = tuple(gap * (k - 1) for gap, k in zip(dilation, kernel))
    if any(total % 2 for total in totals):
        widths = ((0, 0), (0, 0), *((0, total % 2) for total in totals))
        input = pad_constant(input, widths=widths, value=0)
    return input, tuple(total // 2 for total in totals)
