"""Normalisation layers."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.errors import ArgumentError
from minigrad.modes import recomputing
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.creation import empty, ones, zeros

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
]


class _ChannelNorm(Module):
    """Normalisation with a scale, a shift and running statistics for each channel."""

    dims: ClassVar[tuple[int, ...]]
    layout: ClassVar[str]
    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        made = {"device": device, "dtype": dtype}
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(empty(num_features, **made)) if affine else None
        self.bias = Parameter(empty(num_features, **made)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, **made) if tracked else None)
        self.register_buffer("running_var", ones(num_features, **made) if tracked else None)
        count = zeros((), dtype="int64", device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Scale one, shift zero, no statistics."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check(self, input: Any) -> None:
        if input.ndim not in self.dims:
            raise ArgumentError(
                f"{type(self).__name__}: the input must be {self.layout}, got shape "
                f"{list(input.shape)}"
            )

    def extra_repr(self) -> str:
        """The fields of the layer."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class _BatchNorm(_ChannelNorm):
    def forward(self, input: Any) -> Any:
        """The input, each channel at mean zero and variance one, scaled and shifted."""
        self._check(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        tracked = self.track_running_stats
        if self.training and tracked and not recomputing.get():
            self.num_batches_tracked.add_(1)
            if self.momentum is None:
                momentum = 1.0 / self.num_batches_tracked.item()
        return F.batch_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not tracked,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of [N, C] or [N, C, L] (Ioffe and Szegedy 2015).

    While training it uses the batch's mean and variance and moves the running ones by `momentum`
    (None: their plain average); in evaluation mode it uses the running ones.
    """

    dims = (2, 3)
    layout = "[N, C] or [N, C, L]"


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of [N, C, H, W]; see BatchNorm1d."""

    dims = (4,)
    layout = "[N, C, H, W]"


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of [N, C, D, H, W]; see BatchNorm1d."""

    dims = (5,)
    layout = "[N, C, D, H, W]"


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias
        )

    def forward(self, input: Any) -> Any:
        """The input, each channel of each sample at mean zero and variance one."""
        self._check(input)
        if input.ndim < max(self.dims):
            return self._normalise(input.unsqueeze(0)).squeeze(0)
        return self._normalise(input)

    def _normalise(self, input: Any) -> Any:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample of [N, C, L] (Ulyanov et al. 2016)."""

    dims = (2, 3)
    layout = "[N, C, L] or [C, L]"


class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each sample of [N, C, H, W]."""

    dims = (3, 4)
    layout = "[N, C, H, W] or [C, H, W]"


class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each sample of [N, C, D, H, W]."""

    dims = (4, 5)
    layout = "[N, C, D, H, W] or [C, D, H, W]"


class _LastDims(Module):
    """Normalisation over the last dimensions, whose sizes are `normalized_shape`."""

    eps: Any
    elementwise_affine: bool

    def _shape(self, normalized_shape: Any) -> tuple[int, ...]:
        one = isinstance(normalized_shape, int)
        return (normalized_shape,) if one else tuple(normalized_shape)

    def extra_repr(self) -> str:
        """The fields of the layer."""
        return f"{self.normalized_shape}, eps={self.eps}, {self._affine_repr()}"

    def _affine_repr(self) -> str:
        return f"elementwise_affine={self.elementwise_affine}"

    normalized_shape: tuple[int, ...]


class LayerNorm(_LastDims):
    """Mean zero and variance one over the last dimensions, scaled and shifted (Ba et al. 2016)."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        made = {"device": device, "dtype": dtype}
        self.normalized_shape = self._shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        scaled, shifted = elementwise_affine, elementwise_affine and bias
        self.weight = Parameter(empty(*self.normalized_shape, **made)) if scaled else None
        self.bias = Parameter(empty(*self.normalized_shape, **made)) if shifted else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale one, shift zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _affine_repr(self) -> str:
        return f"{super()._affine_repr()}, bias={self.bias is not None}"

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_LastDims):
    """The input over its root mean square in the last dimensions (Zhang and Sennrich 2019)."""

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        self.normalized_shape = self._shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = {"device": device, "dtype": dtype}
        scaled = elementwise_affine
        self.weight = Parameter(empty(*self.normalized_shape, **made)) if scaled else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale one."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)


class GroupNorm(Module):
    """Normalises groups of channels of each sample (Wu and He 2018)."""

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        if num_channels % num_groups:
            raise ArgumentError(
                f"GroupNorm(): num_channels={num_channels} cannot be split in "
                f"num_groups={num_groups} equal parts"
            )
        made = {"device": device, "dtype": dtype}
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = Parameter(empty(num_channels, **made)) if affine else None
        self.bias = Parameter(empty(num_channels, **made)) if affine and bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale one, shift zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """The fields of the layer."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """Divides by a power of the sum of squares of neighbouring channels (Krizhevsky 2012)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    fields = ("size", "alpha", "beta", "k")

    def forward(self, input: Any) -> Any:
        """The normalised input."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)
