"""Layers that bring numbers to mean zero and variance one, each over its module of nn."""

from __future__ import annotations

from math import prod
from typing import Any

import minigrad
from minigrad import nn
from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import InputSpec, Layer
from minigrad.keras.layers.layout import known_channels
from minigrad.keras.layers.options import keep, options
from minigrad.nn import functional as F
from minigrad.ops.norm import move_statistic
from minigrad.ops.normalise import normalise

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization",
    "UnitNormalization",
]  # fmt: skip


class _Shaped(Layer):
    """A layer whose output has the shape of its input."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


def _place(owner: Any, axis: int, count: int) -> int:
    """The axis counted from the front; it may not be the batch."""
    if not -count <= axis < count or axis % count == 0:
        raise ArgumentError(
            f"layer '{owner.name}' ({type(owner).__name__}): axis {axis} must be one of the axes 1 "
            f"to {count - 1} of an input with {count} axes"
        )
    return axis % count


class BatchNormalization(_Shaped):
    """Mean zero and variance one of each channel over the batch, times gamma, plus beta.

    gamma, beta, moving_mean, moving_variance: (channels,). In training the batch's statistics are
    used and the moving ones become `momentum * old + (1 - momentum) * new`; otherwise, and where
    `trainable` is False, the moving ones are used. As in Keras the variance is the biased one, and
    a batch with one value for each channel gives beta. Source: Ioffe and Szegedy 2015.

    >>> import minigrad
    >>> BatchNormalization()(minigrad.zeros(2, 3)).shape
    minigrad.Size([2, 3])
    """

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not 0 <= momentum <= 1:
            raise ArgumentError(
                f"BatchNormalization(): momentum must be between 0 and 1, got {momentum}"
            )
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if not isinstance(axis, int):
            raise ArgumentError(
                f"BatchNormalization(): axis must be one integer, the channels', got {axis!r}"
            )
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        keep(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        keep(self, "beta", beta_initializer, beta_regularizer, beta_constraint)
        keep(self, "moving_mean", moving_mean_initializer, None, None)
        keep(self, "moving_variance", moving_variance_initializer, None, None)

    def build(self, input_shape: Any) -> None:
        """Make scale, shift and moving statistics."""
        place = _place(self, self.axis, len(input_shape))
        channels = known_channels(self, input_shape, self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: channels})
        self.norm = nn.BatchNorm1d(channels, eps=self.epsilon, dtype=self.dtype)
        if not self.scale:
            self.norm.weight = None
        if not self.center:
            self.norm.bias = None
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.track(self.norm, "weight", "gamma", **options(self, "gamma"))
        if self.center:
            self.beta = self.track(self.norm, "bias", "beta", **options(self, "beta"))
        self.moving_mean = self.track(
            self.norm,
            "running_mean",
            "moving_mean",
            trainable=False,
            **options(self, "moving_mean"),
        )
        self.moving_variance = self.track(
            self.norm,
            "running_var",
            "moving_variance",
            trainable=False,
            **options(self, "moving_variance"),
        )

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        norm, place = self.norm, self.axis % inputs.ndim
        x = inputs if place == 1 else inputs.movedim(place, 1)
        if self.training and self.trainable:
            x = self._by_batch(x)
        else:
            mean, variance = norm.running_mean, norm.running_var
            x = F.batch_norm(x, mean, variance, norm.weight, norm.bias, False, 0.0, norm.eps)
        return x if place == 1 else x.movedim(1, place)

    def _by_batch(self, x: Any) -> Any:
        """Normalised by the batch's own statistics, towards which the moving ones are moved."""
        norm, channels = self.norm, x.shape[1]
        if not prod(x.shape):
            return x
        # As nn's batch_norm, which however keeps the unbiased variance and refuses single values.
        saved: list[Any] = []
        out = normalise(
            x,
            norm.weight,
            norm.bias,
            axes=(0, *range(2, x.ndim)),
            affine=(1, channels, *(1,) * (x.ndim - 2)),
            eps=norm.eps,
            centred=True,
            saved=saved,
        )
        move_statistics(norm.running_mean, norm.running_var, saved, 1 - self.momentum)
        return out


