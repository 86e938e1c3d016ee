"""What the harness needs of a library: tensors in and out, gradients, functions by dotted name.

Two libraries are known: torch itself, which is both the reference and the harness's self test, and
minigrad. Everything else in this package speaks to the library under test through these methods.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from tests.opdb.exclusions import DIMENSIONS, NO_META, NO_SPARSE, ExcludedError, not_numpy

DTYPES = (
    torch.float64,
    torch.complex128,
    torch.float32,
    torch.int64,
    torch.bool,
    torch.complex64,
    torch.float16,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
)


class MissingError(Exception):
    """Raised where the library under test lacks a name; never taken for a refusal."""


def dtype_name(dtype: torch.dtype) -> str:
    """Return torch's name of a dtype without the module: `float64`."""
    return str(dtype).removeprefix("torch.")


class TorchLibrary:
    """PyTorch behind the harness's interface: the reference, and the self test.

    `replacements` puts another function in the place of a named one, so that a test can plant a
    fault and see it caught.
    """

    name = "torch"

    def __init__(self, replacements: dict[str, Callable[..., Any]] | None = None) -> None:
        self.replacements = replacements or {}
        self.module: Any = torch

    def tensor(self, value: torch.Tensor, bases: dict[Any, Any]) -> Any:
        """Return a copy of `value`: same strides, no history, sharing memory where it shared."""
        if value.is_meta:
            raise ExcludedError(NO_META)
        value = value.detach().resolve_conj().resolve_neg()
        storage = value.untyped_storage()
        key = (storage.data_ptr(), value.dtype) if storage.nbytes() else (id(value), None)
        if key not in bases:
            count = storage.nbytes() // value.element_size()
            bases[key] = self._base(value.as_strided((count,), (1,), 0)), value
        return self._view(bases[key][0], value)

    def _base(self, flat: torch.Tensor) -> Any:
        return flat.clone()

    def _view(self, base: Any, value: torch.Tensor) -> Any:
        return base.as_strided(value.shape, value.stride(), value.storage_offset())

    def dtype(self, dtype: torch.dtype) -> Any:
        """Return the library's own object for a torch dtype."""
        return dtype

    def keyword_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments that the library knows."""
        return arguments

    def value(self, value: Any) -> Any:
        """Return the counterpart of a constant such as a device or a layout."""
        return value

    def is_tensor(self, value: Any) -> bool:
        """Say whether `value` is one of the library's tensors."""
        return isinstance(value, torch.Tensor)

    def to_torch(self, tensor: Any) -> torch.Tensor:
        """Return a tensor's value as a torch tensor without history."""
        return tensor.detach().clone()

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function of a dotted name, such as `nn.functional.relu`."""
        if name in self.replacements:
            return self.replacements[name]
        found: Any = self.module
        for part in name.split("."):
            if not hasattr(found, part):
                raise MissingError(f"no function {name}")
            found = getattr(found, part)
        return found

    def has(self, name: str) -> bool:
        """Say whether the library has a function of a dotted name."""
        try:
            self.function(name)
        except (MissingError, ModuleNotFoundError):
            return False
        return True

    def method(self, name: str) -> Callable[..., Any]:
        """Return a call of the named method on its first argument."""
        if "Tensor." + name in self.replacements:
            return self.replacements["Tensor." + name]

        def call(tensor: Any, *args: Any, **kwargs: Any) -> Any:
            if not hasattr(self.module.Tensor, name):
                raise MissingError(f"no method {name}")
            return getattr(self.module.Tensor, name)(tensor, *args, **kwargs)

        return call

    def grad(
        self, outputs: Sequence[Any], inputs: Sequence[Any], cotangents: Sequence[Any], again: bool
    ) -> Sequence[Any]:
        """Return the gradients of all inputs, recorded for a second derivative if `again`."""
        return self.module.autograd.grad(
            outputs, inputs, cotangents, create_graph=again, allow_unused=True
        )


class MinigradLibrary(TorchLibrary):
    """minigrad behind the harness's interface."""

    name = "minigrad"

    def __init__(self, replacements: dict[str, Callable[..., Any]] | None = None) -> None:
        super().__init__(replacements)
        self.module = importlib.import_module("minigrad")

    def _base(self, flat: torch.Tensor) -> np.ndarray[Any, Any]:
        return flat.numpy().copy()

    def _view(self, base: np.ndarray[Any, Any], value: torch.Tensor) -> Any:
        if value.ndim > 64:
            raise ExcludedError(DIMENSIONS)
        strides = [stride * base.itemsize for stride in value.stride()]
        # A view whose base is the memory: what asks for other parts of it will find them.
        start = value.storage_offset() * base.itemsize if value.numel() else 0
        array = np.ndarray(tuple(value.shape), base.dtype, base, start, strides)
        return self.module.from_numpy(array)

    def dtype(self, dtype: torch.dtype) -> Any:
        if dtype not in DTYPES:
            raise ExcludedError(not_numpy(dtype))
        return getattr(self.module, dtype_name(dtype))

    def keyword_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments.get("layout", torch.strided) is not torch.strided:
            raise ExcludedError(NO_SPARSE)
        # A memory format or a layout chooses strides; the values, which are compared, are the same.
        return {
            name: value
            for name, value in arguments.items()
            if name not in ("memory_format", "layout")
        }

    def value(self, value: Any) -> Any:
        if isinstance(value, torch.device):
            return str(value)
        if isinstance(value, torch.nn.Module):
            return getattr(self.module.nn, type(value).__name__)()
        return value

    def is_tensor(self, value: Any) -> bool:
        return isinstance(value, self.module.Tensor)

    def to_torch(self, tensor: Any) -> torch.Tensor:
        return torch.from_numpy(np.array(tensor.detach().numpy()))


LIBRARIES: dict[str, type[TorchLibrary]] = {"minigrad": MinigradLibrary, "torch": TorchLibrary}
