"""A row: how to draw a primitive's inputs, where it is smooth, and what it must equal."""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from minigrad.graph import Primitive, registry
from tests.samples.source import Source

DTYPES = {
    "f": ("float64", "float32"), "c": ("complex128", "complex64"), "i": ("int64", "int32", "int8"),
    "u": ("uint8",), "b": ("bool",),
}  # fmt: skip


class _Torch:
    """torch, imported when a reference first needs it, since it takes seconds."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("torch"), name)


torch = _Torch()


@dataclass(frozen=True)
class Sample:
    """The inputs of one call, raw arrays, numbers or None, and its constants."""

    inputs: tuple[Any, ...]
    constants: dict[str, Any] = field(default_factory=dict)


def sample(*inputs: Any, **constants: Any) -> Sample:
    """A sample."""
    return Sample(inputs, constants)


@dataclass(frozen=True)
class Row:
    """What is known of one primitive.

    `draw` makes a sample from a source; `reference` is the same function written with torch.
    `kinds` are the kinds of dtype it takes: f, c, i, u, b. `order` is how often it can be
    differentiated where it is drawn. `kinks` draws points where torch has an answer and finite
    differences have none. `call` calls the operation where `op(*inputs, **constants)` will not do.
    """

    draw: Callable[[Source], Sample]
    reference: Callable[..., Any] | None = None
    kinds: str = "f"
    order: int = 2
    count: int = 6
    kinks: Callable[[Source], Sample] | None = None
    call: Callable[..., Any] | None = None
    numeric: bool = True
    """Whether the gradient is the derivative; that of a random draw is zero by decree."""
    rtol: float = 1e-6
    atol: float = 1e-7
    """Finite differences of step 1e-6 are good to about 1e-9 of the function's size."""

    def source(self, name: str, case: int, dtype: str = "float64") -> Source:
        """The source of one of the row's own samples."""
        return Source(zlib.crc32(name.encode()), case, dtype)

    def samples(self, name: str, dtype: str = "float64") -> list[Sample]:
        """The row's samples in one dtype."""
        return [self.draw(self.source(name, case, dtype)) for case in range(self.count)]

    def run(self, op: Any, inputs: tuple[Any, ...], constants: dict[str, Any]) -> Any:
        """The operation on these inputs; a list among the constants is fresh for every call."""
        constants = {n: list(v) if isinstance(v, list) else v for n, v in constants.items()}
        if self.call is not None:
            return self.call(op, *inputs, **constants)
        return op(*inputs, **constants)


def function_of(op: Primitive) -> Any:
    """The public function of a primitive."""
    return getattr(sys.modules[op.forward.__module__], op.forward.__name__)


def primitives() -> dict[str, Primitive]:
    """The package's primitives: those that its own modules declare."""
    importlib.import_module("minigrad.nn")
    importlib.import_module("minigrad.fft")
    importlib.import_module("minigrad.linalg")
    importlib.import_module("minigrad.special")
    importlib.import_module("minigrad.ops.probabilities")
    return {
        name: op for name, op in registry.items() if op.forward.__module__.startswith("minigrad.")
    }
