"""Where a result may differ from torch's and still be right: rounding and the order of equals.

Both are facts about torch, not about the library under test. In float16, float32 and complex64 two
right results differ by rounding, and torch's own can be the worse one: a result is also accepted
where it is no further from torch's double precision result than torch's single precision one is,
beyond the tolerance. And torch promises no order among equal elements to a sort that is not stable,
and no sign or phase of an eigenvector. Its trigamma function is finite at -1, -2, ..., where the
function has its poles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from tests.opdb.arguments import Arguments, flatten
from tests.opdb.calling import Call
from tests.opdb.comparison import Tolerances, difference, results_differ
from tests.opdb.libraries import TorchLibrary

ROUNDING = "results in float16, float32 or complex64 judged by the double precision result"
POLES = "results of polygamma(1, x) at its poles, infinite here: torch divides by sin(pi x) rounded"
ORDER = "results of a sort that is not stable, with equal elements in another order"

MASKED = "second gradients that are NaN in torch beside the minus infinity of a mask"

_DOUBLE = {
    torch.float16: torch.float64,
    torch.float32: torch.float64,
    torch.complex64: torch.complex128,
}


def _projections(result: Any) -> Any:
    """Eigenvalues, and in the place of each eigenvector the projection on it."""
    values, vectors = result
    return values, vectors.unsqueeze(-2) * vectors.conj().unsqueeze(-3)


PHASE_FREE = {"linalg.eigh": _projections}
"""What is unique of a result, where the database's samples do not say so."""


QR_ROUNDING = "second gradients through five QR decompositions, within 1e-5"
QR_CHAINS = {"svd_lowrank": 1e-5, "pca_lowrank": 1e-5}
"""The tolerance of second gradients that torch itself has to no more than seven digits.

The exact ones are known for a product of two thin matrices; torch's are 6e-8 away from them.
"""


@contextmanager
def _double_by_default() -> Iterator[None]:
    """What integers become is double precision too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def in_double(item: Any) -> Any:
    if isinstance(item, torch.dtype):
        return _DOUBLE.get(item, item)
    return item.to(_DOUBLE.get(item.dtype, item.dtype))


def mixes_precisions(sample: SampleInput) -> bool:
    """Say whether a sample's inputs are of several precisions: gradients then have the least."""
    tensors = flatten(
        TorchLibrary(), [sample.input, list(sample.args), list(sample.kwargs.values())]
    )
    wanted = [item for item in tensors if isinstance(item, torch.Tensor) and item.requires_grad]
    return any(item.dtype in _DOUBLE for item in wanted) and any(
        item.dtype in _DOUBLE.values() for item in wanted
    )


def within_rounding(
    library: TorchLibrary,
    call: Call,
    sample: SampleInput,
    got: Any,
    expected: Any,
    tolerances: Tolerances,
) -> bool:
    """Say whether a result is as near to the double precision result as torch's own."""
    reference = TorchLibrary()
    theirs = flatten(reference, expected)
    if not any(isinstance(item, torch.Tensor) and item.dtype in _DOUBLE for item in theirs):
        return False
    if results_differ(library, got, expected, tolerances, values=False) is not None:
        return False
    with _double_by_default():
        precise = Arguments(reference, sample.transform(in_double), False).call(call)
    exact = flatten(reference, precise)
    ours = [library.to_torch(item) for item in flatten(library, got)]
    return all(
        _near(mine, torchs.detach(), precise, tolerances)
        for mine, torchs, precise in zip(ours, theirs, exact, strict=True)
    )


def argument_within_rounding(
    library: TorchLibrary,
    call: Call,
    sample: SampleInput,
    position: int,
    mine: Any,
    torchs: torch.Tensor,
    tolerances: Tolerances,
) -> bool:
    """Say whether what a call made of an argument is as near to the double precision's result."""
    if torchs.dtype not in _DOUBLE:
        return False
    arguments = Arguments(TorchLibrary(), sample.transform(in_double), False)
    arguments.call(call)
    return _near(library.to_torch(mine), torchs.detach(), arguments.tensors[position], tolerances)


