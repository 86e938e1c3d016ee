"""The base of all metrics, the weighted mean they mostly are, and how they take their arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.backend import Backend, asarray, backend_of
from minigrad.errors import ArgumentError, DeviceError
from minigrad.graph import Traced

__all__ = ["FunctionMetric", "Mean", "MeanMetric", "Metric"]


def raw(value: Any) -> Any:
    """The array of a tensor; an array as it is; lists and numbers as a NumPy array."""
    if isinstance(value, Traced):
        return value._array
    if type(value) in Backend.by_type:
        return value
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(parts, Iterable) and any(isinstance(part, Traced) for part in parts):
        raise ArgumentError(
            f"a metric takes tensors, and was given a {type(value).__name__} of them; give a "
            "function that picks one, for example metrics=[lambda output, target: "
            "(output['a'] - target['a']).abs()]"
        )
    return asarray(value)


def fitted(metric: str, weight: Any, values: Any) -> Any:
    """The weight in float64 with as many leading dimensions of the values as it has of its own.

    `values` are (n, ...); the weight is one number per sample, (n,) or (n, 1), or per leading
    dimensions, (n, d1). Raises ArgumentError where it fits neither way.
    """
    weight = raw(weight)
    if type(weight) is not type(values):
        raise DeviceError(
            f"{metric}: weight is on {backend_of(weight).device_of(weight)}, the outputs are on "
            f"{backend_of(values).device_of(values)}; move one of them, for example with .to()"
        )
    shape = values.shape
    while weight.shape != shape[: weight.ndim] and weight.ndim > 1 and weight.shape[-1] == 1:
        weight = weight.reshape(weight.shape[:-1])
    if weight.shape != shape[: weight.ndim]:
        raise ArgumentError(
            f"{metric}: weight has shape {weight.shape}, which fits none of the leading "
            f"dimensions of the values {shape}; give one weight per sample, shape {shape[:1]}"
        )
    return weight.astype("float64")


def averaged(metric: str, weight: Any, values: Any) -> tuple[Any, Any]:
    """The values averaged to the dimensions of the weight, and the weight with their shape."""
    weight = fitted(metric, weight, values)
    if 0 < weight.ndim < values.ndim:
        values = values.mean(axis=tuple(range(weight.ndim, values.ndim)))
    if weight.ndim < values.ndim:
        weight = backend_of(values).xp.broadcast_to(weight, values.shape)
    return values, weight


def repeated(metric: str, weight: Any, values: Any) -> Any:
    """The weight of each element of the values."""
    weight = fitted(metric, weight, values)
    weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    return backend_of(values).xp.broadcast_to(weight, values.shape)


def joined(parts: list[Any]) -> Any:
    """The arrays of the batches as one."""
    return parts[0] if len(parts) == 1 else backend_of(parts[0]).xp.concatenate(parts)


class Metric:
    """A number about a model's outputs and targets that is gathered batch by batch.

    `update` takes a batch, `compute` gives the number over all of them, `reset` forgets them.
    A subclass sets its own fields, then calls `super().__init__(name)`, which resets. What it
    gathers stays on the device of the outputs; only `compute` reads a number from there.
    `higher_is_better` tells callbacks which way it improves; None if nobody knows.
    """

    name: str
    higher_is_better: bool | None = None

    def __init__(self, name: str | None = None) -> None:
        self.name = _snake_case(type(self).__name__) if name is None else name
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        raise NotImplementedError(f"{type(self).__name__} must define reset()")

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's outputs, the targets, and a weight per sample."""
        raise NotImplementedError(f"{type(self).__name__} must define update()")

    def compute(self) -> Any:
        """The number over all batches since the last reset."""
        raise NotImplementedError(f"{type(self).__name__} must define compute()")

    def arrays(self, output: Any, target: Any) -> tuple[Any, Any, Any]:
        """The module that computes on them, and both as raw arrays; DeviceError if they differ."""
        output = raw(output)
        target = raw(target)
        backend = backend_of(output)
        if type(output) is not type(target):
            raise DeviceError(
                f"{self.name}: the output is on {backend.device_of(output)}, the target on "
                f"{backend_of(target).device_of(target)}; move one of them, for example "
                f"target.to(output.device)"
            )
        return backend.xp, output, target

    def aligned(self, output: Any, target: Any) -> tuple[Any, Any, Any]:
        """As `arrays`, with one shape: a last dimension of size 1 may be there or not."""
        xp, output, target = self.arrays(output, target)
        if output.shape != target.shape:
            if output.ndim == target.ndim + 1 and output.shape[-1] == 1:
                output = output.reshape(output.shape[:-1])
            elif target.ndim == output.ndim + 1 and target.shape[-1] == 1:
                target = target.reshape(target.shape[:-1])
            if output.shape != target.shape:
                raise ArgumentError(
                    f"{self.name}: the output has shape {output.shape} and the target "
                    f"{target.shape}; they must be the same"
                )
        return xp, output, target

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


