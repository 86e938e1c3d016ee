"""When two results are the same: structure, dtype, shape, and values within torch's tolerances."""

from __future__ import annotations

from copy import copy
from typing import Any

import torch
from torch.testing._comparison import default_tolerances
from torch.testing._internal.opinfo.core import DecorateInfo, OpInfo

from tests.opdb.arguments import flatten
from tests.opdb.libraries import TorchLibrary

_EXACT = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
_FLOATING = (torch.float64, torch.complex128)
_TEST_CLASSES = ("TestCommon", "TestUnaryUfuncs", "TestBinaryUfuncs", "TestReductions", None)


class Tolerances:
    """torch.testing's tolerances for a dtype, widened where the database's own entry says so."""

    def __init__(self, operation: OpInfo) -> None:
        self.overrides: list[dict[torch.dtype, Any]] = []
        for item in operation.decorators:
            chosen = [item]
            if isinstance(item, DecorateInfo):
                chosen = item.decorators if item.cls_name in _TEST_CLASSES else []
            self.overrides += [found.d for found in chosen if hasattr(found, "d")]

    def at_least(self, number: float) -> Tolerances:
        """Return these tolerances, none of them smaller than a number."""
        wider = copy(self)
        wider.overrides = [*self.overrides, dict.fromkeys(_FLOATING, (number, number))]
        return wider

    def of(self, dtype: torch.dtype) -> tuple[float, float]:
        """Return the relative and the absolute tolerance."""
        relative, absolute = default_tolerances(dtype)
        for table in self.overrides:
            override = table.get(dtype, 0.0)
            # A tuple is torch's `tol(atol, rtol)`, a number is a precision: an absolute tolerance.
            atol, rtol = override if isinstance(override, tuple) else (override, 0.0)
            relative = max(relative, rtol)
            absolute = max(absolute, atol)
        return relative, absolute


def difference(got: torch.Tensor, expected: torch.Tensor, tolerances: Tolerances) -> str | None:
    """Return what differs between two tensors in words, or None."""
    if got.dtype != expected.dtype:
        return f"dtype {got.dtype}, torch has {expected.dtype}"
    if got.shape != expected.shape:
        return f"shape {tuple(got.shape)}, torch has {tuple(expected.shape)}"
    if expected.dtype in _EXACT:
        if torch.equal(got, expected):
            return None
        relative = absolute = 0.0
    else:
        relative, absolute = tolerances.of(expected.dtype)
        if torch.allclose(got, expected, rtol=relative, atol=absolute, equal_nan=True):
            return None
    try:
        torch.testing.assert_close(got, expected, rtol=relative, atol=absolute, equal_nan=True)
    except AssertionError as error:
        return f"{error}\ngot {got}\ntorch has {expected}"
    return None


def results_differ(
    library: TorchLibrary, got: Any, expected: Any, tolerances: Tolerances, values: bool = True
) -> str | None:
    """Return what differs between a library's result and torch's, or None.

    With `values` False only structure, dtypes and shapes are compared.
    """
    if isinstance(expected, (list, tuple)) != isinstance(got, (list, tuple)):
        return f"a {type(got).__name__}, torch returns a {type(expected).__name__}"
    for field in getattr(type(expected), "__match_args__", ()) or _fields(expected):
        if not hasattr(got, field):
            return f"the result has no field {field!r}"
    ours = flatten(library, got)
    theirs = flatten(library_of_reference, expected)
    if len(ours) != len(theirs):
        return f"{len(ours)} results, torch returns {len(theirs)}"
    for position, (mine, wanted) in enumerate(zip(ours, theirs, strict=True)):
        found = _leaf_difference(library, mine, wanted, tolerances, values)
        if found is not None:
            return found if len(ours) == 1 else f"result {position}: {found}"
    return None


def _fields(value: Any) -> list[str]:
    """Return the field names of a torch named result such as `torch.return_types.max`."""
    if type(value).__module__ != "torch.return_types":
        return []
    return [
        name
        for name in dir(type(value))
        if name[0] != "_" and name not in dir(tuple) and not name.startswith("n_")
    ]


def _leaf_difference(
    library: TorchLibrary, got: Any, expected: Any, tolerances: Tolerances, values: bool
) -> str | None:
    if expected is NotImplemented:
        return None if got is NotImplemented else f"{got!r}, torch returns NotImplemented"
    if not isinstance(expected, torch.Tensor):
        if type(got) is not type(expected):
            return f"{got!r} of {type(got)}, torch returns {expected!r} of {type(expected)}"
        return difference(torch.tensor(got), torch.tensor(expected), tolerances)
    if not library.is_tensor(got):
        return f"{type(got).__name__} is not a tensor"
    if bool(got.requires_grad) != expected.requires_grad:
        return f"requires_grad is {got.requires_grad}, in torch {expected.requires_grad}"
    mine = library.to_torch(got)
    wanted = expected.detach().resolve_conj().resolve_neg()
    if values:
        return difference(mine, wanted, tolerances)
    return difference(mine.new_zeros(mine.shape), torch.zeros_like(wanted), tolerances)


library_of_reference = TorchLibrary()
