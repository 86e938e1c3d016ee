"""A sample's arguments, converted from torch to the library under test, and results back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.testing._internal.opinfo.core import SampleInput

from tests.opdb.libraries import TorchLibrary


class Arguments:
    """One sample's input, args and kwargs as fresh tensors of a library.

    Tensors that required a gradient become leaves that require one; `leaves` lists them in the
    order in which they occur, so that two libraries' lists match; `tensors` lists all of them.
    """

    def __init__(self, library: TorchLibrary, sample: SampleInput, requires_grad: bool) -> None:
        self.library = library
        self.requires_grad = requires_grad
        self.leaves: list[Any] = []
        self.tensors: list[Any] = []
        self._bases: dict[Any, Any] = {}
        self._seen: dict[int, Any] = {}
        self.input = self._convert(sample.input)
        self.args = self._convert(tuple(sample.args))
        self.kwargs = self._convert(library.keyword_arguments(sample.kwargs))

    def call(self, function: Callable[..., Any]) -> Any:
        """Return the function of these arguments."""
        return function(self.input, *self.args, **self.kwargs)

    def _convert(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, (list, tuple)):
            items = [self._convert(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {name: self._convert(item) for name, item in value.items()}
        if isinstance(value, torch.dtype):
            return self.library.dtype(value)
        return self.library.value(value)

    def _tensor(self, value: torch.Tensor) -> Any:
        if id(value) not in self._seen:
            tensor = self.library.tensor(value, self._bases)
            if self.requires_grad and value.requires_grad:
                tensor.requires_grad_(True)
                self.leaves.append(tensor)
            self.tensors.append(tensor)
            self._seen[id(value)] = tensor
        return self._seen[id(value)]


def flatten(library: TorchLibrary, result: Any) -> list[Any]:
    """Return the tensors and numbers of a result, nested tuples and lists opened."""
    if isinstance(result, (list, tuple)) and not library.is_tensor(result):
        return [leaf for item in result for leaf in flatten(library, item)]
    return [result]
