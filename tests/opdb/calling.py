"""How each name of the database is called: function, method, in-place, alias, operator.

The database calls some names through a lambda that reorders arguments or calls a method; the table
`FUNCTIONS` says the same for the library under test. Every other name is a function under its own
dotted name.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch.testing._internal.common_utils import set_rng_seed
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from tests.opdb.libraries import TorchLibrary

Call = Callable[..., Any]


@dataclass(frozen=True)
class Variant:
    """One way to call an operation: on torch, on the library under test."""

    kind: str
    reference: Call
    ours: Call

    @property
    def in_place(self) -> bool:
        """Whether the call changes its first argument."""
        return self.kind in ("in-place", "in-place operator")


def _method(name: str) -> Callable[[TorchLibrary], Call]:
    return lambda library: library.method(name)


def _property(name: str) -> Callable[[TorchLibrary], Call]:
    return lambda library: operator.attrgetter(name)


def _einsum(library: TorchLibrary) -> Call:
    return lambda tensors, equation: library.function("einsum")(equation, tensors)


def _where(library: TorchLibrary) -> Call:
    return lambda tensor, condition, other: library.function("where")(condition, tensor, other)


def _embedding(library: TorchLibrary) -> Call:
    def call(weight: Any, index: Any, **kwargs: Any) -> Any:
        return library.function("nn.functional.embedding")(index, weight, **kwargs)

    return call


def _pinv_of_product(library: TorchLibrary) -> Call:
    return lambda a, b: library.function("linalg.pinv")(a @ b.mT)


def _two_of_lstsq(library: TorchLibrary) -> Call:
    return lambda a, b, driver: library.function("linalg.lstsq")(a, b, driver=driver)[:2]


def _low_rank(name: str) -> Callable[[TorchLibrary], Call]:
    """A random method, given the very numbers that torch draws after the database's seed."""

    def made(library: TorchLibrary) -> Call:
        def draw(*size: int, dtype: Any, device: Any) -> Any:
            drawn = torch.randn(size, dtype=getattr(torch, dtype.name))
            return library.tensor(drawn, {})

        def call(a: Any, b: Any, **kwargs: Any) -> Any:
            set_rng_seed(42)
            with patch("minigrad.ops.lowrank.randn", draw):
                return library.function(name)(a @ b.mT, **kwargs)

        return call

    return made


def _embedding_bag(library: TorchLibrary) -> Call:
    def call(weight: Any, index: Any, **kwargs: Any) -> Any:
        return library.function("nn.functional.embedding_bag")(index, weight, **kwargs)

    return call


def _zero(library: TorchLibrary) -> Call:
    return lambda tensor: library.method("zero_")(tensor.clone())


def _polygamma(name: str) -> Callable[[TorchLibrary], Call]:
    return lambda library: lambda tensor, n: library.function(name)(n, tensor)


_METHODS_ONLY = (
    "__getitem__",
    "__radd__",
    "__rdiv__",
    "__rmatmul__",
    "__rmul__",
    "__rsub__",
    "contiguous",
    "expand",
    "expand_as",
    "float",
    "item",
    "long",
    "new_full",
    "new_ones",
    "new_zeros",
    "repeat",
    "reshape_as",
    "sum_to_size",
    "to",
    "unfold",
    "view",
    "view_as",
)

FUNCTIONS: dict[str, Callable[[TorchLibrary], Call]] = {
    **{name: _property(name) for name in ("H", "T", "mH", "mT")},
    "einsum": _einsum,
    "where": _where,
    "zero_": _zero,
    "linalg.lstsq grad_oriented": _two_of_lstsq,
    "linalg.pinv singular": _pinv_of_product,
    "pca_lowrank": _low_rank("pca_lowrank"),
    "svd_lowrank": _low_rank("svd_lowrank"),
    "polygamma": _polygamma("polygamma"),
    "special.polygamma": _polygamma("special.polygamma"),
    "nn.functional.embedding": _embedding,
    "nn.functional.embedding_bag": _embedding_bag,
    **{name: _method(name) for name in _METHODS_ONLY},
}


def function(library: TorchLibrary, name: str) -> Call:
    """Return a library's function for a name, called as the database calls it."""
    if name in FUNCTIONS:
        return FUNCTIONS[name](library)
    return library.function(name)


def _inplace_call(call: Call) -> Call:
    """Wrap an in-place call: it gets a copy, and must change and return that very object."""

    def changed(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        copy = tensor.clone()
        result = call(copy, *args, **kwargs)
        if result is not copy:
            raise AssertionError("the in-place variant did not return the tensor it changed")
        return copy

    return changed


def variants(library: TorchLibrary, operation: OpInfo) -> Iterator[Variant]:
    """Yield the ways to call an operation besides its function; each takes a tensor first."""
    method = operation.method_variant
    if method is not None:
        yield Variant("method", method, library.method(method.__name__))
    inplace = operation.inplace_variant
    if inplace is not None:
        if operation.name.startswith("nn.functional."):
            ours = _with_inplace_argument(library, operation.name)
        else:
            ours = library.method(inplace.__name__)
        yield Variant("in-place", _inplace_call(inplace), _inplace_call(ours))
    for alias in operation.aliases:
        if library.has(alias.name):
            yield Variant("alias", operation.op, library.function(alias.name))
    if operation.operator_variant is not None:
        yield Variant("operator", operation.operator_variant, operation.operator_variant)
    if operation.inplace_operator_variant is not None:
        call = _inplace_call(operation.inplace_operator_variant)
        yield Variant("in-place operator", call, call)


def _with_inplace_argument(library: TorchLibrary, name: str) -> Call:
    return lambda *args, **kwargs: function(library, name)(*args, inplace=True, **kwargs)


def applies(variant: Variant, operation: OpInfo, sample: SampleInput) -> bool:
    """Say whether a variant is meaningful for a sample."""
    if not isinstance(sample.input, torch.Tensor):
        return False
    if variant.kind in ("operator", "in-place operator"):
        return not sample.kwargs and len(sample.args) == (0 if _is_unary(variant) else 1)
    return True


def _is_unary(variant: Variant) -> bool:
    return variant.reference in (operator.neg, operator.abs)
