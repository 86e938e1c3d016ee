"""One sample called one way: on torch, on the library under test, and every result compared."""

from __future__ import annotations

from typing import Any

import torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from tests.opdb.allowances import ORDER, ROUNDING, is_unstable_sort, sorts_differ, within_rounding
from tests.opdb.arguments import Arguments, flatten
from tests.opdb.calling import Variant
from tests.opdb.comparison import Tolerances, difference, results_differ
from tests.opdb.exclusions import ExcludedError, not_numpy
from tests.opdb.gradients import (
    Differentiation,
    differentiable,
    gradients_differ,
    random_like,
)
from tests.opdb.libraries import MissingError, TorchLibrary


class Comparison:
    """One sample and one way to call it; `forward`, `first` and `second` are its checks.

    Each check returns what differs or None; they run in this order and share their tensors.
    """

    def __init__(
        self,
        operation: OpInfo,
        tolerances: Tolerances,
        variant: Variant,
        sample: SampleInput,
        differentiated: bool,
    ) -> None:
        self.operation = operation
        self.tolerances = tolerances
        self.variant = variant
        self.sample = sample
        self.differentiated = differentiated
        self.generator = torch.Generator().manual_seed(20)
        self.reference = TorchLibrary()
        self.allowance: str | None = None

    def forward(self, library: TorchLibrary, operation: OpInfo) -> str | None:
        """Compare the results, and what became of the arguments."""
        theirs = Arguments(self.reference, self.sample, self.differentiated)
        ours = Arguments(library, self.sample, self.differentiated)
        try:
            expected = theirs.call(self.variant.reference)
        except Exception as refusal:  # noqa: BLE001 - torch refuses, say a result dtype in place
            return self._also_refused(ours, refusal)
        if any(
            getattr(leaf, "dtype", None) is torch.complex32
            for leaf in flatten(self.reference, expected)
        ):
            raise ExcludedError(not_numpy(torch.complex32))
        got = ours.call(self.variant.ours)
        changed = self._arguments_differ(library, ours, theirs)
        if changed is not None:
            return changed
        self.theirs, self.ours = theirs, ours
        process = self.sample.output_process_fn_grad
        if _is_identity(process):
            self.expected, self.got = expected, got
            return self._values_differ(library, got, expected)
        # The result is unique only up to, say, a sign; the sample says what of it is unique.
        found = results_differ(library, got, expected, self.tolerances, values=False)
        if found is not None:
            return found
        self.expected, self.got = process(expected), process(got)
        return results_differ(library, self.got, self.expected, self.tolerances)

    def _values_differ(self, library: TorchLibrary, got: Any, expected: Any) -> str | None:
        if is_unstable_sort(self.operation, self.sample):
            found = sorts_differ(
                library, self.operation, self.sample, got, expected, self.tolerances
            )
            if found is None and results_differ(library, got, expected, self.tolerances):
                self.allowance = ORDER
            return found
        found = results_differ(library, got, expected, self.tolerances)
        if found is not None and within_rounding(
            library, self.variant.reference, self.sample, got, expected, self.tolerances
        ):
            self.allowance = ROUNDING
            return None
        return found

    def _also_refused(self, ours: Arguments, refusal: Exception) -> str | None:
        self.differentiated = False
        try:
            ours.call(self.variant.ours)
        except MissingError:
            raise
        except Exception as error:  # noqa: BLE001 - any refusal will do, if it says something
            return None if str(error) else f"{type(error).__name__} without a message"
        return f"nothing was raised, torch raises {type(refusal).__name__}: {refusal}"

    def _arguments_differ(
        self, library: TorchLibrary, ours: Arguments, theirs: Arguments
    ) -> str | None:
        pairs = zip(ours.tensors, theirs.tensors, strict=True)
        for position, (mine, wanted) in enumerate(pairs):
            found = difference(library.to_torch(mine), wanted.detach(), self.tolerances)
            if found is not None:
                return f"tensor argument {position} after the call: {found}"
        return None

    def has_gradients(self) -> bool:
        """Say whether torch has gradients of this call."""
        if not self.differentiated or not self.theirs.leaves:
            return False
        return bool(differentiable(self.reference, self.expected))

    def first(self, library: TorchLibrary, operation: OpInfo) -> str | None:
        """Compare the gradients of all outputs by all inputs."""
        again = operation.supports_gradgrad
        wanted = differentiable(self.reference, self.expected)
        outputs = differentiable(library, self.got)
        cotangents = [random_like(output, self.generator) for output in wanted]
        self.expected_gradients = Differentiation(
            self.reference, wanted, self.theirs.leaves, cotangents, again
        )
        self.gradients = Differentiation(library, outputs, self.ours.leaves, cotangents, again)
        return gradients_differ(
            library,
            self.gradients.first,
            self.expected_gradients.first,
            self.theirs.leaves,
            self.tolerances,
        )

    def has_second_gradients(self) -> bool:
        """Say whether torch can differentiate its gradients of this call."""
        return self.operation.supports_gradgrad and bool(self._recorded())

    def _recorded(self) -> list[int]:
        found = enumerate(self.expected_gradients.first)
        return [place for place, item in found if item is not None and item.requires_grad]

    def second(self, library: TorchLibrary, operation: OpInfo) -> str | None:
        """Compare the gradients of the gradients, by all inputs and cotangents."""
        chosen = self._recorded()
        first = self.expected_gradients.first
        cotangents = [random_like(first[place], self.generator) for place in chosen]
        expected = self.expected_gradients.second(chosen, cotangents)
        got = self.gradients.second(chosen, cotangents)
        by = self.expected_gradients.leaves + self.expected_gradients.cotangents
        return gradients_differ(library, got, expected, by, self.tolerances)


def _is_identity(process: Any) -> bool:
    """Say whether a sample's output function is the database's default: it returns its argument."""
    token = object()
    try:
        return process(token) is token
    except TypeError:
        return False