class MeanMetric(Metric):
    """The weighted mean over samples of what `values` gives; 0.0 while there are none.

    A subclass defines `values(output, target)`: an array of one value per sample, (n,), or of
    several, (n, ...), whose mean is the sample's.
    """

    def reset(self) -> None:
        """Forget all batches."""
        self._total: Any = 0.0
        self._count: Any = 0.0

    def values(self, output: Any, target: Any) -> Any:
        """The value of each sample, as a raw array."""
        raise NotImplementedError(f"{type(self).__name__} must define values()")

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's outputs, the targets, and a weight per sample."""
        self.add(self.values(output, target), weight)

    def add(self, values: Any, weight: Any = None) -> None:
        """Take in values, (n, ...), and a weight per sample."""
        if weight is None:
            size = values.size
            samples = values.shape[0] if values.ndim else 1
            if values.dtype.kind == "b":
                total = backend_of(values).xp.count_nonzero(values)
            else:
                total = values.sum(dtype="float64")
            if size != samples and samples:
                total = total * (samples / size) if size else 0.0
            self._total = self._total + total
            self._count = self._count + samples
            return
        values, weight = averaged(self.name, weight, values)
        samples = values.shape[0] if values.ndim else 1
        share = samples / values.size if values.size else 0.0
        self._total = self._total + (values * weight).sum() * share
        self._count = self._count + weight.sum() * share

    def compute(self) -> float:
        """The mean over all samples since the last reset."""
        count = float(self._count)
        return float(self._total) / count if count else 0.0


class Mean(MeanMetric):
    """The weighted mean of numbers: `update(values, weight=None)`.

    >>> mean = Mean()
    >>> mean.update([1.0, 2.0, 6.0])
    >>> mean.compute()
    3.0
    """

    def update(self, output: Any, target: Any = None, weight: Any = None) -> None:
        """Take in values; the second argument, or `weight`, is their weight."""
        self.add(raw(output), target if weight is None else weight)


class FunctionMetric(MeanMetric):
    """The mean of what a function gives for outputs and targets.

    The function gets what `update` got, unrecorded, and gives a value per sample, (n,) or
    (n, ...), or one for the batch, which counts as often as the batch has samples.
    """

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        super().__init__(name or getattr(function, "__name__", type(function).__name__))

    def update(self, output: Any, target: Any, weight: Any = None) -> None:
        """Take in a batch: the model's outputs, the targets, and a weight per sample."""
        from minigrad.modes import no_grad

        with no_grad():
            values = raw(self.function(output, target))
        if values.ndim:
            self.add(values, weight)
            return
        shape = raw(output).shape
        samples = shape[0] if shape else 1
        if weight is not None:
            raise ArgumentError(
                f"{self.name}: a function that gives one number for a batch cannot weight its "
                f"samples; let it give one number per sample, shape ({samples},)"
            )
        self._total = self._total + values * samples
        self._count = self._count + samples


def _snake_case(name: str) -> str:
    """`sparse_categorical_accuracy` for SparseCategoricalAccuracy, `auc` for AUC."""
    if name.isupper():
        return name.lower()
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return words.lower()


def ratio(numerator: float, denominator: float, empty: float = 0.0) -> float:
    """The quotient, or `empty` where the denominator is 0."""
    return numerator / denominator if denominator else empty


def finite_mean(values: list[float]) -> float:
    """The mean of the values; NaN if there are none."""
    return math.fsum(values) / len(values) if values else math.nan
