"""Pooling layers of other kinds: by norms, over drawn windows, and max pooling undone."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.ops.fractional import check_outputs
from minigrad.ops.windows import per_dimension

__all__ = [
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _LPPool(Module):
    fields = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _pool(self, function: Any, input: Any) -> Any:
        return function(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    """The `norm_type`-norm of each window of [N, C, L] or [C, L]."""

    def forward(self, input: Any) -> Any:
        """The norms."""
        return self._pool(F.lp_pool1d, input)


class LPPool2d(_LPPool):
    """The `norm_type`-norm of each window of [N, C, H, W] or [C, H, W]."""

    def forward(self, input: Any) -> Any:
        """The norms."""
        return self._pool(F.lp_pool2d, input)


class LPPool3d(_LPPool):
    """The `norm_type`-norm of each window of [N, C, D, H, W] or [C, D, H, W]."""

    def forward(self, input: Any) -> Any:
        """The norms."""
        return self._pool(F.lp_pool3d, input)


class _FractionalMaxPool(Module):
    dims: ClassVar[int]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:
        name = type(self).__name__
        self.kernel_size = per_dimension(name, "kernel_size", kernel_size, self.dims, 1)
        check_outputs(name, self.dims, output_size, output_ratio)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = output_size
        self.output_ratio = output_ratio

    def _pool(self, function: Any, input: Any) -> Any:
        return function(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,  # type: ignore[attr-defined]
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element of windows at drawn places of [N, C, H, W] or [C, H, W].

    Give either the `output_size` or the `output_ratio`. Source: Graham, "Fractional Max-Pooling",
    2014.
    """

    dims = 2

    def forward(self, input: Any) -> Any:
        """The maxima, with their places if `return_indices`."""
        return self._pool(F.fractional_max_pool2d, input)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest element of windows at drawn places of [N, C, D, H, W] or [C, D, H, W].

    Give either the `output_size` or the `output_ratio`.
    """

    dims = 3

    def forward(self, input: Any) -> Any:
        """The maxima, with their places if `return_indices`."""
        return self._pool(F.fractional_max_pool3d, input)


class _MaxUnpool(Module):
    fields = ("kernel_size", "stride", "padding")
    dims: ClassVar[int]

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        name = type(self).__name__
        self.kernel_size = per_dimension(name, "kernel_size", kernel_size, self.dims, 1)
        given = self.kernel_size if stride is None else stride
        self.stride = per_dimension(name, "stride", given, self.dims, 1)
        self.padding = per_dimension(name, "padding", padding, self.dims, 0)

    def _unpool(self, function: Any, input: Any, indices: Any, output_size: Any) -> Any:
        return function(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """Puts the maxima of MaxPool1d back where its indices say, among zeros."""

    dims = 1

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """The maxima at their places."""
        return self._unpool(F.max_unpool1d, input, indices, output_size)


class MaxUnpool2d(_MaxUnpool):
    """Puts the maxima of MaxPool2d back where its indices say, among zeros."""

    dims = 2

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """The maxima at their places."""
        return self._unpool(F.max_unpool2d, input, indices, output_size)


class MaxUnpool3d(_MaxUnpool):
    """Puts the maxima of MaxPool3d back where its indices say, among zeros."""

    dims = 3

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """The maxima at their places."""
        return self._unpool(F.max_unpool3d, input, indices, output_size)
