"""The base of initializers, and how one fills a parameter.

An initializer fills a parameter in place, as the function of `nn.init` that it stands for does, so
`GlorotUniform().fill_(linear.weight, view)` draws the very numbers of
`nn.init.xavier_uniform_(linear.weight)`. `view` turns a parameter in torch's layout into a view of
it in Keras's; fans are counted in the latter. Called with a shape of Keras's, an initializer makes
a tensor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

import minigrad
from minigrad.errors import ArgumentError
from minigrad.modes import no_grad

__all__ = ["Given", "Initializer", "compute_fans", "draws_in_place", "fill_"]


def unchanged(tensor: Any) -> Any:
    """The view of a weight whose layout is the same in torch and Keras."""
    return tensor


def kernel_view(tensor: Any) -> Any:
    """Keras's view (..., in, out) of a torch weight (out, in, ...); other ranks as they are."""
    if tensor.ndim < 2:
        return tensor
    return tensor.permute(*range(2, tensor.ndim), 1, 0)


def compute_fans(shape: Any) -> tuple[int, int]:
    """The inputs of one output and the outputs of one input, for a shape of Keras's.

    >>> compute_fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class Initializer:
    """What gives a weight its first values; a subclass has `fill_`, or overrides `__call__`."""

    def fill_(self, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
        """Fill a parameter in place and return it; `view` gives Keras's layout of it."""
        target = view(parameter.detach())
        with no_grad():
            target.copy_(_checked(self, self(tuple(target.shape), target.dtype), target))
        return parameter

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """A new tensor of this shape, in Keras's layout (..., in, out)."""
        if type(self).fill_ is Initializer.fill_:
            raise ArgumentError(
                f"{type(self).__name__} says nothing of how weights start; write "
                f"`def __call__(self, shape, dtype=None): ...` in it"
            )
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        torch_shape = (shape[-1], shape[-2], *shape[:-2]) if len(shape) > 1 else shape
        made = minigrad.empty(*torch_shape, dtype=dtype)
        self.fill_(made, kernel_view)
        return kernel_view(made)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The initializer of these arguments."""
        return cls(**config)

    def clone(self) -> Self:
        """An equal initializer."""
        return type(self).from_config(self.get_config())


class Given(Initializer):
    """Values that are given, in Keras's layout."""

    def __init__(self, values: Any) -> None:
        self.values = minigrad.as_tensor(values)

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        """The values; the shape must be theirs."""
        if tuple(shape) != tuple(self.values.shape):
            raise ArgumentError(
                f"initializer: the given values have shape {tuple(self.values.shape)} and the "
                f"weight has shape {tuple(shape)}"
            )
        return minigrad.as_tensor(self.values, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        """The values as nested lists."""
        return {"values": self.values.tolist()}


def fill_(initializer: Any, parameter: Any, view: Callable[[Any], Any] = unchanged) -> Any:
    """Fill a parameter in place by what `get` returned, and return it.

    `view` gives Keras's layout of the parameter, for a user's own callable `f(shape, dtype)`.
    """
    if isinstance(initializer, Initializer):
        return initializer.fill_(parameter, view)
    target = view(parameter.detach())
    with no_grad():
        values = initializer(tuple(target.shape), dtype=target.dtype)
        target.copy_(_checked(initializer, values, target))
    return parameter


def draws_in_place(initializer: Any) -> bool:
    """Whether an initializer fills a parameter in torch's layout, and not by Keras's shape."""
    return isinstance(initializer, Initializer) and type(initializer).fill_ is not Initializer.fill_


def _checked(initializer: Any, values: Any, target: Any) -> Any:
    """The values that an initializer gave as a tensor, if they have the weight's shape."""
    values = minigrad.as_tensor(values, dtype=target.dtype).to(target.device)
    if tuple(values.shape) != tuple(target.shape):
        name = getattr(initializer, "__name__", type(initializer).__name__)
        raise ArgumentError(
            f"initializer {name} gave values of shape {tuple(values.shape)} for a weight of shape "
            f"{tuple(target.shape)}"
        )
    return values
