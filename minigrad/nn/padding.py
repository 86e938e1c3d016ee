"""Padding layers: cells added around the last one, two or three dimensions."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.ops.windows import per_dimension

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(Module):
    """A number of cells for all sides, or (left, right, top, bottom, front, back)."""

    dims: ClassVar[int]
    mode: ClassVar[str] = "constant"

    def __init__(self, padding: Any) -> None:
        # A negative number crops, so that there is no least one.
        self.padding = per_dimension(
            type(self).__name__, "padding", padding, 2 * self.dims, -(2**62)
        )

    def forward(self, input: Any) -> Any:
        """The padded input."""
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The cells on each side."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    fields = ("padding", "value")

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        """The padded input."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The cells on each side, and what is in them."""
        return Module.extra_repr(self)


class ConstantPad1d(_ConstantPad):
    """Adds cells of one value around the last dimension: (left, right), or one number."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """Adds cells of one value around images: (left, right, top, bottom), or one number."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """Adds cells of one value around volumes: (left, right, top, bottom, front, back)."""

    dims = 3


class ZeroPad1d(_Pad):
    """Adds zeros around the last dimension: (left, right), or one number."""

    dims = 1


class ZeroPad2d(_Pad):
    """Adds zeros around images: (left, right, top, bottom), or one number.

    >>> import minigrad
    >>> ZeroPad2d(1)(minigrad.ones(1, 3, 4, 4)).shape
    minigrad.Size([1, 3, 6, 6])
    """

    dims = 2


class ZeroPad3d(_Pad):
    """Adds zeros around volumes: (left, right, top, bottom, front, back), or one number."""

    dims = 3


class ReflectionPad1d(_Pad):
    """Adds the mirror image, without the border: (left, right), or one number."""

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """Adds the mirror image, without the border: (left, right, top, bottom), or one number."""

    dims = 2
    mode = "reflect"


class ReflectionPad3d(_Pad):
    """Adds the mirror image of volumes, without the border, to six sides."""

    dims = 3
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """Adds the border's value: (left, right), or one number."""

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """Adds the border's value: (left, right, top, bottom), or one number."""

    dims = 2
    mode = "replicate"


class ReplicationPad3d(_Pad):
    """Adds the border's value to the six sides of volumes."""

    dims = 3
    mode = "replicate"


class CircularPad1d(_Pad):
    """Adds what is at the other end: (left, right), or one number."""

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """Adds what is at the opposite side: (left, right, top, bottom), or one number."""

    dims = 2
    mode = "circular"


class CircularPad3d(_Pad):
    """Adds what is at the opposite side of volumes, to six sides."""

    dims = 3
    mode = "circular"
