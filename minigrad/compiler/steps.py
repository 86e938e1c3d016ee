"""What a recording is made of: slots, which stand for its values, and steps."""

from __future__ import annotations

from typing import Any

import numpy


class Slot:
    """A value of the recorded call, known by number; it holds no array, only what it was like."""

    __slots__ = ("dtype", "number", "scalar", "shape", "size", "strides")

    def __init__(self, number: int, value: Any) -> None:
        self.number = number
        self.size = getattr(value, "nbytes", 0)
        self.dtype = getattr(value, "dtype", None)
        self.shape = getattr(value, "shape", None)
        self.strides = getattr(value, "strides", None)
        # NumPy gives scalars, not arrays, for results without dimensions.
        self.scalar = getattr(value, "ndim", 0) == 0


class Step:
    """One thing that the recorded call did, with slots in place of arrays."""

    __slots__ = ("args", "function", "kind", "named", "op", "slot", "xp")

    def __init__(self, kind: str, function: Any, args: Any, named: Any, slot: Any) -> None:
        self.kind = kind
        self.function = function
        self.args = args
        self.named = named
        self.slot = slot
        self.op: Any = None
        self.xp: Any = numpy

    def label(self) -> str:
        """What the step does, in a word or two."""
        if self.kind in ("forward", "forwards"):
            return str(self.function.name)
        if self.kind == "rule":
            return f"gradient of {self.op.name}"
        return _LABELS.get(self.kind) or str(
            getattr(self.function, "__qualname__", self.kind)
        ).strip("_")


_LABELS = {
    "store": "add into .grad",
    "forget": ".grad = None",
    "sum": "sum over broadcast dimensions",
    "add": "sum of cotangents",
}
