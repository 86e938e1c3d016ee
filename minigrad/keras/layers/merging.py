"""Layers that make one tensor of several, and the functions of the same names in lower case."""

from __future__ import annotations

import functools
from typing import Any

import minigrad
from minigrad.errors import ArgumentError
from minigrad.keras.layers.base import Layer
from minigrad.nn import functional as F

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract", "add",
    "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip


class _Merge(Layer):
    """One tensor of a list of them, element by element.

    Shapes are broadcast; where an input has fewer axes, axes of length 1 are put behind its batch.
    """

    least = 1
    most: int | None = None
    keeps_dtype = True

    def build(self, input_shape: Any) -> None:
        """Check that the shapes go together."""
        self._check(input_shape)

    def _check(self, shapes: Any) -> list[tuple[Any, ...]]:
        """The shapes of the inputs, if it is a list of as many as the layer takes."""
        own = type(self).__name__
        if not isinstance(shapes, (list, tuple)) or not all(
            isinstance(shape, (list, tuple)) for shape in shapes
        ):
            raise ArgumentError(
                f"layer '{self.name}' ({own}) is called on a list of inputs, {own}()([a, b]), got "
                f"one input of shape {shapes}"
            )
        if len(shapes) < self.least or (self.most is not None and len(shapes) > self.most):
            count = f"exactly {self.most}" if self.most else f"at least {self.least}"
            raise ArgumentError(
                f"layer '{self.name}' ({own}) takes {count} inputs, got {len(shapes)}"
            )
        return [tuple(shape) for shape in shapes]

    def call(self, inputs: Any) -> Any:
        """The merged inputs."""
        shapes = self._check([tuple(each.shape) for each in inputs])
        self._broadcast(shapes)
        axes = max(len(shape) for shape in shapes)
        return self._merge([_with_axes(each, axes) for each in inputs])

    def _merge(self, inputs: list[Any]) -> Any:
        raise ArgumentError(f"{type(self).__name__} has no _merge(); write it in the subclass")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The broadcast shape."""
        return self._broadcast(self._check(input_shape))

    def _broadcast(self, shapes: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        axes = max(len(shape) for shape in shapes)
        wide = [(*shape[:1], *(1,) * (axes - len(shape)), *shape[1:]) for shape in shapes]
        merged = []
        for sizes in zip(*wide):
            known = {size for size in sizes if size is not None and size != 1}
            if len(known) > 1:
                raise ArgumentError(
                    f"layer '{self.name}' ({type(self).__name__}) cannot merge inputs of shapes "
                    f"{', '.join(map(str, shapes))}: their sizes must be equal, or 1"
                )
            merged.append(known.pop() if known else None if None in sizes else 1)
        return tuple(merged)


def _with_axes(x: Any, count: int) -> Any:
    """The tensor with axes of length 1 behind the batch, `count` axes in all."""
    if x.ndim == count:
        return x
    return x.reshape(x.shape[0], *(1,) * (count - x.ndim), *x.shape[1:])


class Add(_Merge):
    """The sum of the inputs, element by element.

    >>> import minigrad
    >>> Add()([minigrad.ones(1, 2), minigrad.ones(1, 2)])
    tensor([[2., 2.]])
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a + b, inputs)


class Subtract(_Merge):
    """The first input less the second."""

    least = most = 2

    def _merge(self, inputs: list[Any]) -> Any:
        return inputs[0] - inputs[1]


class Multiply(_Merge):
    """The product of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a * b, inputs)


class Average(_Merge):
    """The mean of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(lambda a, b: a + b, inputs) / len(inputs)


class Maximum(_Merge):
    """The largest of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(minigrad.maximum, inputs)


class Minimum(_Merge):
    """The smallest of the inputs, element by element."""

    def _merge(self, inputs: list[Any]) -> Any:
        return functools.reduce(minigrad.minimum, inputs)


class Concatenate(_Merge):
    """The inputs one behind the other along `axis`; the other lengths must be equal."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Any:
        """The joined inputs."""
        self.compute_output_shape([tuple(each.shape) for each in inputs])
        return minigrad.cat(list(inputs), self.axis)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape with the lengths along the axis added."""
        shapes = self._check(input_shape)
        count = len(shapes[0])
        place = self.axis % count if -count <= self.axis < count else None
        merged: list[Any] = []
        for axis, sizes in enumerate(zip(*shapes)):
            known = {size for size in sizes if size is not None}
            if axis == place:
                merged.append(None if None in sizes else sum(sizes))
            elif len(known) > 1:
                place = None
            else:
                merged.append(known.pop() if known else None)
        if place is None or any(len(shape) != count for shape in shapes):
            raise ArgumentError(
                f"layer '{self.name}' (Concatenate) cannot join inputs of shapes "
                f"{', '.join(map(str, shapes))} along axis {self.axis}: all other lengths must be "
                "equal"
            )
        return tuple(merged)


class Dot(_Merge):
    """Products summed along one axis of each of two inputs, sample by sample.

    `axes` is one axis for both or a pair, not the batch; with `normalize` the vectors along them
    are brought to length one first, so that the result is the cosine.
    """

    least = most = 2

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = (axes, axes) if isinstance(axes, int) else tuple(axes)
        if len(given) != 2 or not all(isinstance(axis, int) for axis in given) or 0 in given:
            raise ArgumentError(
                f"Dot(): axes must be an integer or two, none of them 0, the batch; got {axes!r}"
            )
        self.axes = axes if isinstance(axes, int) else list(given)
        self.normalize = normalize

    def _places(self, shapes: list[tuple[Any, ...]]) -> tuple[int, int]:
        given = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        first, second = (axis % len(shape) for axis, shape in zip(given, shapes))
        sizes = shapes[0][first], shapes[1][second]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ArgumentError(
                f"layer '{self.name}' (Dot) cannot multiply inputs of shapes {shapes[0]} and "
                f"{shapes[1]} along axes {given}: {sizes[0]} and {sizes[1]} differ"
            )
        return first, second

    def call(self, inputs: Any) -> Any:
        """The products."""
        a, b = inputs
        first, second = self._places([tuple(a.shape), tuple(b.shape)])
        if self.normalize:
            a, b = F.normalize(a, dim=first, eps=1e-6), F.normalize(b, dim=second, eps=1e-6)
        left = a.movedim(first, -1)
        right = b.movedim(second, 1)
        rows, columns = left.shape[1:-1], right.shape[2:]
        product = left.reshape(left.shape[0], -1, left.shape[-1]) @ right.reshape(
            right.shape[0], right.shape[1], -1
        )
        return product.reshape(left.shape[0], *((*rows, *columns) or (1,)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The batch, then the axes of both that were not summed."""
        shapes = self._check(input_shape)
        places = self._places(shapes)
        left = [
            size
            for shape, place in zip(shapes, places)
            for axis, size in enumerate(shape)
            if axis not in (0, place)
        ]
        return (shapes[0][0], *(left or [1]))


def add(inputs: Any, **kwargs: Any) -> Any:
    """The sum of tensors; a layer Add called on them."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Any) -> Any:
    """The first of two tensors less the second."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Any) -> Any:
    """The product of tensors."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Any) -> Any:
    """The mean of tensors."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Any) -> Any:
    """The largest of tensors, element by element."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Any) -> Any:
    """The smallest of tensors, element by element."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Any) -> Any:
    """Tensors joined along an axis."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """Products of two tensors summed along an axis of each."""
    return Dot(axes, **kwargs)(inputs)