def _near(
    mine: torch.Tensor, torchs: torch.Tensor, exact: torch.Tensor, tolerances: Tolerances
) -> bool:
    if mine.dtype not in _DOUBLE:
        return torch.equal(mine, torchs)
    relative, absolute = tolerances.of(mine.dtype)
    # A nan of torch's, where nothing is undefined, has no rounding to compare with.
    rounded = torchs.isnan() & (mine == exact.to(mine.dtype))
    same = (mine == torchs) | (mine.isnan() & torchs.isnan()) | rounded
    error = (torchs.to(exact.dtype) - exact).abs()
    worst = error[error.isfinite()].max() if bool(error.isfinite().any()) else 0.0
    allowed = absolute + relative * exact.abs() + worst
    return bool((same | ((mine.to(exact.dtype) - exact).abs() <= allowed)).all())


_SORTS = {"sort": 0, "argsort": 0, "topk": 1, "kthvalue": 1, "mode": 0}


def is_unstable_sort(operation: OpInfo, sample: SampleInput) -> bool:
    """Say whether torch promises no order among equal elements to this sample."""
    return operation.name in _SORTS and not sample.kwargs.get("stable", False)


def sorts_differ(
    library: TorchLibrary,
    operation: OpInfo,
    sample: SampleInput,
    got: Any,
    expected: Any,
    tolerances: Tolerances,
) -> str | None:
    """Return what differs between two sorts: the indices must be distinct and pick equal values."""
    found = results_differ(library, got, expected, tolerances, values=False)
    if found is not None:
        return found
    position = _SORTS[operation.name]
    default = sample.args[position] if len(sample.args) > position else -1
    dim = sample.kwargs.get("dim", default)
    *values, index = [library.to_torch(item) for item in flatten(library, got)]
    *wanted_values, wanted_index = flatten(TorchLibrary(), expected)
    for mine, wanted in zip(values, wanted_values, strict=True):
        found = difference(mine, wanted.detach(), tolerances)
        if found is not None:
            return found
    data = sample.input.detach()
    size = data.shape[dim] if data.ndim else 1
    if index.ndim < data.ndim:
        index, wanted_index = index.unsqueeze(dim), wanted_index.unsqueeze(dim)
    if index.numel() and not bool(((index >= 0) & (index < size)).all()):
        return f"an index is outside [0, {size}): {index}"
    if index.ndim and not bool((index.sort(dim).values.diff(dim=dim) > 0).all()):
        return f"an index occurs twice: {index}"
    return difference(data.gather(dim, index), data.gather(dim, wanted_index), tolerances)


_MINUS_INFINITY = ("masked.logaddexp", "masked.logsumexp")


def without_nan(
    library: TorchLibrary, operation: OpInfo, got: Sequence[Any], expected: Sequence[Any]
) -> Sequence[Any] | None:
    """Return torch's second gradients with the right ones for NaN; None where there are none.

    Torch multiplies the slope zero by infinity where a mask left minus infinity.
    """
    if operation.name not in _MINUS_INFINITY:
        return None
    known = []
    for mine, wanted in zip(got, expected, strict=True):
        if mine is not None and wanted is not None:
            ours = library.to_torch(mine)
            wanted = torch.where(wanted.isnan() & ours.isfinite(), ours, wanted.detach())
        known.append(wanted)
    return known


def has_trigamma_poles(operation: OpInfo, sample: SampleInput) -> bool:
    """Say whether torch divides by what rounding leaves of sin(pi x) somewhere in this sample."""
    if operation.name not in ("polygamma", "special.polygamma") or sample.args != (1,):
        return False
    return bool(_is_pole(sample.input).any())


def _is_pole(x: torch.Tensor) -> torch.Tensor:
    return (x < 0) & (x == x.floor())


def poles_differ(
    sample: SampleInput, got: torch.Tensor, expected: torch.Tensor, tolerances: Tolerances
) -> str | None:
    """Return what differs off the poles, or on them from infinity."""
    poles = _is_pole(sample.input.detach())
    if got.shape == poles.shape and not bool((got[poles] == torch.inf).all()):
        return f"the poles are not infinite: {got}"
    return difference(got, expected.detach().masked_fill(poles, torch.inf), tolerances)
