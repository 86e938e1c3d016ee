"""A sample of the database as a function of its tensors, on torch and on minigrad."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import set_rng_seed
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

import minigrad
from tests.opdb import random_operations
from tests.opdb.arguments import flatten
from tests.opdb.calling import function
from tests.opdb.comparison import Tolerances, difference
from tests.opdb.libraries import MinigradLibrary, TorchLibrary
from tests.opdb.run import strided

TORCH = TorchLibrary()
OURS = MinigradLibrary()
Call = Callable[..., Any]


class Place:
    """Where a tensor was taken out of a sample's arguments."""

    def __init__(self, number: int) -> None:
        self.number = number


class Sample:
    """A sample as `torch_call(*tensors)` and `our_call(*tensors)`, each a tuple of tensors."""

    def __init__(self, operation: OpInfo, sample: SampleInput) -> None:
        self.operation = operation
        self.sample = sample
        self.tolerances = Tolerances(operation)
        self.tensors: list[torch.Tensor] = []
        self._numbers: dict[int, int] = {}
        arguments = (sample.input, *sample.args)
        self.arguments = self._take_out(arguments)
        self.keywords = self._take_out(dict(sample.kwargs))
        self.floating = [
            number
            for number, tensor in enumerate(self.tensors)
            if tensor.requires_grad and tensor.numel()
        ]
        self.tensors = [tensor.detach().resolve_conj().resolve_neg() for tensor in self.tensors]
        self.only: list[int] | None = None

    def _take_out(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if id(value) not in self._numbers:
                self._numbers[id(value)] = len(self.tensors)
                self.tensors.append(value)
            return Place(self._numbers[id(value)])
        if isinstance(value, (list, tuple)):
            items = [self._take_out(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {name: self._take_out(item) for name, item in value.items()}
        return value

    def _put_back(self, value: Any, library: TorchLibrary, tensors: Any) -> Any:
        if isinstance(value, Place):
            return tensors[value.number]
        if isinstance(value, (list, tuple)):
            items = [self._put_back(item, library, tensors) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, dict):
            return {n: self._put_back(item, library, tensors) for n, item in value.items()}
        return library.dtype(value) if isinstance(value, torch.dtype) else library.value(value)

    def _call(self, library: TorchLibrary, call: Call, tensors: Any) -> tuple[Any, ...]:
        arguments = self._put_back(self.arguments, library, tensors)
        keywords = self._put_back(library.keyword_arguments(self.keywords), library, tensors)
        result = call(*arguments, **keywords)
        process = self.sample.output_process_fn_grad
        if self.floating and process is not None and self.operation.supports_autograd:
            result = process(result)
        found = tuple(leaf for leaf in flatten(library, result) if library.is_tensor(leaf))
        return found if self.only is None else tuple(found[place] for place in self.only)

    def torch_call(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The operation on torch."""
        return self._call(TORCH, self.operation.op, tensors)

    def our_call(self, *tensors: Any) -> tuple[Any, ...]:
        """The operation on minigrad."""
        return self._call(OURS, function(OURS, self.operation.name), tensors)

    def keep_floating_outputs(self) -> bool:
        """From now on give those outputs that have derivatives; whether there are any."""
        outputs = self.torch_call(*self.tensors)
        self.only = [
            place
            for place, out in enumerate(outputs)
            if out.is_floating_point() or out.is_complex()
        ]
        return bool(self.only)

    def with_floating(self, call: Call, tensors: Any) -> Call:
        """The call as a function of its differentiable tensors alone."""

        def of_floating(*given: Any) -> tuple[Any, ...]:
            values = list(tensors)
            for number, value in zip(self.floating, given, strict=True):
                values[number] = value
            return tuple(call(*values))

        return of_floating

    def differs(self, ours: Any, theirs: torch.Tensor) -> str | None:
        """What differs between a result and torch's."""
        return difference(to_torch(ours), theirs.detach().resolve_conj(), self.tolerances)


def ours(tensor: torch.Tensor) -> Any:
    """A tensor of minigrad with a copy of torch's values."""
    return minigrad.from_numpy(np.array(tensor.detach().resolve_conj().numpy()))


def to_torch(tensor: Any) -> torch.Tensor:
    """A tensor of torch with a copy of minigrad's values."""
    return torch.from_numpy(np.array(tensor.detach().numpy()))


def samples(name: str, dtype: torch.dtype, limit: int) -> Iterator[Sample]:
    """Samples of the entries of this name that are no draws of random numbers."""
    for operation in op_db:
        if operation.name != name or dtype not in operation.supported_dtypes("cpu"):
            continue
        gradient = operation.supports_autograd and dtype in operation.supported_backward_dtypes(
            "cpu"
        )
        set_rng_seed(0)
        made = list(operation.sample_inputs_func(operation, "cpu", dtype, gradient))
        made = [s for s in made if not random_operations.is_random(operation, s)]
        for sample in strided(made, limit):
            yield Sample(operation, sample)
