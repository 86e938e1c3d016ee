"""First and second gradients of a sample, compared with torch's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tests.opdb.arguments import flatten
from tests.opdb.comparison import Tolerances, difference
from tests.opdb.libraries import TorchLibrary


def differentiable(library: TorchLibrary, result: Any) -> list[Any]:
    """Return the tensors of a result that carry a graph."""
    found = flatten(library, result)
    return [item for item in found if library.is_tensor(item) and item.requires_grad]


class Differentiation:
    """The gradients of one call on one library, and the gradients of those.

    The outputs are seeded with given cotangents, which take part in the second gradient: the first
    gradient is differentiated by the inputs and by the cotangents, as torch's gradgradcheck does.
    """

    def __init__(
        self,
        library: TorchLibrary,
        outputs: Sequence[Any],
        leaves: Sequence[Any],
        cotangents: Sequence[torch.Tensor],
        again: bool,
    ) -> None:
        self.library = library
        self.leaves = list(leaves)
        self.cotangents = [library.tensor(value, {}) for value in cotangents]
        if again:
            for cotangent in self.cotangents:
                cotangent.requires_grad_(True)
        self.first = library.grad(list(outputs), self.leaves, self.cotangents, again)

    def second(self, chosen: Sequence[int], cotangents: Sequence[torch.Tensor]) -> Sequence[Any]:
        """Return the gradients of the chosen first gradients, by inputs and cotangents."""
        by = self.leaves + self.cotangents
        outputs: list[Any] = []
        seeds: list[Any] = []
        for position, cotangent in zip(chosen, cotangents, strict=True):
            gradient = self.first[position]
            # A gradient that is constant here contributes nothing; torch's must then be zero too.
            if gradient is not None and gradient.requires_grad:
                outputs.append(gradient)
                seeds.append(self.library.tensor(cotangent, {}))
        if not outputs:
            return [None] * len(by)
        return self.library.grad(outputs, by, seeds, False)


def random_like(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return a random tensor of the same shape and dtype."""
    return torch.randn(value.shape, dtype=value.dtype, generator=generator)


def gradients_differ(
    library: TorchLibrary,
    got: Sequence[Any],
    expected: Sequence[torch.Tensor | None],
    inputs: Sequence[torch.Tensor],
    tolerances: Tolerances,
) -> str | None:
    """Return what differs between two lists of gradients; None in a list means zeros."""
    for position, (mine, wanted, value) in enumerate(zip(got, expected, inputs, strict=True)):
        ours = torch.zeros_like(value) if mine is None else library.to_torch(mine)
        theirs = torch.zeros_like(value) if wanted is None else wanted.detach()
        if theirs.layout is torch.sparse_coo:
            theirs = theirs.to_dense()
        found = difference(ours, theirs.resolve_conj().resolve_neg(), tolerances)
        if found is not None:
            return f"by input {position}: {found}"
    return None
