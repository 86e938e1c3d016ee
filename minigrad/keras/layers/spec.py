"""InputSpec: what shapes a layer takes, and the error that names the layer and what would fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minigrad.errors import ArgumentError

__all__ = ["InputSpec", "check_specs"]


_RECURRENT = ("SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional")


class InputSpec:
    """The shapes that an input may have, the batch included: None stands for any length.

    >>> InputSpec(min_ndim=2, axes={-1: 784})
    InputSpec(min_ndim=2, axes={-1: 784})
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
    ) -> None:
        self.dtype = dtype
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = dict(axes or {})

    def __repr__(self) -> str:
        given = [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value is not None and value != {}
        ]
        return f"InputSpec({', '.join(given)})"

    def problem(self, shape: tuple[int | None, ...]) -> str | None:
        """What is wrong with an input of this shape, or None."""
        count = len(shape)
        if self.ndim is not None and count != self.ndim:
            wanted = f", {self.shape}" if self.shape is not None else ""
            return f"expects {self.ndim} dimensions (the batch included){wanted}"
        if self.min_ndim is not None and count < self.min_ndim:
            return f"expects at least {self.min_ndim} dimensions (the batch included)"
        if self.max_ndim is not None and count > self.max_ndim:
            return f"expects at most {self.max_ndim} dimensions (the batch included)"
        wanted_axes = dict(self.axes)
        if self.shape is not None:
            wanted_axes.update(enumerate(self.shape))
        for axis, length in wanted_axes.items():
            found = shape[axis] if -count <= axis < count else 0
            if length is not None and found is not None and found != length:
                if self.shape is not None:
                    return f"expects the shape {self.shape}"
                return f"expects the length {length} in axis {axis}"
        return None


def check_specs(spec: Any, shapes: Any, name: str, kind: str) -> None:
    """Raise ArgumentError, naming the layer, where a shape does not fit its InputSpec.

    `spec` is one InputSpec or a list of them, `shapes` one tuple or a list of tuples.
    """
    if not isinstance(spec, (list, tuple)):
        if _is_shape(shapes):
            _check(spec, shapes, name, kind, "input")
        return
    listed = [shapes] if _is_shape(shapes) else list(shapes)
    if len(listed) != len(spec):
        raise ArgumentError(
            f"layer '{name}' ({kind}) expects {len(spec)} inputs, got {len(listed)}"
        )
    for index, (one, shape) in enumerate(zip(spec, listed)):
        _check(one, shape, name, kind, f"input {index}" if len(spec) > 1 else "input")


def _check(spec: InputSpec, shape: Any, name: str, kind: str, what: str) -> None:
    problem = spec.problem(tuple(shape))
    if problem is not None:
        raise ArgumentError(
            f"layer '{name}' ({kind}) {problem}, but its {what} has shape {tuple(shape)}"
            f"{_advice(spec, tuple(shape), kind)}"
        )


def _advice(spec: InputSpec, shape: tuple[Any, ...], kind: str) -> str:
    """The reshape that makes the input fit, where there is an obvious one."""
    known = [length for length in shape[1:] if length is not None]
    last = spec.axes.get(-1)
    product = 1
    for length in known:
        product *= length
    if last is not None and len(known) == len(shape) - 1 and product == last and len(shape) > 2:
        return f"; put a Flatten() layer before it, or reshape the data: x.reshape(-1, {last})"
    if spec.ndim is not None and len(shape) == spec.ndim - 1 and last in (None, 1):
        if kind in _RECURRENT:
            return (
                "; it takes (batch, steps, features): give return_sequences=True to a recurrent "
                "layer before it, or add the axis: x[..., None]"
            )
        return "; add the missing axis: x[..., None]"
    if spec.min_ndim is not None and len(shape) == spec.min_ndim - 1:
        return "; add the missing axis: x[..., None] (or x[None] for a single sample)"
    return ""


def _is_shape(shapes: Any) -> bool:
    return isinstance(shapes, tuple) and all(
        length is None or isinstance(length, int) for length in shapes
    )
