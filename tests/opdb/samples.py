"""One sample called one way: on torch, on the library under test, and every result compared."""

from __future__ import annotations

from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from minigrad.errors import ArgumentError
from tests.opdb.allowances import (
    MASKED,
    ORDER,
    PHASE_FREE,
    POLES,
    QR_CHAINS,
    QR_ROUNDING,
    ROUNDING,
    argument_within_rounding,
    has_trigamma_poles,
    is_unstable_sort,
    poles_differ,
    sorts_differ,
    within_rounding,
    without_nan,
)
from tests.opdb.arguments import Arguments, flatten
from tests.opdb.calling import Variant
from tests.opdb.comparison import Tolerances, difference, results_differ
from tests.opdb.exclusions import (
    NO_RESIZE,
    NO_SECOND,
    WRONG_IN_TORCH,
    ExcludedError,
    is_wrong_in_torch,
    not_numpy,
)
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
        self.process = PHASE_FREE.get(operation.name, sample.output_process_fn_grad)

    def forward(self, library: TorchLibrary, operation: OpInfo) -> str | None:
        """Compare the results, and what became of the arguments."""
        theirs = Arguments(self.reference, self.sample, self.differentiated)
        ours = Arguments(library, self.sample, self.differentiated)
        shape = getattr(self.sample.input, "shape", None)
        try:
            expected = theirs.call(self.variant.reference)
        except Exception as refusal:  # noqa: BLE001 - torch refuses, say a result dtype in place
            return self._also_refused(ours, f"{type(refusal).__name__}: {refusal}")
        if any(
            getattr(leaf, "dtype", None) is torch.complex32
            for leaf in flatten(self.reference, expected)
        ):
            raise ExcludedError(not_numpy(torch.complex32))
        try:
            got = ours.call(self.variant.ours)
        except ArgumentError as error:
            if self.variant.in_place and expected.shape != shape and str(error):
                self.differentiated = False
                raise ExcludedError(NO_RESIZE) from error
            raise
        changed = self._arguments_differ(library, ours, theirs)
        if changed is not None:
            return changed
        self.theirs, self.ours = theirs, ours
        if not _is_identity(self.process):
            # The result is unique only up to, say, a sign; the sample says what of it is unique.
            found = results_differ(library, got, expected, self.tolerances, values=False)
            if found is not None:
                return found
        found = self._values_differ(library, self.process(got), self.process(expected))
        self._wrap_for_gradients(library, expected, got)
        return found

    def _wrap_for_gradients(self, library: TorchLibrary, expected: Any, got: Any) -> None:
        """Set what is differentiated: the result, made as the database makes it for gradients.

        It says so where part of an input is not read or must be symmetric, such as the matrix of
        which `cholesky` reads one triangle: there a gradient is that of the part.
        """
        wrapper = self.operation.gradcheck_wrapper
        if self.differentiated and _changes_arguments(wrapper):
            expected = self.theirs.call(partial(wrapper, self.variant.reference))
            # One of the wrappers calls functions of torch by name.
            named = {name: library.function(name) for name in ("diag_embed", "ones_like")}
            with patch.multiple(torch, **named):
                got = self.ours.call(partial(wrapper, self.variant.ours))
        process = self.process
        self.expected, self.got = process(expected), process(got)

    def _values_differ(self, library: TorchLibrary, got: Any, expected: Any) -> str | None:
        if is_unstable_sort(self.operation, self.sample):
            found = sorts_differ(
                library, self.operation, self.sample, got, expected, self.tolerances
            )
            if found is None and results_differ(library, got, expected, self.tolerances):
                self.allowance = ORDER
            return found
        found = results_differ(library, got, expected, self.tolerances)
        if found is not None and has_trigamma_poles(self.operation, self.sample):
            self.allowance = POLES
            return poles_differ(self.sample, library.to_torch(got), expected, self.tolerances)
        if found is not None and within_rounding(
            library, self._processed, self.sample, got, expected, self.tolerances
        ):
            self.allowance = ROUNDING
            return None
        return found

    def _processed(self, *args: Any, **kwargs: Any) -> Any:
        return self.process(self.variant.reference(*args, **kwargs))

    def _also_refused(self, ours: Arguments, refusal: str) -> str | None:
        self.differentiated = False
        try:
            ours.call(self.variant.ours)
        except MissingError:
            raise
        except Exception as error:  # noqa: BLE001 - any refusal will do, if it says something
            return None if str(error) else f"{type(error).__name__} without a message"
        return f"nothing was raised, torch raises {refusal}"

    def _arguments_differ(
        self, library: TorchLibrary, ours: Arguments, theirs: Arguments
    ) -> str | None:
        pairs = zip(ours.tensors, theirs.tensors, strict=True)
        for position, (mine, wanted) in enumerate(pairs):
            found = difference(library.to_torch(mine), wanted.detach(), self.tolerances)
            if found is not None and argument_within_rounding(
                library, self.variant.reference, self.sample, position, mine, wanted,
                self.tolerances,
            ):  # fmt: skip
                self.allowance = ROUNDING
                continue
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
        if is_wrong_in_torch(operation):
            raise ExcludedError(WRONG_IN_TORCH)
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
        try:
            expected = self.expected_gradients.second(chosen, cotangents)
        except RuntimeError as error:
            if "is not implemented" in str(error):
                raise ExcludedError(NO_SECOND) from None
            raise
        got = self.gradients.second(chosen, cotangents)
        by = self.expected_gradients.leaves + self.expected_gradients.cotangents
        found = gradients_differ(library, got, expected, by, self.tolerances)
        known = without_nan(library, operation, got, expected)
        if found is not None and known is not None:
            found = gradients_differ(library, got, known, by, self.tolerances)
            self.allowance = MASKED if found is None else None
        if found is not None and operation.name in QR_CHAINS:
            self.allowance = QR_ROUNDING
            wider = self.tolerances.at_least(QR_CHAINS[operation.name])
            return gradients_differ(library, got, expected, by, wider)
        return found


def _changes_arguments(wrapper: Any) -> bool:
    """Say whether the database wraps a call for gradients in another way than its default."""
    token = object()
    try:
        return bool(wrapper(lambda *args, **kwargs: (args, kwargs), token) != ((token,), {}))
    except (AttributeError, IndexError, TypeError):
        return True


def _is_identity(process: Any) -> bool:
    """Say whether a sample's output function is the database's default: it returns its argument."""
    token = object()
    try:
        return process(token) is token
    except TypeError:
        return False
