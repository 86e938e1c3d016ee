"""Parameter: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from minigrad.graph import Traced
from minigrad.printing import represent
from minigrad.tensor import Tensor

__all__ = ["Parameter"]


class Parameter(Tensor):
    """A tensor that a module trains; it requires a gradient unless told otherwise.

    >>> import minigrad
    >>> Parameter(minigrad.tensor([1.0, 2.0])).requires_grad
    True
    """

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        if isinstance(data, Traced):
            self._array = data._array
        else:
            super().__init__(*(() if data is None else (data,)))
        self._node = None
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return "Parameter containing:\n" + represent(self)