def move_statistics(mean: Any, variance: Any, saved: list[Any], share: float) -> None:
    """Move the moving mean and variance by this share towards those of a batch, in place."""
    move_statistic("BatchNormalization", mean, saved[0].reshape(-1), share)
    move_statistic("BatchNormalization", variance, saved[1].reshape(-1), share)


class LayerNormalization(_Shaped):
    """Mean zero and variance one over `axis` of each sample, times gamma, plus beta.

    `axis` is one axis or several; gamma and beta have the lengths of these as their shape.
    Source: Ba et al. 2016.
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        keep(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        keep(self, "beta", beta_initializer, beta_regularizer, beta_constraint)

    def build(self, input_shape: Any) -> None:
        """Make scale and shift."""
        count = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        self._axes = [_place(self, axis, count) for axis in axes]
        shape = tuple(known_channels(self, input_shape, axis) for axis in self._axes)
        self.norm = self._module(shape)
        if not self.scale:
            self.norm.weight = None
        if not self.center:
            self.norm.bias = None
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.track(self.norm, "weight", "gamma", **options(self, "gamma"))
        if self.center:
            self.beta = self.track(self.norm, "bias", "beta", **options(self, "beta"))

    def _module(self, shape: tuple[int, ...]) -> Any:
        return nn.LayerNorm(shape, eps=self.epsilon, dtype=self.dtype)

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        last = [*range(inputs.ndim - len(self._axes), inputs.ndim)]
        if self._axes == last:
            return self.norm(inputs)
        return self.norm(inputs.movedim(self._axes, last)).movedim(last, self._axes)


class RMSNormalization(_Shaped):
    """The inputs over their root mean square along `axis`, times a learned scale.

    scale: the lengths of the axes. Source: Zhang and Sennrich 2019.
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.epsilon = epsilon

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        count = len(input_shape)
        axes = [self.axis] if isinstance(self.axis, int) else self.axis
        self._axes = [_place(self, axis, count) for axis in axes]
        shape = tuple(known_channels(self, input_shape, axis) for axis in self._axes)
        self.norm = nn.RMSNorm(shape, eps=self.epsilon, dtype=self.dtype)
        self.scale = self.track(self.norm, "weight", "scale")

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        last = [*range(inputs.ndim - len(self._axes), inputs.ndim)]
        if self._axes == last:
            return self.norm(inputs)
        return self.norm(inputs.movedim(self._axes, last)).movedim(last, self._axes)


class GroupNormalization(_Shaped):
    """Mean zero and variance one of each group of channels of a sample, times gamma, plus beta.

    gamma, beta: (channels,). `groups=-1` makes every channel a group. Source: Wu and He 2018.
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        keep(self, "gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        keep(self, "beta", beta_initializer, beta_regularizer, beta_constraint)

    def build(self, input_shape: Any) -> None:
        """Make scale and shift."""
        place = _place(self, self.axis, len(input_shape))
        channels = known_channels(self, input_shape, self.axis)
        groups = channels if self.groups == -1 else self.groups
        if groups < 1 or channels % groups:
            raise ArgumentError(
                f"layer '{self.name}' (GroupNormalization): groups={self.groups} must divide the "
                f"{channels} channels of the input; use a divisor of {channels}, or -1"
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={place: channels})
        self.norm = nn.GroupNorm(groups, channels, eps=self.epsilon, dtype=self.dtype)
        if not self.scale:
            self.norm.weight = None
        if not self.center:
            self.norm.bias = None
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.track(self.norm, "weight", "gamma", **options(self, "gamma"))
        if self.center:
            self.beta = self.track(self.norm, "bias", "beta", **options(self, "beta"))

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        place = self.axis % inputs.ndim
        if place == 1:
            return self.norm(inputs)
        return self.norm(inputs.movedim(place, 1)).movedim(1, place)


class UnitNormalization(_Shaped):
    """The inputs over their length (the root of the sum of squares) along `axis`."""

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis if isinstance(axis, int) else list(axis)

    def call(self, inputs: Any) -> Any:
        """Vectors of length one."""
        squares = inputs.square().sum(self.axis, keepdim=True)
        return inputs * minigrad.rsqrt(minigrad.clamp(squares, min=1e-12))
