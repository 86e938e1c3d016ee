"""One name of the database, run: its entries, dtypes and samples, each compared with torch."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_utils import set_rng_seed
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

from tests.opdb import random_operations
from tests.opdb.allowances import in_double, mixes_precisions
from tests.opdb.calling import FUNCTIONS, Variant, applies, function, variants
from tests.opdb.comparison import Tolerances
from tests.opdb.errors import error_differs
from tests.opdb.exclusions import (
    CHUNKED,
    NO_CPU,
    ExcludedError,
    is_wrong_in_torch,
    not_numpy,
)
from tests.opdb.libraries import DTYPES, TorchLibrary, dtype_name
from tests.opdb.report import Report
from tests.opdb.samples import Comparison

DIFFERENTIATED = (torch.float64, torch.complex128)


@dataclass(frozen=True)
class Settings:
    """How much to run: which dtypes, at most how many samples of each, which of torch's sets."""

    dtypes: Sequence[torch.dtype] = DTYPES
    max_samples: int | None = None
    reference: bool = False


def run_name(library: TorchLibrary, name: str, settings: Settings) -> Report:
    """Run every entry of the database that has this name."""
    report = Report(name)
    entries = [entry for entry in op_db if entry.name == name]
    # torch's flash kernel has no second derivative; its plain formula has.
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        warnings.simplefilter("ignore")
        for entry in entries:
            Entry(library, entry, settings, report).run()
    report.seconds = time.perf_counter() - report.started
    return report


def strided(samples: Sequence[SampleInput], limit: int | None) -> list[SampleInput]:
    """Return at most `limit` samples, evenly spread, the first and the last among them."""
    if limit is None or len(samples) <= limit:
        return list(samples)
    step = (len(samples) - 1) / max(limit - 1, 1)
    return [samples[round(number * step)] for number in range(limit)]


class Entry:
    """One entry of the database against one library."""

    def __init__(
        self, library: TorchLibrary, operation: OpInfo, settings: Settings, report: Report
    ) -> None:
        self.library = library
        self.operation = operation
        self.settings = settings
        self.report = report
        self.label = " ".join(filter(None, (operation.name, operation.variant_test_name)))
        self.tolerances = Tolerances(operation)

    def run(self) -> None:
        """Run all dtypes and the error inputs."""
        operation = self.operation
        supported = operation.supported_dtypes("cpu")
        if not supported:
            self.report.excluded[NO_CPU] += 1
            return
        if operation.variant_test_name.startswith("chunked"):
            self.report.excluded[CHUNKED] += 1
            return
        for dtype in supported:
            if dtype not in DTYPES:
                self.report.excluded[not_numpy(dtype)] += 1
        for dtype in self.settings.dtypes:
            if dtype in supported:
                self.run_dtype(dtype)
        if operation.error_inputs_func is not None:
            set_rng_seed(0)
            for error_input in operation.error_inputs_func(operation, "cpu"):
                self.guarded("errors", "", error_input.sample_input, error_differs, error_input)

    def run_dtype(self, dtype: torch.dtype) -> None:
        """Run the samples of one dtype."""
        operation = self.operation
        differentiated = (
            operation.supports_autograd
            and dtype in DIFFERENTIATED
            and dtype in operation.supported_backward_dtypes("cpu")
        )
        samples = strided(self.samples(dtype, differentiated), self.settings.max_samples)
        name = dtype_name(dtype)
        for sample in samples:
            if random_operations.is_random(operation, sample):
                self.guarded("samples", name, sample, random_operations.sample_differs, sample)
                continue
            plain = Variant("samples", operation.op, self._function)
            if differentiated and mixes_precisions(sample):
                self.run_call(plain, sample, name, False)
                sample = sample.transform(in_double)
            self.run_call(plain, sample, name, differentiated)
            for variant in variants(self.library, operation):
                if applies(variant, operation, sample):
                    self.run_call(variant, sample, name, differentiated)
        if operation.name in random_operations.STATISTICS:
            check = random_operations.statistics_differ
            self.guarded("samples", name, None, check, dtype)

    def samples(self, dtype: torch.dtype, requires_grad: bool) -> list[SampleInput]:
        """Return the database's samples of a dtype, the same in every run."""
        # `operation.sample_inputs` walks the stack at every call, which takes longer than the rest.
        set_rng_seed(0)
        produce = self.operation.sample_inputs_func
        if self.settings.reference and self.operation.reference_inputs_func is not None:
            # Made for values alone: some of these samples cannot require a gradient.
            produce = self.operation.reference_inputs_func
            requires_grad = False
        return list(produce(self.operation, "cpu", dtype, requires_grad))

    def _function(self, *args: Any, **kwargs: Any) -> Any:
        # Found at the call, so that a missing name is a failure of each of its samples.
        name = self.label if self.label in FUNCTIONS else self.operation.name
        return function(self.library, name)(*args, **kwargs)

    def guarded(
        self,
        kind: str,
        dtype: str,
        sample: SampleInput | None,
        check: Callable[..., str | None],
        *args: Any,
    ) -> None:
        """Count one check; an exception of the library under test is a failure, with its place."""
        try:
            message = check(self.library, self.operation, *args)
        except ExcludedError as reason:
            self.report.excluded[str(reason)] += 1
            return
        except Exception as error:  # noqa: BLE001 - what a library raises is a finding
            message = described(error)
        self.report.check(kind, message, self.label, dtype, sample)

    def run_call(
        self, variant: Variant, sample: SampleInput, dtype: str, differentiated: bool
    ) -> None:
        """Compare one way to call the operation on one sample: values, then gradients."""
        differentiated &= variant.kind in ("samples", "in-place")
        if variant.in_place:
            differentiated &= self.operation.supports_inplace_autograd
        comparison = Comparison(self.operation, self.tolerances, variant, sample, differentiated)
        before = len(self.report.failures)
        self.guarded(variant.kind, dtype, sample, comparison.forward)
        if comparison.allowance is not None:
            self.report.allowed[comparison.allowance] += 1
        if len(self.report.failures) > before or not comparison.has_gradients():
            return
        self.guarded("gradients", dtype, sample, comparison.first)
        if is_wrong_in_torch(self.operation):
            return
        if len(self.report.failures) > before or not comparison.has_second_gradients():
            return
        comparison.allowance = None
        self.guarded("second", dtype, sample, comparison.second)
        if comparison.allowance is not None:
            self.report.allowed[comparison.allowance] += 1


def described(error: Exception) -> str:
    """Return an exception in words with the innermost lines of its traceback."""
    place = "".join(traceback.format_tb(error.__traceback__)[-3:])
    return f"{type(error).__name__}: {error}\n{place}"
