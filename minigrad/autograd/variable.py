"""Variable: the old name for a tensor that takes part in recording."""

from __future__ import annotations

from typing import Any

from minigrad.tensor import Tensor

__all__ = ["Variable"]


class _Recorded(type):
    """A class of which every tensor is an instance."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)

    def __call__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        found = data.detach()
        return found.requires_grad_() if requires_grad else found


class Variable(metaclass=_Recorded):
    """A tensor of the same memory, cut off from what made it; today a tensor itself is enough.

    >>> Variable(minigrad.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    """
