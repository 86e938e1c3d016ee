"""Layers that scale the data: Rescaling and Normalization."""

from __future__ import annotations

from typing import Any

import numpy

import minigrad
from minigrad.errors import ArgumentError
from minigrad.graph import Traced
from minigrad.keras.layers.base import Layer
from minigrad.modes import no_grad
from minigrad.ops.creation import ones, zeros

__all__ = ["Normalization", "Rescaling"]


class Rescaling(Layer):
    """`inputs * scale + offset`; Rescaling(1 / 255) brings pixels to [0, 1].

    >>> Rescaling(1 / 127.5, offset=-1)(minigrad.tensor([[0.0, 255.0]]))
    tensor([[-1.,  1.]])
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset

    def call(self, inputs: Any) -> Any:
        """The scaled inputs."""
        if inputs.dtype.kind in "iub":
            inputs = inputs.to(self.dtype)
        scaled = inputs * self._number(self.scale, inputs)
        if isinstance(self.offset, (int, float)) and not self.offset:
            return scaled
        return scaled + self._number(self.offset, inputs)

    def _number(self, value: Any, inputs: Any) -> Any:
        if isinstance(value, (int, float)):
            return value
        return minigrad.tensor(value, dtype=inputs.dtype, device=inputs.device)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


class Normalization(Layer):
    """`(inputs - mean) / sqrt(variance)` along `axis`, learned by `adapt(data)` or given.

    `axis` is what has statistics of its own: -1 each feature, None the whole. `invert=True` goes
    back. The standard deviation is at least 1e-7.

    >>> layer = Normalization()
    >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer(minigrad.tensor([[1.0, 30.0]]))
    tensor([[-1.,  1.]])
    """

    moving_mean: Any
    moving_variance: Any

    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                "Normalization(): give both mean and variance, or neither and call adapt(data)"
            )
        self.axis = axis if axis is None or isinstance(axis, int) else list(axis)
        self.input_mean = _listed(mean)
        self.input_variance = _listed(variance)
        self.invert = invert

    def _axes(self, count: int) -> list[int]:
        axes = [] if self.axis is None else self.axis
        return [axis % count for axis in ([axes] if isinstance(axes, int) else axes)]

    def build(self, input_shape: Any) -> None:
        """Make the statistics."""
        axes = self._axes(len(input_shape))
        sizes = [size if axis in axes else 1 for axis, size in enumerate(input_shape)]
        if None in sizes:
            raise ArgumentError(
                f"layer '{self.name}' (Normalization): the lengths of the axes {self.axis} must be "
                f"known, got shape {tuple(input_shape)}"
            )
        self._statistics_shape = tuple(sizes)
        self.register_buffer("moving_mean", zeros(*sizes, dtype=self.dtype))
        self.register_buffer("moving_variance", ones(*sizes, dtype=self.dtype))
        if self.input_mean is not None:
            self._keep(numpy.asarray(self.input_mean), numpy.asarray(self.input_variance))
            return
        kept = [size for axis, size in enumerate(sizes) if axis in axes]
        for name in ("mean", "variance"):
            self.track(self, f"moving_{name}", name, trainable=False, view=tuple(kept))
        # Keras counts the samples here while it adapts, and starts again at 0.
        self.register_buffer("samples", zeros((), dtype="int32"))
        self.track(self, "samples", "count", trainable=False)

    def _keep(self, mean: Any, variance: Any) -> None:
        shape = self._statistics_shape
        with no_grad():
            for buffer, values in ((self.moving_mean, mean), (self.moving_variance, variance)):
                wide = numpy.broadcast_to(values.reshape(_fitting(values, shape)), shape)
                buffer.copy_(minigrad.tensor(wide.copy(), dtype=buffer.dtype))

    def adapt(self, data: Any) -> None:
        """Learn mean and variance from an array or tensor, or from what iterates over batches."""
        if self.input_mean is not None:
            raise ArgumentError(
                "adapt(): this Normalization was given its mean and variance; leave them out to "
                "learn them"
            )
        batches = [data] if isinstance(data, (list, tuple)) or hasattr(data, "shape") else data
        count, squares = 0, 0.0
        mean: Any = None
        for batch in batches:
            x = batch[0] if isinstance(batch, (list, tuple)) and batch is not data else batch
            array = _array(x)
            array = array[:, None] if array.ndim == 1 else array
            if not self.built:
                self.build((None, *array.shape[1:]))
                self._finish_build()
            axes = self._axes(array.ndim)
            others = tuple(axis for axis in range(array.ndim) if axis not in axes)
            size = array.size // max(1, int(numpy.prod([array.shape[axis] for axis in axes])))
            if not size:
                continue
            # The statistics of all batches joined from each one's (Chan et al. 1979).
            here = array.mean(others, keepdims=True)
            spread = ((array - here) ** 2).sum(others, keepdims=True)
            step = here - (here * 0 if mean is None else mean)
            squares = squares + spread + step**2 * (count * size / (count + size))
            mean = here if mean is None else mean + step * (size / (count + size))
            count += size
        if mean is None:
            raise ArgumentError("adapt(): the data are empty")
        self._keep(mean, squares / count)

    @property
    def mean(self) -> Any:
        """The mean that was learned or given, with a length for each axis; None before."""
        return self.moving_mean.clone() if self.built else self.input_mean

    @property
    def variance(self) -> Any:
        """The variance that was learned or given, with a length for each axis; None before."""
        return self.moving_variance.clone() if self.built else self.input_variance

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **given}

    def call(self, inputs: Any) -> Any:
        """The normalised inputs."""
        mean, variance = self.moving_mean, self.moving_variance
        if self.axis is None:
            mean, variance = mean.reshape(-1), variance.reshape(-1)
        spread = minigrad.clamp(variance.sqrt(), min=1e-7)
        return mean + inputs * spread if self.invert else (inputs - mean) / spread

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The input's shape."""
        return input_shape


def _array(value: Any) -> numpy.ndarray[Any, Any]:
    """Data as an array of float64, in which means of many numbers are exact enough."""
    if isinstance(value, Traced):
        value = value.detach().cpu().numpy()  # type: ignore[attr-defined]
    return numpy.asarray(value, dtype="float64")


def _listed(value: Any) -> Any:
    """Numbers as a configuration can hold them."""
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, Traced):
        return value.tolist()  # type: ignore[attr-defined]
    return numpy.asarray(value).tolist()


def _fitting(values: numpy.ndarray[Any, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of given statistics beside a sample: their lengths where the axes are kept."""
    if values.ndim == len(shape):
        return tuple(values.shape)
    sizes = iter(values.shape)
    if values.ndim == sum(size != 1 for size in shape):
        return tuple(1 if size == 1 else next(sizes) for size in shape)
    return (1,) * (len(shape) - values.ndim) + tuple(values.shape)
